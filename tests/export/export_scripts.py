"""The scripts of `export/`, which is no package, as modules."""

import importlib.util
import pathlib
import sys

EXPORT = pathlib.Path(__file__).parents[2] / "export"


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    # Scripts import what lies beside them.
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
