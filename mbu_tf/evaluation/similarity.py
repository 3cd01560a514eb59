"""Similarity of images before and after an edit (tables 3, 6 and 7)."""

import numpy as np


def cosine_similarity(x, y):
    """Cosine of the angle between each pair of embeddings.

    Args:
        x, y: `(count, d)`.

    Returns:
        float64 `(count,)` in [-1, 1]; 0 where an embedding is all zeros.
    """
    x, y = (np.asarray(each, np.float64) for each in (x, y))
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return (x * y).sum(axis=1) / np.where(lengths > 0.0, lengths, 1.0)


def embedding_similarity(embed, images, edited):
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
