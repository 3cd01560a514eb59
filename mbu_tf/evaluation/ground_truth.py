"""Measures against exact truth, for data that carry it (the avatars)."""

from typing import Any

import numpy as np

from mbu_tf.data.domains import TwoDomains, to_model_range
from mbu_tf.evaluation.segmentation import segmentation_iou

NO_TRUTH = (
    "These measures need data with exact truth, such as the avatars' validation or test split. "
    "Received: a source without"
)


def changed(images, others):
    """Where two pictures differ at all: boolean `(count, height, width, 1)`."""
    return (images != others).any(axis=-1, keepdims=True)


def masked_error(images, truth, mask):
    """Mean absolute difference inside `mask`, all its pixels and channels alike.

    Args:
        images, truth: `(count, height, width, 3)` in [-1, 1], so that the error
            lies in [0, 2].
        mask: boolean `(count, height, width, 1)`.
    """
    return float(np.abs(images - truth).mean(axis=-1, keepdims=True)[mask].mean())


def evaluate_against_truth(model: Any, domains: TwoDomains) -> dict[str, float]:
    """How well a mask based model does on faces whose truth is known.

    Args:
        model: a trained model with `transfer`, `remove` and `segment`.
        domains: `TwoDomains` that carries its truth, e.g. the avatars' test
            split.

    Returns:
        Dict of floats; errors are mean absolute differences of images in
        [-1, 1]:

        - `segment_iou`, `segment_iou_std`: `segment` at the stored threshold
          against the exact mask, over the faces of B; `segment_iou_best`,
          `segment_iou_best_std` and `best_threshold`: the same at the best of 19
          thresholds;
        - `mask_threshold`: the stored one; `mask_coverage`, `true_coverage`:
          mean of the soft and of the exact masks;
        - `remove_error`: `remove` against the face without, inside the exact
          mask; `remove_error_unedited`: the same if nothing were done;
          `remove_change_outside`: largest change of any pixel outside the mask
          used, 0 by construction;
        - `transfer_error`: z(a_i, b_i) against face a_i rendered with b_i's
          content, inside the exact mask of that pair;
          `transfer_error_unedited`: the same if nothing were done;
          `transfer_error_outside`: outside that mask;
        - `transfer_follows_reference`: share of pairs whose z(a_i, b_i) is
          nearer to a_i rendered with b_i's content than to a_i rendered with
          b_{i+1}'s, over the pixels that either content changes.

    Raises:
        ValueError: if `domains` carries no truth.
    """
    truth = (domains.b_mask, domains.b_without, domains.a_with, domains.a_with_next)
    if any(images is None for images in truth):
        raise ValueError(NO_TRUTH)
    count = min(len(domains.a), len(domains.b))
    indices = np.arange(count)
    a, b, without, with_own, with_next = (
        to_model_range(images.take(indices))
        for images in (
            domains.a,
            domains.b,
            domains.b_without,
            domains.a_with,
            domains.a_with_next,
        )
    )
    true = domains.b_mask.take(indices) > 0

    soft = model.segment(b)
    stored = model.mask_threshold
    iou = segmentation_iou(soft, true, stored)

    removed = model.remove(b)
    kept = np.broadcast_to(removed.mask == 0, b.shape)

    edit = model.transfer(a, b)
    own = changed(with_own, a)
    either = own | changed(with_next, a)
    distances = [
        (np.abs(edit.image - truth).mean(axis=-1, keepdims=True) * either).sum(axis=(1, 2, 3))
        for truth in (with_own, with_next)
    ]
    return {
        **{name if name == "best_threshold" else f"segment_{name}": x for name, x in iou.items()},
        "mask_threshold": stored,
        "mask_coverage": float(soft.mean()),
        "true_coverage": float(true.mean()),
        **_removal_errors(removed.image, b, without, true),
        "remove_change_outside": float(np.abs(removed.image - b)[kept].max(initial=0.0)),
        "transfer_error": masked_error(edit.image, with_own, own),
        "transfer_error_unedited": masked_error(a, with_own, own),
        "transfer_error_outside": masked_error(edit.image, with_own, ~own),
        "transfer_follows_reference": float(np.mean(distances[0] < distances[1])),
    }


def evaluate_removal(model: Any, domains: TwoDomains) -> dict[str, float]:
    """`remove_error` and `remove_error_unedited` of a model that translates whole pictures.

    As in `evaluate_against_truth`, `translate_to_a` standing for `remove`. What such a model
    adds follows no reference, so that there is no truth of it.

    Args:
        model: a trained model with `translate_to_a`.
        domains: `TwoDomains` with `b_mask` and `b_without`.

    Raises:
        ValueError: if `domains` carries no truth.
    """
    if domains.b_mask is None or domains.b_without is None:
        raise ValueError(NO_TRUTH)
    indices = np.arange(len(domains.b))
    b, without = (to_model_range(x.take(indices)) for x in (domains.b, domains.b_without))
    return _removal_errors(
        model.translate_to_a(b).image, b, without, domains.b_mask.take(indices) > 0
    )


def _removal_errors(removed, b, without, true):
    return {
        "remove_error": masked_error(removed, without, true),
        "remove_error_unedited": masked_error(b, without, true),
    }
