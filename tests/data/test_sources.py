import subprocess
import sys
import types

import numpy as np
import pytest

from mbu_tf.data import celeba, folders
from mbu_tf.data.images import write_png
from mbu_tf.data.sources import load_held_out, load_source, parse_source

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("spec", "parsed"),
    [
        ("avatars:glasses", ("avatars", {"task": "glasses"})),
        ("folders:/data/faces", ("folders", {"path": "/data/faces"})),
        (r"folders:C:\data\faces", ("folders", {"path": r"C:\data\faces"})),
        ("celeba:/data/celeba:glasses", ("celeba", {"path": "/data/celeba", "task": "glasses"})),
        ("celeba:data:Wearing_Hat", ("celeba", {"path": "data", "task": "Wearing_Hat"})),
        ("celeba:tfds:smile", ("celeba", {"path": "tfds", "task": "smile"})),
        (r"celeba:C:\celeba:smile", ("celeba", {"path": r"C:\celeba", "task": "smile"})),
        ("celeba:d:/celeba:smile", ("celeba", {"path": "d:/celeba", "task": "smile"})),
        ("celeba:/a:b/c:smile", ("celeba", {"path": "/a:b/c", "task": "smile"})),
        ("celeba:C:smile", ("celeba", {"path": "C", "task": "smile"})),
        (
            r"celeba:C:\c:A: Male & ~Eyeglasses; B: Male & Eyeglasses",
            ("celeba", {"path": r"C:\c", "task": "A: Male & ~Eyeglasses; B: Male & Eyeglasses"}),
        ),
    ],
)
def test_parse(spec, parsed):
    assert parse_source(spec) == parsed


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "glasses",
        "photos:/data",
        "avatars",
        "avatars:",
        "folders:",
        "celeba",
        "celeba:/data",
        "celeba:/data:",
        "celeba::glasses",
        r"celeba:C:\data",
    ],
)
def test_wrong_forms_are_answered_with_the_forms(spec):
    with pytest.raises(ValueError, match="avatars:TASK.*folders:PATH.*celeba:PATH:TASK") as error:
        parse_source(spec)
    assert str(error.value).endswith(f"Received: {spec!r}")


def test_unknown_tasks():
    with pytest.raises(ValueError, match="Did you mean glasses"):
        parse_source("celeba:/data:glases")
    with pytest.raises(ValueError, match="Received: task='glases'"):
        parse_source("avatars:glases")


def test_load_passes_everything_on(monkeypatch):
    calls = []
    avatars = types.ModuleType("avatars")
    avatars.load_avatars = lambda **arguments: calls.append(("avatars", arguments))
    monkeypatch.setitem(sys.modules, "mbu_tf.data.avatars", avatars)
    monkeypatch.setattr(folders, "load_folders", lambda **a: calls.append(("folders", a)))
    monkeypatch.setattr(celeba, "load_celeba", lambda **a: calls.append(("celeba", a)))
    load_source("avatars:glasses", seed=3)
    load_source("folders:x", split="test", crop="center")
    load_source("celeba:x:smile", image_size=64, limit=5)
    assert calls == [
        ("avatars", {"task": "glasses", "split": "train", "image_size": 128, "seed": 3}),
        ("folders", {"path": "x", "split": "test", "image_size": 128, "crop": "center"}),
        ("celeba", {"path": "x", "task": "smile", "split": "train", "image_size": 64, "limit": 5}),
    ]


def test_missing_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_source(f"folders:{tmp_path / 'nowhere'}")
    with pytest.raises(FileNotFoundError, match=r"list_attr_celeba\.txt is missing"):
        load_source(f"celeba:{tmp_path}:glasses")


def test_the_test_split_is_held_out_else_the_validation_split(tmp_path):
    with pytest.raises(FileNotFoundError, match="valA"):
        load_held_out(f"folders:{tmp_path}", 8)
    for split, name in (("validation", "val"), ("test", "test")):
        for domain in "AB":
            (tmp_path / f"{name}{domain}").mkdir()
            write_png(tmp_path / f"{name}{domain}" / "x.png", np.zeros((8, 8, 3), np.uint8))
        assert load_held_out(f"folders:{tmp_path}", 8)[0] == split


def test_import_needs_no_tensorflow():
    code = (
        "import sys; from mbu_tf.data.sources import parse_source;"
        "parse_source('avatars:glasses'); parse_source('celeba:x:glasses');"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras', 'tensorflow_datasets')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
