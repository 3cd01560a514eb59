"""The notebook runs as it stands, its sizes made tiny, and holds what it gave when it was run."""

import json
import pathlib

import pytest

from mbu_tf import load_model
from mbu_tf.data import read_image

NOTEBOOK = pathlib.Path(__file__).parents[1] / "examples" / "tutorial.ipynb"
TINY = {
    "FACES": 8,
    "IMAGE_SIZE": 32,
    "WIDTH": 0.03,
    "STEPS": 2,
    "EPOCHS": 1,
    "BATCH_SIZE": 4,
    "HELD_OUT": 6,
    "PHOTO_SIZE": 64,
}


@pytest.fixture(scope="module")
def cells():
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    return [x for x in notebook["cells"] if x["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_runs(cells, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters, *others = ("".join(cell["source"]) for cell in cells)
    names = {}
    exec(parameters, names)
    assert TINY.keys() <= names.keys()
    names.update(TINY)
    for source in others:
        exec(source, names)
    folder = tmp_path / names["FOLDER"]
    assert load_model(folder / "model.keras").image_size == 32
    # Two references below the targets, each with its masks.
    assert read_image(folder / "pictures" / "epoch-0001.png").shape[0] == 5 * 132 + 4 + 16
    assert names["edited"].image.shape == (64, 64, 3)
    assert 0 <= names["overlap"].min() and names["difference"] < 2 / 255


def test_outputs_are_saved(cells):
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [x for x in outputs if x["output_type"] == "error" or x.get("name") == "stderr"]
    pictures = [x for x in outputs if "image/png" in x.get("data", ())]
    # The faces, the model while it learns, four kinds of edits, and those of photos.
    assert len(pictures) == 6
    assert NOTEBOOK.stat().st_size < 1.5e6
