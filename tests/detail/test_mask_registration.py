"""Motions that are known are found, and pictures are moved as they say."""

import numpy as np
import pytest

from mbu_tf.detail.registration import correlation, moved, register, solved

SIDE = 64


def spectacles(shift=(0, 0), growth=(1, 1), width=0.06):
    """A soft mask of two rings and a bridge, moved and grown about the middle, exactly."""
    axis = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    x = (axis[None] - shift[0]) / growth[0]
    y = (axis[:, None] - shift[1]) / growth[1]
    rings = [np.abs(np.hypot(x - c, y) - 0.3) for c in (-0.42, 0.42)]
    bridge = np.hypot(np.maximum(np.abs(x) - 0.12, 0), y)
    distance = np.minimum(np.minimum(*rings), bridge)
    return np.exp(-((distance / width) ** 2)).astype(np.float32)[None, ..., None]


@pytest.mark.parametrize(
    ("shift", "growth"),
    [
        ((0, 0), (1, 1)),
        ((2 / 32, -1.5 / 32), (1, 1)),
        ((0, 0), (1.1, 0.92)),
        ((-3 / 32, 2 / 32), (0.93, 1.06)),
    ],
)
def test_a_known_motion_is_found(shift, growth):
    motion, fit = register(spectacles(), spectacles(shift, growth))
    # Where the target shows x, the reference has (x - shift) / growth.
    wanted = [-shift[0] / growth[0], -shift[1] / growth[1], 1 / growth[0] - 1, 1 / growth[1] - 1]
    # In pixels: a growth moves the edge of the content, at half of the picture's side.
    error = np.abs(np.asarray(motion[0]) - wanted) * SIDE / 2 * [1, 1, 0.7, 0.3]
    assert error.max() <= 0.1
    assert float(fit[0]) > 0.99


def test_masks_of_other_values_are_found_as_well():
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 0.15, (2, 1, SIDE, SIDE, 1)).astype(np.float32)
    target = 0.6 * spectacles((2 / 32, 1 / 32)) + noise[0]
    motion, fit = register(0.8 * spectacles() + noise[1], target)
    np.testing.assert_allclose(np.asarray(motion[0, :2]) * 32, [-2, -1], atol=0.3)
    assert 0.6 < float(fit[0]) < 0.999


def test_what_does_not_fit_is_told():
    other = np.zeros_like(spectacles())
    other[:, 50:60, 20:40] = 1
    motion, fit = register(spectacles(), other)
    assert float(fit[0]) < 0.4
    assert np.abs(np.asarray(motion)).max() < 1
    empty = np.zeros_like(other)
    motion, fit = register(spectacles(), empty)
    assert np.isfinite(np.asarray(motion)).all() and float(fit[0]) == 0


def test_pictures_of_a_batch_do_not_see_each_other():
    sources = np.concatenate([spectacles(), spectacles(width=0.1)])
    targets = np.concatenate([spectacles((0.05, 0)), spectacles((0, -0.04), width=0.1)])
    together, _ = register(sources, targets)
    for i in range(2):
        alone, _ = register(sources[i : i + 1], targets[i : i + 1])
        np.testing.assert_allclose(together[i], alone[0], atol=1e-4)


def test_moved_is_bilinear_with_edges_continued():
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    motion = np.float32([[0.2, -0.3, 0.1, -0.2], [-0.6, 0.1, 0.3, 0.2]])
    got = np.asarray(moved(pictures, motion))
    axis = (np.arange(16) + 0.5) / 8 - 1
    for i, (right, down, wider, higher) in enumerate(motion):
        for row in range(0, 16, 3):
            for column in range(0, 16, 3):
                x = np.clip((axis[column] * (1 + wider) + right + 1) * 8 - 0.5, 0, 15)
                y = np.clip((axis[row] * (1 + higher) + down + 1) * 8 - 0.5, 0, 15)
                near = [
                    (1 - abs(x - c)) * (1 - abs(y - r)) * pictures[i, r, c]
                    for r in range(16)
                    for c in range(16)
                    if abs(x - c) < 1 and abs(y - r) < 1
                ]
                np.testing.assert_allclose(got[i, row, column], sum(near), atol=1e-5)
    still = np.zeros((2, 4), np.float32)
    np.testing.assert_allclose(moved(pictures, still), pictures, atol=1e-6)


def test_solved():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 4, 6))
    matrices = (roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(4)).astype(np.float32)
    vectors = rng.normal(size=(3, 4)).astype(np.float32)
    wanted = np.linalg.solve(matrices.astype(np.float64), vectors[..., None])[..., 0]
    np.testing.assert_allclose(solved(matrices, vectors), wanted, rtol=1e-3, atol=1e-4)


def test_correlation():
    mask = spectacles()
    assert float(correlation(mask, 0.3 * mask)[0]) == pytest.approx(1, abs=1e-5)
    assert float(correlation(mask, np.roll(mask, 32, 1))[0]) < 0.1
