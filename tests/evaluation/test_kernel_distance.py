"""The kernel distance against the sums that define it."""

import itertools

import keras
import numpy as np
import pytest

from mbu_tf.evaluation import FeatureExtractor, KernelInceptionDistance, kernel_distance

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(9, 5)), 0.5 + RANDOM.normal(size=(9, 5))


def by_hand(x, y, gamma, coef=1.0, degree=3):
    """Every pair once, none with itself."""

    def mean(pairs):
        return np.mean([(gamma * np.dot(a, b) + coef) ** degree for a, b in pairs])

    within = sum(mean(itertools.permutations(each, 2)) for each in (x, y))
    return within - 2.0 * mean(itertools.product(x, y))


@pytest.mark.parametrize(
    "arguments",
    [{}, {"gamma": 0.01}, {"gamma": 0.3, "coef": 2.0, "degree": 2}],
)
def test_one_subset_of_all(arguments):
    mean, deviation = kernel_distance(X, Y, subsets=3, subset_size=9, **arguments)
    assert mean == pytest.approx(by_hand(X, Y, **{"gamma": 1 / 5, **arguments}), rel=1e-9)
    assert deviation == pytest.approx(0.0, abs=1e-12)


def test_two_points_each():
    # k(x, x') = (0 + 1)^3 and (2 + 1)^3, between them (0 + 1)^3 and (1 + 1)^3.
    x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 2.0], [0.0, 1.0]])
    between = np.mean([1, 1, 3**3, 2**3])
    found, _ = kernel_distance(x, y, gamma=1.0, subsets=1, subset_size=2)
    assert found == pytest.approx(1 + 3**3 - 2 * between, rel=1e-12)


def test_subsets_are_seeded_and_average_to_the_whole():
    few = {"subsets": 2, "subset_size": 4}
    assert kernel_distance(X, Y, seed=1, **few) == kernel_distance(X, Y, seed=1, **few)
    assert kernel_distance(X, Y, seed=1, **few) != kernel_distance(X, Y, seed=2, **few)
    mean, deviation = kernel_distance(X, Y, subsets=60, subset_size=4)
    whole, _ = kernel_distance(X, Y, subsets=1, subset_size=9)
    assert abs(mean - whole) < 3.0 * deviation / np.sqrt(60)


@pytest.mark.parametrize("options", [{"subset_size": 10}, {"subset_size": 1}, {"subsets": 0}])
def test_impossible_subsets_are_refused(options):
    with pytest.raises(ValueError, match="from 2 to 9, .*Received: subsets="):
        kernel_distance(X, Y, **{"subset_size": 5, **options})


def test_metric_averages_its_batches():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(5)]
    )
    extractor = FeatureExtractor(network, 8)
    images = np.random.default_rng(0).uniform(-1, 1, (12, 8, 8, 3)).astype(np.float32)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Rescaling(0.5)])
    metric = KernelInceptionDistance(extractor, gamma=0.01, name="kid")
    model.compile(loss="mae", metrics=[metric])
    found = model.evaluate(images, images, batch_size=4, verbose=0, return_dict=True)
    x, y = extractor(images), extractor(images / 2)
    distances = [by_hand(x[i : i + 4], y[i : i + 4], 0.01) for i in (0, 4, 8)]
    assert found["kid"] == pytest.approx(np.mean(distances), rel=1e-5)
    assert metric.deviation() == pytest.approx(np.std(distances), rel=1e-5)
    metric.reset_state()
    assert float(metric.result()) == metric.deviation() == 0.0
