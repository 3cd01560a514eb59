import keras
import numpy as np
import pytest

from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range
from mbu_tf.evaluation.attribute_classifier import attribute_classifier, share_in_b
from mbu_tf.evaluation.variation import figures_table, model_figures, model_tiles, pair_tiles
from mbu_tf.models.inference import Edit


@pytest.fixture(scope="module")
def domains():
    pixels = np.random.default_rng(1).integers(0, 256, (2, 4, 32, 32, 3), np.uint8)
    return TwoDomains(ImageArray(pixels[0]), ImageArray(pixels[1][:2]), 32)


def test_figures_of_masks(tiny_model, domains):
    a, b = (to_model_range(x.take([0, 1])) for x in (domains.a, domains.b))
    masks, own = tiny_model.transfer(a, b).mask, tiny_model.segment(b)
    figures = model_figures(tiny_model, domains)
    assert figures == {
        "transfer_mask": pytest.approx(np.mean(masks)),
        "segmented": pytest.approx(np.mean(own >= tiny_model.mask_threshold)),
    }
    assert 0.01 < figures["segmented"] < 0.99


class Copier:
    """Transfers by giving the target back, or the reference."""

    def __init__(self, give):
        self.give = give

    def transfer(self, a, b):
        return Edit({"a": a, "b": b}[self.give], np.zeros((len(a), 32, 32, 1), np.float32))

    def segment(self, image, threshold):
        return np.zeros((len(image), 32, 32, 1), np.float32)


def test_what_a_classifier_says(domains):
    keras.utils.set_random_seed(0)
    classifier = attribute_classifier(32)
    pixels = np.random.default_rng(2).integers(0, 256, (2, 6, 32, 32, 3), np.uint8)
    pixels[1, :, 8:24] = 255
    given = TwoDomains(*map(ImageArray, pixels), 32)
    images = {name: to_model_range(getattr(given, name).take(range(6))) for name in "ab"}
    # The logit's bias puts every image of A below 0 and of B above, or the reverse.
    logits = [classifier.predict(x, verbose=0).mean() for x in images.values()]
    kernel, bias = classifier.get_layer("logit").get_weights()
    sign = np.sign(logits[1] - logits[0])
    classifier.get_layer("logit").set_weights([sign * kernel, bias - sign * np.mean(logits)])
    a, b = (model_figures(Copier(x), given, classifier) for x in "ab")
    assert a["seen_as_b"] == share_in_b(classifier, images["a"]) < 0.5
    assert b["seen_as_b"] == share_in_b(classifier, images["b"]) > 0.5
    assert a["similarity"] == pytest.approx(1.0) and b["similarity"] < 0.999
    # All six are every subset; the unbiased distance of a set to itself is not above 0.
    assert b["kid"] <= 0.0 < a["kid"] and a["kid_std"] == pytest.approx(0.0, abs=1e-9)


def test_pictures_are_in_one_order(tiny_model, domains):
    pairs, column = pair_tiles(domains), model_tiles(tiny_model, domains)
    assert len(pairs) == len(column) == 4 * 2
    for i in range(2):
        a, b = domains.a.take([i])[0], domains.b.take([i])[0]
        np.testing.assert_array_equal(pairs[4 * i], a)
        np.testing.assert_array_equal(pairs[4 * i + 1], b)
        image, mask, _, removed = column[4 * i : 4 * i + 4]
        np.testing.assert_array_equal(image[mask[..., 0] == 0], a[mask[..., 0] == 0])
        same = (removed == b).all(axis=-1).mean()
        assert 0.0 < same < 1.0


def test_the_table_has_the_columns_that_any_row_has():
    figures = {
        "full": {"kid": 0.0123, "transfer_mask": 0.0625, "segment_iou": 0.6, "unknown": 3.0},
        "half": {"kid": None, "transfer_mask": 0.5},
    }
    assert figures_table(figures) == (
        "|  | KID × 100 | mask | IoU |\n| --- | --- | --- | --- |\n"
        "| full | 1.23 | 6.2% | 0.600 |\n| half |  | 50.0% |  |\n"
    )
