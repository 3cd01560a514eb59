"""Face embeddings where dlib is installed, and what is said where it is not."""

import numpy as np
import pytest

from mbu_tf.evaluation import FaceEmbedding, embedding_similarity


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dlib", None)
    with pytest.raises(ImportError, match=r"need dlib-bin: pip install 'mbu_tf\[faces\]'"):
        FaceEmbedding()


def test_weights_that_are_missing_are_named(monkeypatch):
    pytest.importorskip("dlib")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="need face-recognition-models"):
        FaceEmbedding()
