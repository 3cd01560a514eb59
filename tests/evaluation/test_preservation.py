"""Preservation worked by hand."""

import numpy as np
import pytest

from mbu_tf.evaluation import preservation


def pictures():
    images = np.zeros((2, 4, 4, 3), np.float32)
    edited, mask = images.copy(), np.zeros((2, 4, 4, 1), np.float32)
    mask[0, 0], mask[1, :2] = 0.5, 1.0
    edited[0, 0], edited[1, 1] = 0.25, -1.0
    edited[1, 0, 0, 2] = 0.001  # Nothing in 8 bits.
    return images, edited, mask


def test_an_edit_that_keeps_to_its_mask():
    figures = preservation(*pictures())
    assert figures == pytest.approx(
        {
            "unchanged": 0.75,
            "unchanged_std": 0.0,
            "mask_coverage": (0.125 + 0.5) / 2,
            "mask_coverage_std": (0.5 - 0.125) / 2,
            "change_outside": 0.0,
            "untouched": (12 + 8) / 32,
        }
    )
    assert all(type(value) is float for value in figures.values())


def test_the_least_change_outside_is_found():
    images, edited, mask = pictures()
    edited[0, 3, 3, 1] = -1e-7
    assert preservation(images, edited, mask)["change_outside"] == pytest.approx(1e-7)


def test_masks_everywhere_and_no_masks():
    images, edited, mask = pictures()
    figures = preservation(images, edited, np.ones_like(mask))
    assert figures["change_outside"] == figures["untouched"] == 0.0
    assert preservation(images, edited) == {"unchanged": 0.75, "unchanged_std": 0.0}


def test_shapes_that_do_not_fit_are_refused():
    images, edited, mask = pictures()
    with pytest.raises(ValueError, match="Received: shapes .* and"):
        preservation(images, edited, mask[..., 0])
    with pytest.raises(ValueError, match="must fit each other"):
        preservation(images, edited[:1])
