"""Keras loads our files by itself after `import mbu_tf`, in whatever order; the import is light."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

import mbu_tf
from mbu_tf.registration import REGISTERED

PACKAGE = pathlib.Path(mbu_tf.__file__).parent


def python(program, *arguments):
    """What a fresh process prints."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()


@pytest.mark.parametrize(
    "first",
    [pytest.param("import keras, mbu_tf", marks=pytest.mark.slow), "import mbu_tf; import keras"],
)
def test_keras_loads_a_saved_model_and_is_otherwise_as_ever(model_file, first):
    program = f"""
import inspect, sys
{first}
model = keras.saving.load_model(sys.argv[1])
print(type(model).__name__)
print(keras.saving.get_registered_object("mbu_tf>MaskedContentTransfer") is type(model))
print(type(keras.__spec__.loader).__name__, len(inspect.getsource(keras)) > 0)
print(any("mbu_tf" in type(finder).__module__ for finder in sys.meta_path))
"""
    printed = python(program, model_file)
    assert printed == ["MaskedContentTransfer", "True", "SourceFileLoader", "True", "False"]


def test_importing_is_light():
    program = "import sys, mbu_tf; print(*{'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    assert python(program) == []


def test_every_class_that_a_file_may_name_is_known():
    decorated = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                "register_keras_serializable" in ast.unparse(x) for x in node.decorator_list
            ):
                parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
                decorated[node.name] = ".".join(parts)
    assert decorated == REGISTERED
