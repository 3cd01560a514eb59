"""Fréchet distance of two sets of features (Heusel et al., 2017; FID in tables 1 and 6)."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mbu_tf.evaluation.features import checked_features
from mbu_tf.types import Array


def frechet_distance(features_x: Array, features_y: Array) -> float:
    """Squared Fréchet distance of the Gaussians with the features' means and covariances.

    |m_x - m_y|² + tr(S_x + S_y - 2 (S_x S_y)^½), the covariances S of n - 1 degrees of
    freedom. No covariance is formed: with S = RᵀR, the trace of (S_x S_y)^½ is the sum of
    the singular values of R_x R_yᵀ, which stays exact where there are fewer images than
    features.

    Args:
        features_x, features_y: `(count, d)`, each of at least two images.

    Returns:
        A float, at least 0. It falls as the number of images rises: compare only
        distances of equal counts.

    Raises:
        ValueError: on a wrong shape, or values that are not finite.
    """
    x, y = checked_features(features_x, features_y)
    return _distance(*_moments(x), *_moments(y))


def _moments(features):
    """Mean, and R with RᵀR the covariance."""
    mean = features.mean(axis=0)
    root = (features - mean) / np.sqrt(len(features) - 1)
    if len(root) > root.shape[1]:
        root = np.linalg.qr(root, mode="r")
    return mean, root


def _distance(mean_x, root_x, mean_y, root_y):
    crossed = np.linalg.svd(root_x @ root_y.T, compute_uv=False).sum()
    spread = np.square(root_x).sum() + np.square(root_y).sum() - 2.0 * crossed
    return max(0.0, float(np.square(mean_x - mean_y).sum() + spread))


class FrechetInceptionDistance(keras.metrics.Metric):
    """`frechet_distance` of real and generated images that come in batches.

    Holds counts, means and scatter matrices in float64, not the images. Its
    result is computed in NumPy: call it eagerly, in a loop over batches, or
    compile a model that it belongs to with `run_eagerly=True`.

    Args:
        extractor: `FeatureExtractor` such as `InceptionFeatures()`.
        name: name of the metric.
    """

    def __init__(self, extractor: Any, name: str = "frechet_inception_distance") -> None:
        super().__init__(dtype="float64", name=name)
        self.extractor = extractor
        d = extractor.dimension
        self._real, self._generated = (
            [
                self.add_variable(shape, "zeros", dtype="float64", name=f"{domain}_{part}")
                for part, shape in (("count", ()), ("mean", (d,)), ("scatter", (d, d)))
            ]
            for domain in ("real", "generated")
        )

    def update_state(self, real, generated, sample_weight=None):
        """Adds real and generated images, each float `(batch, height, width, 3)` in [-1, 1].

        Weights, which Keras passes, do not count.
        """
        for state, images in ((self._real, real), (self._generated, generated)):
            _add(state, self.extractor.compute(ops.convert_to_tensor(images, "float32")))

    def result(self):
        """The distance so far; raises ValueError before two images of each kind."""
        (n, *x), (m, *y) = (
            [ops.convert_to_numpy(part) for part in state]
            for state in (self._real, self._generated)
        )
        if min(n, m) < 2:
            raise ValueError(
                "The Fréchet distance needs at least two real and two generated images. "
                f"Received: {int(n)} and {int(m)}"
            )
        distance = _distance(x[0], _root(x[1] / (n - 1)), y[0], _root(y[1] / (m - 1)))
        return ops.convert_to_tensor(distance, "float64")


def _add(state, features):
    """Adds a batch to count, mean and scatter (Chan et al., 1979: nothing cancels)."""
    count, mean, scatter = state
    added = ops.cast(ops.shape(features)[0], "float64")
    total = count + added
    batch_mean = ops.mean(features, axis=0)
    step = batch_mean - mean
    centred = features - batch_mean
    between = ops.outer(step, step) * (count * added / total)
    scatter.assign(scatter + ops.matmul(ops.transpose(centred), centred) + between)
    mean.assign(mean + step * (added / total))
    count.assign(total)


def _root(covariance):
    """R with RᵀR = `covariance`, symmetric; what rounding made negative counts as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
