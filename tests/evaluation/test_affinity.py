"""AffinityNet's equations against the same written out pair by pair in NumPy."""

import numpy as np
import pytest
from keras import ops

from mbu_tf.evaluation import affinity

SIDE = 7


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(0, 0.2, (2, SIDE, SIDE, 3)).astype("float32")


@pytest.fixture
def regions():
    return np.random.default_rng(1).integers(-1, 2, (2, SIDE, SIDE)).astype("int32")


def near(i, j, radius):
    """Whether the coordinates i and j are a pair of P (equation 4)."""
    return i != j and (i[0] - j[0]) ** 2 + (i[1] - j[1]) ** 2 < radius**2


def coordinates(side=SIDE):
    return [(row, column) for row in range(side) for column in range(side)]


def affinity_of(features, i, j):
    """W_ij (equation 3)."""
    return np.exp(-np.abs(features[i] - features[j]).sum())


@pytest.mark.parametrize("radius", [1, 2, 3, 5, 20])
def test_neighbours_are_the_pairs_within_the_radius_each_once(radius):
    grid = np.arange(SIDE**2).reshape(SIDE, SIDE)
    found = []
    for first, second in affinity.neighbours(SIDE, radius):
        found += zip(grid[first].ravel(), grid[second].ravel(), strict=True)
    every = coordinates()
    expected = {
        (m, n)
        for m, i in enumerate(every)
        for n, j in enumerate(every)
        if m < n and near(i, j, radius)
    }
    assert len(found) == len(set(found)) and set(found) == expected


def test_confident_regions():
    cam = np.linspace(0, 1, 1001)
    found = affinity.confident_regions(cam)
    for value, region in zip(cam, found, strict=True):
        if value > (1 - value) ** 4:
            assert region == affinity.FOREGROUND
        elif value < (1 - value) ** 24:
            assert region == affinity.BACKGROUND
        else:
            assert region == affinity.NEUTRAL
    assert set(found) == {1, 0, -1}


def test_background_map():
    np.testing.assert_allclose(affinity.background_map(np.array([0, 0.5, 1]), 3), [1, 0.125, 0])


def expected_loss(features, regions, radius):
    """Equations 5 to 9."""
    log_of = {"foreground": [], "background": [], "apart": []}
    every = coordinates()
    for image, region in zip(features, regions, strict=True):
        for m, i in enumerate(every):
            for j in every[m + 1 :]:
                if not near(i, j, radius) or min(region[i], region[j]) < 0:
                    continue
                w = affinity_of(image.astype("float64"), i, j)
                if region[i] != region[j]:
                    log_of["apart"].append(np.log(1 - w + 1e-5))
                else:
                    log_of["foreground" if region[i] else "background"].append(np.log(w))
    means = {name: -np.mean(x) if x else 0.0 for name, x in log_of.items()}
    return means["foreground"] + means["background"] + 2 * means["apart"]


@pytest.mark.parametrize("radius", [2, 5])
def test_the_loss(features, regions, radius):
    found = affinity.affinity_loss(regions, features, affinity.neighbours(SIDE, radius))
    assert float(found) == pytest.approx(expected_loss(features, regions, radius), rel=1e-5)


@pytest.mark.parametrize("kept", [1, 0, -1])
def test_kinds_of_pairs_that_a_batch_lacks_count_as_nothing(features, regions, kept):
    alone = np.where(regions == kept, kept, -1)
    found = affinity.affinity_loss(alone, features, affinity.neighbours(SIDE))
    assert float(found) == pytest.approx(expected_loss(features, alone, 5), rel=1e-5)


def expected_transition(features, radius, beta):
    """Equation 10."""
    every = coordinates(len(features))
    w = np.array(
        [
            [
                1.0 if i == j else affinity_of(features, i, j) if near(i, j, radius) else 0.0
                for j in every
            ]
            for i in every
        ]
    )
    d = np.diag((w**beta).sum(axis=1))
    return np.linalg.inv(d) @ w**beta


@pytest.mark.parametrize(("radius", "beta"), [(2, 1), (5, 8)])
def test_the_transition_matrix(features, radius, beta):
    found = affinity.transition_matrix(features, affinity.neighbours(SIDE, radius), beta)
    expected = [expected_transition(x.astype("float64"), radius, beta) for x in features]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_random_walk(features):
    pairs = affinity.neighbours(SIDE)
    matrix = affinity.transition_matrix(features, pairs)
    maps = np.random.default_rng(2).random((2, SIDE, SIDE, 2), np.float32)
    found = ops.convert_to_numpy(affinity.random_walk(matrix, maps, steps=20))
    for image, seeds, walked in zip(features, maps, found, strict=True):
        power = np.linalg.matrix_power(expected_transition(image.astype("float64"), 5, 8), 20)
        for c in range(2):
            np.testing.assert_allclose(walked[..., c].ravel(), power @ seeds[..., c].ravel(), 1e-4)


def test_a_walk_stays_within_what_is_alike():
    features = np.zeros((1, SIDE, SIDE, 1), np.float32)
    features[:, :, 3:] = 50.0
    seeds = np.zeros((1, SIDE, SIDE, 1), np.float32)
    seeds[0, 2, 1] = 1.0
    matrix = affinity.transition_matrix(features, affinity.neighbours(SIDE))
    walked = ops.convert_to_numpy(affinity.random_walk(matrix, seeds))[0, ..., 0]
    assert not walked[:, 3:].any()
    # It has spread over all of the half that the seed is in, and lies there evenly.
    np.testing.assert_allclose(walked[:, :3], walked[:, :3].mean(), rtol=1e-3)
