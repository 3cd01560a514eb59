"""What an edit leaves as it was: exact preservation, and how large its mask is (table 7)."""

import numpy as np

from mbu_tf.data.domains import to_uint8
from mbu_tf.models.inference import checked_images
from mbu_tf.types import Array


def preservation(images: Array, edited: Array, mask: Array | None = None) -> dict[str, float]:
    """What an edit leaves alone.

    Args:
        images, edited: float `(count, height, width, 3)` in [-1, 1], before and after.
        mask: the masks used, `(count, height, width, 1)` in [0, 1], or `None` if the
            editor has none.

    Returns:
        Dict of floats:

        - `unchanged`, `unchanged_std`: share of pixels that are the same in 8 bits,
          mean and deviation over the images;
        - with masks, `mask_coverage`, `mask_coverage_std`: mean of each mask, in
          [0, 1]; table 7 prints it in percent;
        - `change_outside`: largest change of any pixel where the mask is 0, and 0 if
          there is no such pixel; `untouched`: share of pixels where the mask is 0.

    Raises:
        ValueError: if the shapes do not fit, or images are out of range.
    """
    images, edited = checked_images("images", images), checked_images("edited", edited)
    shape = (*images.shape[:3], 1)
    if edited.shape != images.shape or (mask is not None and np.shape(mask) != shape):
        raise ValueError(
            "Images before and after, and their masks of one channel, must fit each other. "
            f"Received: shapes {images.shape}, {edited.shape}"
            + ("" if mask is None else f" and {np.shape(mask)}")
        )
    same = (to_uint8(images) == to_uint8(edited)).all(axis=-1).mean(axis=(1, 2))
    figures = {"unchanged": float(same.mean()), "unchanged_std": float(same.std())}
    if mask is not None:
        mask = np.asarray(mask, np.float64)
        coverage = mask.mean(axis=(1, 2, 3))
        outside = mask[..., 0] == 0.0
        change = np.abs(edited - images).max(axis=-1)[outside]
        figures |= {
            "mask_coverage": float(coverage.mean()),
            "mask_coverage_std": float(coverage.std()),
            "change_outside": float(change.max(initial=0.0)),
            "untouched": float(outside.mean()),
        }
    return figures
