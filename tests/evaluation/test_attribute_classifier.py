"""The classifier on squares that B shows and A does not, and where it finds them."""

import keras
import numpy as np
import pytest

from mbu_tf.data import ImageArray, TwoDomains, to_model_range
from mbu_tf.evaluation import (
    CAM_THRESHOLD,
    balanced_accuracy,
    class_activation_maps,
    mask_iou,
    share_in_b,
    train_attribute_classifier,
)
from mbu_tf.evaluation.attribute_classifier import kept_attribute_classifier
from mbu_tf.evaluation.parts import Parts


def squares(count, seed):
    """Dim noise of 32 x 32, and the same with a bright square somewhere, and where."""
    random = np.random.default_rng(seed)
    a = random.integers(0, 100, (count, 32, 32, 3)).astype(np.uint8)
    b, mask = a.copy(), np.zeros((count, 32, 32, 1), bool)
    for i, (row, column) in enumerate(random.integers(0, 20, (count, 2))):
        mask[i, row : row + 12, column : column + 12] = True
    return TwoDomains(ImageArray(a), ImageArray(np.where(mask, np.uint8(230), b)), 32), mask


@pytest.fixture(scope="module")
def trained():
    return train_attribute_classifier(squares(40, 0)[0], squares(10, 1)[0], steps=25, batch_size=8)


@pytest.mark.slow
def test_it_tells_the_domains_apart(trained, tmp_path):
    classifier, accuracy = trained
    assert accuracy >= 0.95
    unseen = squares(10, 1)[0]
    a, b = (to_model_range(images.take(range(10))) for images in (unseen.a, unseen.b))
    assert accuracy == balanced_accuracy(classifier, a, b)
    classifier.save(tmp_path / "classifier.keras")
    again = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(again.predict(b, verbose=0), classifier.predict(b, verbose=0))


@pytest.mark.slow
def test_it_is_trained_once_and_its_accuracy_survives_an_interruption(tmp_path):
    trained = []

    def domains():
        trained.append(True)
        return squares(40, 0)[0]

    def kept():
        unseen = squares(10, 1)[0]
        return kept_attribute_classifier(Parts(tmp_path), {"x": 1}, domains, unseen, steps=2)

    _, accuracy = kept()
    (tmp_path / "classifier_accuracy.json").unlink()  # As if stopped before it was written.
    assert kept()[1] == accuracy
    assert len(trained) == 1


def test_its_maps_find_the_squares(trained):
    domains, true = squares(10, 2)
    maps = class_activation_maps(trained[0], to_model_range(domains.b.take(range(10))))
    found = mask_iou(maps >= CAM_THRESHOLD, true).mean()
    everywhere = mask_iou(np.ones_like(true), true).mean()
    assert found > 2.0 * everywhere


def test_shares_and_accuracy_by_hand():
    images = keras.Input((2, 2, 3))
    brightness = keras.layers.GlobalAveragePooling2D()(images)
    logit = keras.layers.Dense(1, kernel_initializer="ones")(brightness)
    classifier = keras.Model(images, logit)
    batch = np.full((4, 2, 2, 3), -0.5, np.float32)
    batch[0] = 0.5
    assert share_in_b(classifier, batch) == 0.25
    # A: 3 of 4 right; B: 1 of 1.
    assert balanced_accuracy(classifier, batch, batch[:1]) == (0.75 + 1.0) / 2
    with pytest.raises(ValueError, match="uint8"):
        share_in_b(classifier, np.zeros((1, 2, 2, 3), np.uint8))
