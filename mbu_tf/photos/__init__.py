"""Edits of photos of any size, at their own resolution.

The model sees one square of the photo, the centre's or one for each face
(`mbu_tf.faces.Framing`). What it paints and the mask are enlarged, turned back and
laid on the photo itself, so that every pixel outside the mask is the photo's own.
"""

from mbu_tf.photos.edits import (
    interpolate_photo,
    mask_to_uint8,
    remove_photo,
    segment_photo,
    transfer_photo,
    translate_photo,
)
from mbu_tf.photos.views import MASK_FLOOR, EditedPhoto

__all__ = [
    "MASK_FLOOR",
    "EditedPhoto",
    "interpolate_photo",
    "mask_to_uint8",
    "remove_photo",
    "segment_photo",
    "transfer_photo",
    "translate_photo",
]
