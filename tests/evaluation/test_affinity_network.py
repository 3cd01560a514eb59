"""AffinityNet as a whole: its network, training, maps, and what is kept."""

import keras
import numpy as np
import pytest

from mbu_tf.evaluation import affinity_maps, class_activation_maps, train_affinity_network
from mbu_tf.evaluation import affinity_network as module
from mbu_tf.evaluation.attribute_classifier import attribute_classifier, backbone_levels
from mbu_tf.evaluation.parts import Parts


@pytest.fixture(scope="module")
def images():
    """Noise of little contrast with a bright square, `(12, 32, 32, 3)`."""
    x = np.random.default_rng(0).uniform(-0.1, 0.1, (12, 32, 32, 3)).astype("float32")
    x[:, 8:24, 8:24] += 0.8
    return x


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return attribute_classifier(32)


def squares_for_cams(monkeypatch):
    """Class activation of the square's middle, faint around it and none beyond the square."""
    cam = np.zeros((1, 32, 32, 1), np.float32)
    cam[:, 8:24, 8:24], cam[:, 12:20, 12:20] = 0.2, 1.0
    monkeypatch.setattr(module, "class_activation_maps", lambda _, x: np.repeat(cam, len(x), 0))


@pytest.mark.parametrize(
    ("size", "sides"), [(16, [8, 4]), (32, [16, 8]), (64, [32, 16, 8]), (128, [32, 16, 8])]
)
def test_levels_are_the_backbones_own(size, sides):
    keras.utils.set_random_seed(0)
    classifier = attribute_classifier(size)
    for weight in classifier.weights:  # Running statistics too.
        weight.assign(weight + 0.05)
    levels = backbone_levels(classifier)
    x = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3)).astype("float32")
    found = levels(x, training=False)
    assert [level.shape[1] for level in found] == sides
    pooled = keras.Model(classifier.input, classifier.get_layer("pooling").input)
    np.testing.assert_allclose(found[-1], pooled(x, training=False), atol=1e-5)
    # A copy: what is learned above it leaves the classifier as it is.
    levels.weights[0].assign(levels.weights[0] + 1.0)
    assert np.abs(levels(x)[-1] - pooled(x)).max() > 1e-3


def test_another_network_has_no_levels():
    with pytest.raises(ValueError, match=r"train_attribute_classifier.*Received: layers \['x'\]"):
        backbone_levels(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="x")]))


@pytest.mark.slow
def test_what_is_learned_fills_the_part(images, classifier, monkeypatch):
    squares_for_cams(monkeypatch)
    before = [np.asarray(x) for x in classifier.weights]
    network = train_affinity_network(classifier, images, steps=60, batch_size=4)
    losses = network.history.history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    for one, other in zip(before, classifier.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    maps = affinity_maps(classifier, network, images[:5], batch_size=2)
    assert maps.shape == (5, 32, 32, 1) and maps.dtype == np.float32
    assert maps.min() >= 0 and maps.max() <= 1
    truth = np.zeros((32, 32), bool)
    truth[8:24, 8:24] = True
    for found in maps[..., 0] >= module.AFFINITY_THRESHOLD:
        # The middle alone, which the classifier is sure of, has an IoU of 0.25.
        assert (found & truth).sum() / (found | truth).sum() > 0.6
    again = affinity_maps(classifier, network, images[:5], batch_size=5)
    np.testing.assert_allclose(maps, again, atol=1e-5)


def test_where_nothing_speaks_for_b_all_is_background(images, classifier, monkeypatch):
    monkeypatch.setattr(
        module, "class_activation_maps", lambda _, x: np.zeros((*x.shape[:3], 1), np.float32)
    )
    network = module.affinity_network(classifier)
    assert not affinity_maps(classifier, network, images[:1]).any()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_learns_the_same_and_a_kept_network_is_not_learned_again(
    images, classifier, tmp_path
):
    parts, asked = Parts(tmp_path), []

    def load():
        asked.append(1)
        return images

    first, second = (
        module.kept_affinity_network(parts, {"k": 1}, classifier, load, steps=2) for _ in "ab"
    )
    assert len(asked) == 1
    fresh = train_affinity_network(classifier, images, steps=2)
    for network in (second, fresh):
        for one, other in zip(first.weights, network.weights, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    cams = class_activation_maps(classifier, images)
    assert affinity_maps(classifier, second, images).shape == cams.shape
