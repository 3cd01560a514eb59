"""The Fréchet distance against closed forms and against SciPy's square root of a matrix."""

import keras
import numpy as np
import pytest
import scipy.linalg

from mbu_tf.evaluation import FeatureExtractor, FrechetInceptionDistance, frechet_distance


def by_scipy(x, y):
    """The formula as Heusel et al. state it."""
    means = x.mean(axis=0) - y.mean(axis=0)
    covariances = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return means @ means + np.trace(covariances[0] + covariances[1] - 2.0 * root.real)


def features(count, d, seed, scale=1.0, shift=0.0):
    random = np.random.default_rng(seed)
    return scale * random.normal(size=(count, d)) @ random.normal(size=(d, d)) + shift


@pytest.mark.parametrize("d", [1, 2, 17])
def test_agrees_with_the_square_root_of_the_product(d):
    x, y = features(60, d, 0).reshape(60, d), features(45, d, 1, 2.0, 0.5)
    expected = by_scipy(x, y) if d > 1 else None
    if d == 1:  # Two Gaussians on a line.
        expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_fewer_images_than_features():
    # Padded with zeros and turned, the covariances are singular, the distance the same.
    x, y = features(9, 4, 0), features(7, 4, 1, 2.0, 0.5)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(40, 40)))[0][:4]
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(by_scipy(x, y), rel=1e-9)


def test_far_means_do_not_spoil_it():
    x = features(50, 6, 0)
    assert frechet_distance(x + 1e4, x + 1e4) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(x + 1e4, x + 1e4 + 3.0) == pytest.approx(54.0, rel=1e-9)


def test_a_scaled_set():
    x = features(50, 6, 0)
    x -= x.mean(axis=0)
    trace = x.var(axis=0, ddof=1).sum()
    assert frechet_distance(x, 3.0 * x) == pytest.approx(4.0 * trace, rel=1e-9)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.ones((4, 3)), np.ones((4, 2)), r"Received: shapes \(4, 3\), \(4, 2\)"),
        (np.ones((1, 3)), np.ones((4, 3)), "at least two images"),
        (np.full((4, 3), np.nan), np.ones((4, 3)), "finite"),
    ],
)
def test_bad_features_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, y)


@pytest.fixture(scope="module")
def extractor():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(5)]
    )
    return FeatureExtractor(network, 8)


def test_metric_over_uneven_batches(extractor):
    random = np.random.default_rng(0)
    real, generated = random.uniform(-1, 1, (2, 21, 8, 8, 3)).astype(np.float32)
    generated = generated[:16] / 2
    metric = FrechetInceptionDistance(extractor)
    # Of the same batches: those of another size may differ in the last digits.
    batches = (real[:10], real[10:]), (generated[:3], generated[3:])
    expected = frechet_distance(*(np.concatenate([extractor(x) for x in of]) for of in batches))
    for _ in range(2):
        metric.update_state(real[:10], generated[:3])
        metric.update_state(real[10:], generated[3:])
        assert float(metric.result()) == pytest.approx(expected, rel=1e-9)
        metric.reset_state()
    with pytest.raises(ValueError, match="at least two real and two generated"):
        metric.result()


def test_metric_of_a_compiled_model(extractor):
    images = np.random.default_rng(0).uniform(-1, 1, (12, 8, 8, 3)).astype(np.float32)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Rescaling(0.5)])
    metric = FrechetInceptionDistance(extractor, name="fid")
    model.compile(loss="mae", metrics=[metric], run_eagerly=True)
    found = model.evaluate(images, images, batch_size=5, verbose=0, return_dict=True)
    expected = frechet_distance(extractor(images), extractor(images / 2))
    assert found["fid"] == pytest.approx(expected, rel=1e-6)
