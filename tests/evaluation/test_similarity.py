"""Cosine similarity against closed forms."""

import numpy as np
import pytest
import scipy.spatial.distance

from mbu_tf.evaluation import cosine_similarity, embedding_similarity


def test_angles():
    x = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [3.0, 4.0], [0.0, 0.0]])
    y = np.array([[9.0, 0.0], [0.0, 2.0], [1.0, 0.0], [-6.0, -8.0], [1.0, 0.0]])
    np.testing.assert_allclose(cosine_similarity(x, y), [1, 0, 0.5**0.5, -1, 0], atol=1e-15)


def test_agrees_with_scipy():
    x, y = np.random.default_rng(0).normal(size=(2, 6, 40))
    expected = [1.0 - scipy.spatial.distance.cosine(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(cosine_similarity(x, y), expected, rtol=1e-9)


def test_embeddings_before_and_after():
    images = np.zeros((2, 4, 4, 3), np.float32)
    images[0, ..., 0], images[1, ..., 1] = 0.5, 0.5
    edited = images.copy()
    edited[1, ..., 2] = 0.5

    def mean_colour(pictures):
        return pictures.mean(axis=(1, 2))

    mean, deviation = embedding_similarity(mean_colour, images, edited)
    assert mean == pytest.approx((1 + 0.5**0.5) / 2)
    assert deviation == pytest.approx((1 - 0.5**0.5) / 2)
    with pytest.raises(ValueError, match="Received: 2 before and 1 after"):
        embedding_similarity(mean_colour, images, edited[:1])
