"""Filters against direct computations in NumPy."""

import numpy as np
import pytest

from mbu_tf.detail.filters import box_mean, enlarge, grow, pull_push, ramp, recede, shrink


@pytest.fixture
def pictures():
    return np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)


def around(picture, radius, reduce):
    """`reduce` over the part within `picture` of the square around each pixel."""
    side = len(picture)
    result = np.empty_like(picture)
    for y in range(side):
        for x in range(side):
            rows = slice(max(y - radius, 0), y + radius + 1)
            columns = slice(max(x - radius, 0), x + radius + 1)
            result[y, x] = reduce(picture[rows, columns], axis=(0, 1))
    return result


def test_ramp():
    got = np.asarray(ramp(np.float32([-1, 0.2, 0.35, 0.5, 9]), 0.2, 0.5))
    np.testing.assert_allclose(got, [0, 0, 0.5, 1, 1], atol=1e-6)


def test_shrinking_is_a_mean_by_area(pictures):
    wanted = pictures.reshape(2, 4, 4, 4, 4, 3).mean((2, 4))
    np.testing.assert_allclose(shrink(pictures, 4), wanted, atol=1e-6)
    assert shrink(pictures, 1) is pictures


def test_enlarging_is_chaikins_subdivision(pictures):
    def doubled(x):  # Along the first axis: 3/4 of a value and 1/4 of its neighbour.
        before, after = np.concatenate([x[:1], x[:-1]]), np.concatenate([x[1:], x[-1:]])
        return np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], 1).reshape(
            2 * len(x), *x.shape[1:]
        )

    wanted = pictures[0]
    for _ in range(2):
        wanted = doubled(doubled(wanted).swapaxes(0, 1)).swapaxes(0, 1)
    np.testing.assert_allclose(enlarge(pictures, 64)[0], wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("filtered", "reduce"), [(box_mean, np.mean), (grow, np.max), (recede, np.min)]
)
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_filters_of_a_square(pictures, filtered, reduce, radius):
    wanted = np.stack([around(x, radius, reduce) for x in pictures])
    np.testing.assert_allclose(filtered(pictures, radius), wanted, atol=1e-6)


def test_pull_push_keeps_what_is_known_and_goes_on_smoothly(pictures):
    everywhere = np.ones((2, 16, 16, 1), np.float32)
    np.testing.assert_allclose(pull_push(pictures, everywhere), pictures, atol=1e-6)

    known = everywhere.copy()
    known[:, 4:12, 3:9] = 0
    filled = np.asarray(pull_push(pictures, known))
    outside = np.broadcast_to(known > 0, pictures.shape)
    np.testing.assert_allclose(filled[outside], pictures[outside], atol=1e-6)
    hole = filled[~outside]
    assert pictures.min() < hole.min() and hole.max() < pictures.max()

    # A membrane over a constant is that constant, over a slope it follows.
    constant = np.asarray(pull_push(0.3 * everywhere, known))
    np.testing.assert_allclose(constant, 0.3, atol=1e-5)
    slope = np.broadcast_to(np.linspace(-1, 1, 16, dtype=np.float32)[:, None, None], (2, 16, 16, 1))
    error = np.abs(np.asarray(pull_push(slope, known)) - slope)
    assert error.max() < 0.35 and error.mean() < 0.03


def test_pull_push_of_nothing_known_is_zero(pictures):
    nothing = np.zeros((2, 16, 16, 1), np.float32)
    np.testing.assert_array_equal(pull_push(pictures, nothing), 0)
