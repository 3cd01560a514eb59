"""Intersection over union of masks (table 5), by threshold (figure 37)."""

import numpy as np
import numpy.typing as npt

from mbu_tf.types import Array

THRESHOLDS = np.linspace(0.05, 0.95, 19)


def mask_iou(predicted: Array, true: Array) -> npt.NDArray[np.float64]:
    """Intersection over union of each pair of masks; 1 where both are empty.

    Args:
        predicted, true: boolean `(count, height, width, 1)`.

    Returns:
        float64 `(count,)`.
    """
    axes = (1, 2, 3)
    intersection = np.logical_and(predicted, true).sum(axis=axes)
    union = np.logical_or(predicted, true).sum(axis=axes)
    return np.where(union > 0, intersection / np.maximum(union, 1), 1.0)


def iou_by_threshold(soft: Array, true: Array) -> npt.NDArray[np.float64]:
    """Mean intersection over union at each of 19 thresholds, 0.05 to 0.95 (figure 37).

    Args:
        soft: masks `(count, height, width, 1)` in [0, 1].
        true: boolean masks of the same shape.

    Returns:
        float64 `(19,)`.

    Raises:
        ValueError: if the shapes differ or `true` is not boolean.
    """
    return _by_threshold(*_compared(soft, true)).mean(axis=1)


def segmentation_iou(soft: Array, true: Array, threshold: float) -> dict[str, float]:
    """How well soft masks outline the truth, at a given threshold and at the best one.

    Args:
        soft: masks `(count, height, width, 1)` in [0, 1].
        true: boolean masks of the same shape.
        threshold: a pixel counts as found from this value on.

    Returns:
        Dict of floats: `iou` and `iou_std`, mean and deviation over the images at
        `threshold`; `iou_best`, `iou_best_std` and `best_threshold`, the same where
        the mean is highest of 19 thresholds, which only the truth can tell.

    Raises:
        ValueError: if the shapes differ or `true` is not boolean.
    """
    soft, true = _compared(soft, true)
    given = mask_iou(soft >= threshold, true)
    by_threshold = _by_threshold(soft, true)
    best = np.argmax(by_threshold.mean(axis=1))
    return {
        "iou": float(given.mean()),
        "iou_std": float(given.std()),
        "iou_best": float(by_threshold[best].mean()),
        "iou_best_std": float(by_threshold[best].std()),
        "best_threshold": float(THRESHOLDS[best]),
    }


def _by_threshold(soft, true):
    """Of each image at each threshold, `(19, count)`."""
    return np.stack([mask_iou(soft >= t, true) for t in THRESHOLDS])


def _compared(soft, true):
    """Both as arrays, if they can be compared."""
    soft, true = np.asarray(soft), np.asarray(true)
    if soft.shape != true.shape or soft.ndim != 4 or true.dtype != bool:
        raise ValueError(
            "Soft masks and boolean true masks (count, height, width, 1) of one shape are "
            f"compared. Received: {soft.dtype} {soft.shape} and {true.dtype} {true.shape}"
        )
    return soft, true
