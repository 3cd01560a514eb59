"""Worked by hand: three black faces of 8 x 8 with boxes of plain grey for content."""

import dataclasses

import numpy as np
import pytest

from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range
from mbu_tf.evaluation.ground_truth import (
    evaluate_against_truth,
    evaluate_removal,
    masked_error,
)
from mbu_tf.models.inference import Edit

# Content i covers 2 x (i + 1) pixels and differs from black by 0.4, 2.0 and 0.8.
AREAS, GREYS, DIFFERENCES = (2, 4, 6), (51, 255, 102), (0.4, 2.0, 0.8)
UNEDITED = (2 * 0.4 + 4 * 2.0 + 6 * 0.8) / 12

BLACK = np.zeros((3, 8, 8, 3), np.uint8)
MASKS = np.zeros((3, 8, 8, 1), np.uint8)
for i in range(3):
    MASKS[i, 5:7, : i + 1] = 255
WORN = np.where(MASKS > 0, np.uint8(GREYS).reshape(3, 1, 1, 1), BLACK)


def domains():
    return TwoDomains(
        a=ImageArray(BLACK),
        # Without a partner in A, the fourth does not count.
        b=ImageArray(np.concatenate([WORN, BLACK[:1] + 77])),
        image_size=8,
        b_mask=ImageArray(np.concatenate([MASKS, MASKS[:1]])),
        b_without=ImageArray(np.concatenate([BLACK, BLACK[:1]])),
        a_with=ImageArray(WORN),
        a_with_next=ImageArray(WORN[[1, 2, 0]]),
    )


class Stub:
    """A model that answers what it was made with."""

    mask_threshold = 0.5

    def __init__(self, soft, removed, transferred):
        self.soft = np.float32(soft)
        self.removed, self.transferred = removed, transferred

    def segment(self, images):
        return self.soft

    def remove(self, images):
        np.testing.assert_array_equal(images, to_model_range(WORN))
        return self.removed

    def transfer(self, target, reference):
        np.testing.assert_array_equal(target, to_model_range(BLACK))
        np.testing.assert_array_equal(reference, to_model_range(WORN))
        return self.transferred


def perfect():
    mask = np.float32(MASKS > 0)
    return Stub(mask, Edit(to_model_range(BLACK), mask), Edit(to_model_range(WORN), mask))


def idle():
    mask = np.zeros_like(MASKS, np.float32)
    return Stub(mask, Edit(to_model_range(WORN), mask), Edit(to_model_range(BLACK), mask))


def test_the_truth_itself_is_perfect():
    figures = evaluate_against_truth(perfect(), domains())
    assert figures == pytest.approx(
        {
            "segment_iou": 1.0,
            "segment_iou_std": 0.0,
            "segment_iou_best": 1.0,
            "segment_iou_best_std": 0.0,
            "best_threshold": 0.05,
            "mask_threshold": 0.5,
            "mask_coverage": 12 / 192,
            "true_coverage": 12 / 192,
            "remove_error": 0.0,
            "remove_error_unedited": UNEDITED,
            "remove_change_outside": 0.0,
            "transfer_error": 0.0,
            "transfer_error_unedited": UNEDITED,
            "transfer_error_outside": 0.0,
            "transfer_follows_reference": 1.0,
        }
    )
    assert all(type(value) is float for value in figures.values())  # JSON takes them.


def test_doing_nothing_has_the_unedited_errors():
    figures = evaluate_against_truth(idle(), domains())
    assert figures["segment_iou"] == figures["segment_iou_best"] == figures["mask_coverage"] == 0
    assert figures["remove_error"] == figures["remove_error_unedited"] == pytest.approx(UNEDITED)
    assert figures["transfer_error"] == figures["transfer_error_unedited"]
    assert figures["transfer_error"] == pytest.approx(UNEDITED)
    assert figures["transfer_error_outside"] == 0
    # Sums of differences: 0.8, 8 and 4.8 to one's own, 8, 4.8 and 0.8 to the next.
    assert figures["transfer_follows_reference"] == pytest.approx(1 / 3)


def test_wearing_the_next_ones_content_follows_no_reference():
    model = perfect()
    model.transferred = Edit(to_model_range(WORN[[1, 2, 0]]), model.soft)
    figures = evaluate_against_truth(model, domains())
    assert figures["transfer_follows_reference"] == 0
    # Inside own content: |2 - 0.4| on 2 pixels, |0.8 - 2| on 4, and of 6 that
    # differ by 0.8, 2 covered with 0.4.
    assert figures["transfer_error"] == pytest.approx((2 * 1.6 + 4 * 1.2 + 2 * 0.4 + 4 * 0.8) / 12)
    # Outside: 2 pixels of content 1 beside content 0, 2 of content 2 beside content 1.
    assert figures["transfer_error_outside"] == pytest.approx((2 * 2.0 + 2 * 0.8) / 180)


def test_what_the_next_ones_content_adds_counts_as_well():
    model = perfect()
    image = np.where(MASKS > 0, WORN, WORN[[1, 2, 0]])  # One's own, the next one's beside it.
    model.transferred = Edit(to_model_range(image), model.soft)
    # From one's own and the next one's: 2 * 2 and 2 * 1.6, 2 * 0.8 and 4 * 1.2, 0 and more.
    figures = evaluate_against_truth(model, domains())
    assert figures["transfer_error"] == 0
    assert figures["transfer_follows_reference"] == pytest.approx(2 / 3)


def test_the_stored_threshold_and_the_best_one():
    model = perfect()
    model.soft = np.where(MASKS > 0, np.float32(0.62), np.float32(0.32))
    model.mask_threshold = 0.2  # Takes everything: each IoU is its area / 64.
    figures = evaluate_against_truth(model, domains())
    assert figures["mask_threshold"] == 0.2
    assert figures["segment_iou"] == pytest.approx(np.mean(AREAS) / 64)
    assert figures["segment_iou_std"] == pytest.approx(np.std(AREAS) / 64)
    assert figures["segment_iou_best"] == 1
    assert figures["best_threshold"] == pytest.approx(0.35)
    assert figures["mask_coverage"] == pytest.approx((12 * 0.62 + 180 * 0.32) / 192)


def test_changes_outside_the_mask_used_are_found():
    model = perfect()
    image = to_model_range(BLACK)
    image[1, 0, 0, 2] += 0.125
    model.removed = Edit(image, model.removed.mask)
    figures = evaluate_against_truth(model, domains())
    assert figures["remove_change_outside"] == 0.125
    assert figures["remove_error"] == 0


@pytest.mark.parametrize("name", ["b_mask", "b_without", "a_with", "a_with_next"])
def test_data_without_truth_are_refused(name):
    with pytest.raises(ValueError, match="need data with exact truth"):
        evaluate_against_truth(perfect(), dataclasses.replace(domains(), **{name: None}))


def test_masked_error():
    truth, mask = np.zeros((2, 2, 2, 3)), np.zeros((2, 2, 2, 1), bool)
    images = np.full_like(truth, 9.0)
    mask[0, 0, 0] = mask[1] = True  # One pixel of the first image, four of the second.
    images[0, 0, 0] = (0.3, -0.6, 0.0)
    images[1] = 0.5
    assert masked_error(images, truth, mask) == pytest.approx((0.3 + 4 * 0.5) / 5)


class Translator:
    """Translates whole pictures to what it was made with."""

    def __init__(self, removed):
        self.removed = removed

    def translate_to_a(self, images):
        np.testing.assert_array_equal(images[:3], to_model_range(WORN))
        return Edit(self.removed, np.ones_like(self.removed[..., :1]))


def test_the_removal_of_a_translator():
    known = domains()
    known.b = ImageArray(WORN)
    known.b_mask, known.b_without = ImageArray(MASKS), ImageArray(BLACK)
    found = evaluate_removal(Translator(to_model_range(BLACK + 51)), known)
    # Everywhere off by 0.4, of which the pixels in the masks alone count.
    assert found == pytest.approx({"remove_error": 0.4, "remove_error_unedited": UNEDITED}, 1e-5)
    known.b_without = None
    with pytest.raises(ValueError, match="need data with exact truth"):
        evaluate_removal(Translator(to_model_range(BLACK)), known)
