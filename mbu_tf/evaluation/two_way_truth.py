"""Measures against exact truth where both domains have a part of their own."""

from typing import Any

import numpy as np

from mbu_tf.data.domains import TwoDomains, to_model_range, to_uint8
from mbu_tf.evaluation.ground_truth import changed, masked_error


def evaluate_two_way(model: Any, domains: TwoDomains) -> dict[str, float]:
    """How well both translations do on faces whose truth is known.

    Image i of a domain is translated with image i of the other as its reference
    and compared with the very face rendered so: its own part off, the
    reference's on.

    Args:
        model: anything with `transfer_to_b` and `transfer_to_a`.
        domains: `TwoDomains` that carries `a_without`, `a_translated` and the same
            of b, e.g. the test split of the avatars' `glasses_and_facial_hair`.

    Returns:
        Dict of floats, mean absolute differences of images in [-1, 1], for `to_b`
        and for `to_a`:

        - `to_b_removed`: where a's own part was and the wanted one does not lie;
          `to_b_removed_unedited`: the same if nothing were done;
        - `to_b_added`, `to_b_added_unedited`: where the wanted part lies;
        - `to_b_outside`: everywhere else, where nothing should change;
          `to_b_outside_unchanged`: the share of those pixels that are the target's
          own in 8 bits.

    Raises:
        ValueError: if `domains` carries no such truth.
    """
    if domains.a_translated is None or domains.b_translated is None:
        raise ValueError(
            "These measures need exact truth of both domains, such as the test split of "
            "avatars:glasses_and_facial_hair. Received: a source without"
        )
    indices = np.arange(min(len(domains.a), len(domains.b)))

    def images(name):
        return to_model_range(getattr(domains, name).take(indices))

    figures = {}
    for name, target, reference, transfer in (
        ("to_b", "a", "b", model.transfer_to_b),
        ("to_a", "b", "a", model.transfer_to_a),
    ):
        image, bare, truth = (images(f"{target}{x}") for x in ("", "_without", "_translated"))
        edited = transfer(image, images(reference)).image
        own, added = (changed(x, bare) for x in (image, truth))
        outside = ~(own | added)
        for region, mask in (("removed", own & ~added), ("added", added)):
            figures[f"{name}_{region}"] = masked_error(edited, truth, mask)
            figures[f"{name}_{region}_unedited"] = masked_error(image, truth, mask)
        figures[f"{name}_outside"] = masked_error(edited, truth, outside)
        kept = ~changed(to_uint8(edited), to_uint8(image))
        figures[f"{name}_outside_unchanged"] = float(kept[outside].mean())
    return figures
