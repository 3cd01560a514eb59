"""Edits of photos of any size, at their own resolution.

The model sees the photo's centre square, resized to `image_size`. What it
paints and the mask are enlarged again and laid on the photo itself, so that
every pixel outside the mask is the photo's own.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import center_square, check_photo, resize_image
from mbu_tf.models.inference import Edit

# Soft masks fade out slowly; what is fainter than this is left untouched.
MASK_FLOOR = 0.05


class EditedPhoto(NamedTuple):
    """An edited photo and the mask that says where it was edited.

    Attributes:
        image: uint8 `(height, width, 3)`, the photo's own size; where `mask` is
            0, the photo's own pixels.
        mask: float32 `(height, width)` in [0, 1].
    """

    image: np.ndarray
    mask: np.ndarray


def transfer_photo(model, target, reference, mask_floor=MASK_FLOOR):
    """`model.transfer` on photos: the reference's content on the target.

    Args:
        model: a trained model with `transfer_layer`.
        target, reference: photos, uint8 `(height, width, 3)`, any sizes.
        mask_floor: smaller mask values count as 0.

    Returns:
        `EditedPhoto` of the target's size.
    """
    layer = model.transfer_layer(_model_input(model, target), _model_input(model, reference))
    return _lay_on(target, layer, mask_floor)


def translate_photo(model, target, reference, to="b", mask_floor=MASK_FLOOR):
    """`model.transfer_to_b` or `transfer_to_a` on photos; `transfer_photo` of a one-way model.

    Args:
        model: a trained model, a `TwoWayTransfer` or with `transfer_layer`.
        target, reference, mask_floor: as for `transfer_photo`.
        to: domain whose part is wanted, `"a"` or `"b"`; a one-way model has `"b"`.

    Returns:
        `EditedPhoto` of the target's size.

    Raises:
        ValueError: if a one-way model is asked for `"a"`.
    """
    if not hasattr(model, "transfer_to_a"):
        if to != "b":
            raise ValueError(
                f"This model puts B's part on images of A, not the reverse. Received: to={to!r}"
            )
        return transfer_photo(model, target, reference, mask_floor)
    layers = model.layers_to_a if to == "a" else model.layers_to_b
    edit = EditedPhoto(target, np.zeros(np.shape(target)[:2], np.float32))
    for layer in layers(_model_input(model, target), _model_input(model, reference)):
        laid = _lay_on(edit.image, layer, mask_floor)
        edit = EditedPhoto(laid.image, np.maximum(edit.mask, laid.mask))
    return edit


def remove_photo(model, photo, threshold=None):
    """`model.remove` on a photo; arguments as there and in `transfer_photo`.

    Where the photo is larger than the model's images, the binarised mask grows
    by up to one of their pixels, so that no outline of the content is left.
    """
    layer = model.removal_layer(_model_input(model, photo), threshold)
    return _lay_on(photo, layer, MASK_FLOOR)


def segment_photo(model, photo, threshold="stored"):
    """`model.segment` on a photo: the mask at the photo's size.

    Returns:
        float32 `(height, width)` in [0, 1]; 0 and 1 alone unless `threshold` is
        `None`.
    """
    mask = model.segment(_model_input(model, photo))[0]
    enlarged = _enlarged_mask(photo, mask)
    if threshold is None:
        return enlarged
    threshold = model.checked_threshold(None if threshold == "stored" else threshold)
    return (enlarged >= threshold).astype(np.float32)


def interpolate_photo(model, target, reference_1, reference_2, steps, mask_floor=MASK_FLOOR):
    """`model.interpolate` on photos.

    Returns:
        List of `steps` `EditedPhoto`s of the target's size.
    """
    photos = (target, reference_1, reference_2)
    layers = model.interpolation_layers(*(_model_input(model, p) for p in photos), steps)
    return [
        _lay_on(target, Edit(image[None], mask[None]), mask_floor)
        for image, mask in zip(layers.image[0], layers.mask[0], strict=True)
    ]


def mask_to_uint8(mask):
    """A mask in [0, 1] as uint8 in [0, 255], rounded."""
    return np.rint(np.asarray(mask) * 255).astype(np.uint8)


def _model_input(model, photo):
    check_photo(photo)
    photo = np.asarray(photo)
    return to_model_range(resize_image(center_square(photo), model.image_size))[None]


def _enlarged(channel, side):
    """A float `(size, size)` channel resized to `(side, side)`, bilinear."""
    picture = Image.fromarray(np.asarray(channel, np.float32))
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))


def _enlarged_mask(photo, mask):
    whole = np.zeros(photo.shape[:2], np.float32)
    square = center_square(whole)  # A view: writing to it writes to `whole`.
    square[:] = _enlarged(mask[..., 0], len(square))
    return whole


def _lay_on(photo, layer, mask_floor):
    """A layer of one image laid on the photo; a mask of 0 and 1 alone stays so.

    Paint is enlarged times its mask and divided by the enlarged mask, so that
    what the model paints outside the mask, which nothing has trained, does not
    bleed into its edge.
    """
    paint, mask = (layer.image[0] + 1.0) * 127.5, layer.mask[0]
    whole = _enlarged_mask(photo, mask)
    opacity = np.where(whole >= mask_floor, whole, np.float32(0))
    if np.isin(mask, (0, 1)).all():
        opacity = np.ceil(opacity)
    image = np.array(photo)
    square = center_square(image)
    share, inner = center_square(whole), center_square(opacity)
    inside = inner > 0
    for c in range(3):  # One by one, for photos of many megapixels.
        painted = _enlarged(paint[..., c] * mask[..., 0], len(square))
        colour = painted[inside] / share[inside]
        blended = inner[inside] * colour + (1.0 - inner[inside]) * square[inside, c]
        square[inside, c] = np.clip(np.rint(blended), 0, 255)
    return EditedPhoto(image, opacity)
