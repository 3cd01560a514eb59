"""IoU worked by hand."""

import numpy as np
import pytest

from mbu_tf.evaluation import iou_by_threshold, mask_iou, segmentation_iou


def test_mask_iou():
    predicted, true = np.zeros((2, 5, 4, 4, 1), bool)
    predicted[0, :2], true[0, 1:] = True, True  # 4 of 16 pixels in both, all in either.
    predicted[1, 0, 0] = true[1, 0, 0] = True  # The same.
    predicted[2, 0, 0], true[2, 3, 3] = True, True  # Apart.
    true[3, 0] = True  # Missed.
    # Number 4: empty, and rightly so.
    iou = mask_iou(predicted, true)
    np.testing.assert_allclose(iou, [0.25, 1, 0, 0, 1], rtol=1e-12)
    assert iou.dtype == np.float64


def test_at_a_given_threshold_and_at_the_best():
    true = np.zeros((2, 4, 4, 1), bool)
    true[0, 0], true[1, :2] = True, True
    soft = np.where(true, np.float32(0.62), np.float32(0.32))
    soft[1, 3] = 0.62
    figures = segmentation_iou(soft, true, 0.2)  # It takes everything.
    assert figures == pytest.approx(
        {
            "iou": (4 / 16 + 8 / 16) / 2,
            "iou_std": 2 / 16,
            "iou_best": (1 + 8 / 12) / 2,
            "iou_best_std": 1 / 6,
            "best_threshold": 0.35,
        }
    )
    assert all(type(value) is float for value in figures.values())  # JSON takes them.


def test_at_every_threshold():
    """Of a ramp from 0 to 1 whose upper half is the content."""
    soft = np.linspace(0, 1, 41).reshape(1, 1, 41, 1)  # Steps of 1/40 between thresholds of 2/40.
    soft = np.concatenate([soft, np.ones_like(soft)])
    true = np.concatenate([soft[:1] > 0.5, soft[1:] > 0.5])  # The second is found at any of them.
    found = iou_by_threshold(soft + 1e-9, true)
    counts = np.array([41 - 2 * i for i in range(1, 20)])  # Pixels of the first that are taken.
    expected = np.minimum(counts, 20) / np.maximum(counts, 20)
    np.testing.assert_allclose(found, (expected + 1) / 2, rtol=1e-12)
    assert (
        found.dtype == np.float64 and found.max() == segmentation_iou(soft, true, 0.5)["iou_best"]
    )


def test_masks_that_do_not_fit_are_refused():
    soft = np.zeros((2, 4, 4, 1))
    with pytest.raises(ValueError, match="Received: float64 .* and float64"):
        segmentation_iou(soft, soft, 0.5)
    with pytest.raises(ValueError, match="of one shape"):
        segmentation_iou(soft, np.zeros((2, 4, 4), bool), 0.5)
    with pytest.raises(ValueError, match="of one shape"):
        iou_by_threshold(soft, np.zeros((2, 4, 4), bool))
