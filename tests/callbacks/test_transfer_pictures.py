import sys
import types

import numpy as np
import pytest

from mbu_tf.callbacks import TransferPictures
from mbu_tf.data.images import read_image
from mbu_tf.evaluation.pictures import transfer_grid

TARGETS, REFERENCES = np.split(
    np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32), [3]
)


def run(model, epochs, *args, **kwargs):
    callback = TransferPictures(*args, **kwargs)
    callback.set_model(model)
    for epoch in range(epochs):
        callback.on_epoch_end(epoch, {"loss": 1.0})


def test_one_picture_per_epoch(tiny_model, tmp_path):
    folder = tmp_path / "a" / "pictures"  # Neither is there yet.
    run(tiny_model, 2, folder, TARGETS, REFERENCES)
    assert sorted(p.name for p in folder.iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    expected = transfer_grid(tiny_model, TARGETS, REFERENCES)
    np.testing.assert_array_equal(read_image(folder / "epoch-0002.png"), expected)


def test_every_so_many_epochs(tiny_model, tmp_path):
    run(tiny_model, 7, str(tmp_path), TARGETS[:1], REFERENCES[:1], every=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-0003.png", "epoch-0006.png"]


@pytest.mark.parametrize("every", [0, -1, 1.0, True, "2", None])
def test_every_must_be_a_positive_integer(tmp_path, every):
    with pytest.raises(ValueError, match="`every` must be a positive integer. Received: every="):
        TransferPictures(tmp_path, TARGETS, REFERENCES, every=every)


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="a file stands where a folder is needed"):
        TransferPictures(tmp_path / "file" / "pictures", TARGETS, REFERENCES)


def test_a_missing_tensorboard_is_named_with_its_mend(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install mbu_tf\[tensorboard\]"):
        TransferPictures(tmp_path, TARGETS, REFERENCES, tensorboard=tmp_path / "logs")
    TransferPictures(tmp_path, TARGETS, REFERENCES)  # Without, nothing is missed.


def test_pictures_are_shown_in_a_notebook(tiny_model, tmp_path, monkeypatch):
    shown, display = [], types.ModuleType("IPython.display")
    display.Image = lambda filename: filename
    display.display = shown.append
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    run(tiny_model, 3, tmp_path, TARGETS[:1], REFERENCES[:1], every=2, show=True)
    assert shown == [str(tmp_path / "epoch-0002.png")]
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(ImportError, match="pip install ipython"):
        TransferPictures(tmp_path, TARGETS, REFERENCES, show=True)


def test_tensorboard_gets_the_same_picture(tiny_model, tmp_path):
    pytest.importorskip("tensorboard")
    import tensorflow as tf

    folder, logs = tmp_path / "pictures", tmp_path / "logs"
    run(tiny_model, 2, folder, TARGETS, REFERENCES, tensorboard=logs)
    events = [
        (event.step, value)
        for file in logs.iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    ]
    assert [(step, value.tag) for step, value in events] == [(1, "transfer"), (2, "transfer")]
    # Width, height and then the pictures.
    encoded = events[1][1].tensor.string_val[2]
    np.testing.assert_array_equal(read_image(encoded), read_image(folder / "epoch-0002.png"))
