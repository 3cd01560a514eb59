"""Face embeddings where dlib is installed, and what is said where it is not."""

import sys

import numpy as np
import pytest

from mbu_tf.data import to_model_range
from mbu_tf.data.images import resize_image
from mbu_tf.evaluation import FaceEmbedding, cosine_similarity


def face(skin, eyes):
    """A drawn face, uint8 128 x 128."""
    rows, columns = np.mgrid[:128, :128]

    def ellipse(row, column, height, width):
        return ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 < 1

    picture = np.full((128, 128, 3), 120, np.uint8)
    picture[ellipse(76, 64, 46, 36)] = skin
    for side in (-1, 1):
        picture[ellipse(64, 64 + side * eyes, 4, 8)] = 20
    picture[ellipse(82, 64, 9, 5)] = np.uint8(skin) // 4 * 3
    picture[ellipse(99, 64, 4, 15)] = (150, 40, 40)
    return picture


def test_drawn_faces():
    pytest.importorskip("dlib", reason="dlib is not installed: pip install -e '.[faces]'")
    embed = FaceEmbedding()
    first, second = face((230, 190, 170), 16), face((120, 80, 60), 12)
    smaller = to_model_range(resize_image(first, 64))[None]
    large = embed(to_model_range(np.stack([first, second])))
    assert large.shape == (2, 128) and large.dtype == np.float64
    np.testing.assert_array_equal(large[:1], embed(to_model_range(first)[None]))
    # One face in two sizes is nearer than two faces.
    same, other = cosine_similarity(np.repeat(embed(smaller), 2, axis=0), large)
    assert same > 0.97 > 0.94 > other


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ImportError, match=r"need dlib-bin: pip install 'mbu_tf\[faces\]'"):
        FaceEmbedding()


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", object())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="need face-recognition-models"):
        FaceEmbedding()
