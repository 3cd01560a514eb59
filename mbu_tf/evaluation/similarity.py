"""Similarity of images before and after an edit (tables 3, 6 and 7)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mbu_tf.types import Array


def cosine_similarity(x: Array, y: Array) -> npt.NDArray[np.float64]:
    """Cosine of the angle between each pair of embeddings.

    Args:
        x, y: `(count, d)`.

    Returns:
        float64 `(count,)` in [-1, 1]; 0 where an embedding is all zeros.
    """
    x, y = (np.asarray(each, np.float64) for each in (x, y))
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return (x * y).sum(axis=1) / np.where(lengths > 0.0, lengths, 1.0)


def embedding_similarity(embed: Any, images: Array, edited: Array) -> tuple[float, float]:
    """Cosine similarity of the embeddings of images before and after an edit.

    Args:
        embed: function from images to embeddings `(count, d)`: `FaceEmbedding()` for
            identity as in table 3, or any `FeatureExtractor` for what its network
            sees; one with `average=False` compares maps place by place, a
            perceptual similarity as in table 6.
        images, edited: float `(count, height, width, 3)` in [-1, 1], in one order.

    Returns:
        `(mean, deviation)` over the images, floats.

    Raises:
        ValueError: if there are not as many of one as of the other.
    """
    if len(images) != len(edited):
        raise ValueError(
            "Each image before needs one after. "
            f"Received: {len(images)} before and {len(edited)} after"
        )
    similarity = cosine_similarity(embed(images), embed(edited))
    return float(similarity.mean()), float(similarity.std())
