"""Kernel distance of two sets of features (Bińkowski et al., 2018; KID in tables 1, 6 and 7)."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mbu_tf.evaluation.features import checked_features
from mbu_tf.types import Array

# Of the kernel that the paper states below table 1.
PAPER_GAMMA = 0.01


def kernel_distance(
    features_x: Array,
    features_y: Array,
    gamma: float | None = None,
    coef: float = 1.0,
    degree: int = 3,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Squared maximum mean discrepancy, unbiased, over random subsets.

    The kernel is (gamma xᵀy + coef)^degree. Papers often print it times 100 or 1000.

    Args:
        features_x, features_y: `(count, d)`.
        gamma: `None` for 1 / d, the usual one; table 1 has 0.01 (`PAPER_GAMMA`).
        coef, degree: of the kernel.
        subsets: how many pairs of subsets are drawn, each without replacement.
        subset_size: images of each subset, at least 2 and at most as many as there are.
        seed: integer seed of the subsets.

    Returns:
        `(mean, deviation)` over the subsets, floats; the mean may be negative.

    Raises:
        ValueError: on a wrong shape, values that are not finite, or a number of subsets
            or images outside its range.
    """
    x, y = checked_features(features_x, features_y)
    most = min(len(x), len(y))
    if subsets < 1 or not 2 <= subset_size <= most:
        raise ValueError(
            f"`subsets` must be at least 1 and `subset_size` from 2 to {most}, the smaller number "
            f"of images. Received: subsets={subsets!r}, subset_size={subset_size!r}"
        )
    random = np.random.default_rng(seed)
    gamma = 1.0 / x.shape[1] if gamma is None else gamma

    def kernel(products):
        return (gamma * products + coef) ** degree

    def drawn(count):
        """1 for the images of each subset, 0 for the others: `(subsets, count)`."""
        order = random.permuted(np.tile(np.arange(count), (subsets, 1)), axis=1)
        return (order < subset_size).astype(np.float64)

    in_x, in_y = drawn(len(x)), drawn(len(y))
    within = sum(
        _sums(each, each, chosen, chosen, kernel) - chosen @ kernel(np.square(each).sum(axis=1))
        for each, chosen in ((x, in_x), (y, in_y))
    )
    between = _sums(x, y, in_x, in_y, kernel)
    distances = within / (subset_size * (subset_size - 1)) - 2.0 * between / subset_size**2
    return float(distances.mean()), float(distances.std())


def _sums(x, y, in_x, in_y, kernel):
    """The kernel summed over the pairs of each subset, `(subsets,)`.

    Every product is taken once for all subsets, a thousand rows at a time.
    """
    sums = np.zeros(len(in_x))
    for start in range(0, len(x), 1000):
        rows = slice(start, start + 1000)
        sums += (in_x[:, rows] @ kernel(x[rows] @ y.T) * in_y).sum(axis=1)
    return sums


def mean_discrepancy(x, y, gamma=None, coef=1.0, degree=3):
    """Squared maximum mean discrepancy, unbiased (Gretton et al., 2012, equation 3).

    Args:
        x, y: features `(n, d)` and `(m, d)` of one float dtype, arrays or tensors.
        gamma, coef, degree: as in `kernel_distance`.

    Returns:
        A scalar tensor of that dtype.
    """
    gamma = 1.0 / x.shape[1] if gamma is None else gamma

    def kernel(products):
        return (gamma * products + coef) ** degree

    def within(a):
        every = ops.sum(kernel(ops.matmul(a, ops.transpose(a))))
        itself = ops.sum(kernel(ops.sum(ops.square(a), axis=1)))
        count = ops.cast(ops.shape(a)[0], a.dtype)
        return (every - itself) / (count * (count - 1.0))

    between = ops.mean(kernel(ops.matmul(x, ops.transpose(y))))
    return within(x) + within(y) - 2.0 * between


class KernelInceptionDistance(keras.metrics.Metric):
    """Kernel distance of real and generated images that come in batches.

    Every batch is a subset: the result is the mean of the batches' unbiased
    distances, and `deviation()` how they spread. Shuffle the images, and take
    batches of one size, as large as memory allows.

    Args:
        extractor: `FeatureExtractor` such as `InceptionFeatures()`.
        gamma, coef, degree: as in `kernel_distance`.
        name: name of the metric.
    """

    def __init__(
        self,
        extractor: Any,
        gamma: float | None = None,
        coef: float = 1.0,
        degree: int = 3,
        name: str = "kernel_inception_distance",
    ) -> None:
        super().__init__(dtype="float64", name=name)
        self.extractor = extractor
        self._kernel = {"gamma": gamma, "coef": coef, "degree": degree}
        self._batches, self._mean, self._scatter = (
            self.add_variable((), "zeros", dtype="float64", name=part)
            for part in ("batches", "mean", "scatter")
        )

    def update_state(self, real, generated, sample_weight=None):
        """Adds real and generated images, each float `(batch, height, width, 3)` in [-1, 1].

        Weights, which Keras passes, do not count.

        Each batch must hold at least two.
        """
        features = (
            self.extractor.compute(ops.convert_to_tensor(images, "float32"))
            for images in (real, generated)
        )
        step = mean_discrepancy(*features, **self._kernel) - self._mean
        self._batches.assign(self._batches + 1.0)
        # Welford's recurrence: deviations are summed about the running mean.
        before = 1.0 - 1.0 / self._batches
        self._mean.assign(self._mean + step / self._batches)
        self._scatter.assign(self._scatter + before * ops.square(step))

    def result(self):
        """Mean over the batches so far; 0 before the first."""
        return ops.convert_to_tensor(self._mean)

    def deviation(self):
        """Deviation over the batches so far, a float."""
        return float(ops.sqrt(self._scatter / ops.maximum(self._batches, 1.0)))
