"""What a model does to images, done to photos."""

import numpy as np

from mbu_tf.faces import Framing
from mbu_tf.models.inference import Edit
from mbu_tf.photos.views import MASK_FLOOR, unedited, views


def transfer_photo(model, target, reference, **options):
    """`model.transfer` on photos: the reference's content on the target.

    Args:
        model: a trained model with `transfer_layer`.
        target, reference, **options: see `translate_photo`.

    Returns:
        `EditedPhoto` of the target's size.
    """
    return _edited(model, lambda *x: [model.transfer_layer(*x)], target, reference, **options)


def translate_photo(model, target, reference, to="b", **options):
    """`model.transfer_to_b` or `transfer_to_a` on photos; `transfer_photo` of a one-way model.

    Args:
        model: a trained model, a `TwoWayTransfer` or with `transfer_layer`.
        target, reference: photos, uint8 `(height, width, 3)`, any sizes.
        to: domain whose part is wanted, `"a"` or `"b"`; a one-way model has `"b"`.
        **options: `framing`, in place of the model's own, what `Framing.of` takes;
            `face`, which faces of the target are edited (`"largest"`, `"all"`, a number
            from 1 for the largest, or the faces themselves, see `views`), and
            `reference_face`, the one of each reference; `mask_floor`, below which mask
            values count as 0.

    Returns:
        `EditedPhoto` of the target's size.

    Raises:
        NoFaceError: if a face is to be framed and none is found.
        ValueError: if a one-way model is asked for `"a"`; on a wrong photo or option.
    """
    if not hasattr(model, "transfer_to_a"):
        if to != "b":
            raise ValueError(
                f"This model puts B's part on images of A, not the reverse. Received: to={to!r}"
            )
        return transfer_photo(model, target, reference, **options)
    layers = model.layers_to_a if to == "a" else model.layers_to_b
    return _edited(model, layers, target, reference, **options)


def remove_photo(model, photo, threshold=None, framing=None, face="largest"):
    """`model.remove` on a photo.

    Where the photo is larger than the model's images, the binarised mask grows
    by up to one of their pixels, so that no outline of the content is left.

    Args:
        model: a trained model with `removal_layer`.
        photo: uint8 `(height, width, 3)`, any size.
        threshold: as for `model.remove`.
        framing, face: see `translate_photo`.

    Returns:
        `EditedPhoto` of the photo's size.

    Raises:
        NoFaceError, ValueError: as `translate_photo`.
    """
    edited = unedited(photo)
    for view in views(photo, _framing(model, framing), face):
        view.lay(edited, model.removal_layer(view.at(model.image_size), threshold))
    return edited


def segment_photo(model, photo, threshold="stored", framing=None, face="largest"):
    """`model.segment` on a photo: the mask at the photo's size; arguments as `remove_photo`.

    Returns:
        float32 `(height, width)` in [0, 1]; 0 and 1 alone unless `threshold` is
        `None`.
    """
    mask = np.zeros(np.shape(photo)[:2], np.float32)
    for view in views(photo, _framing(model, framing), face):
        rows, columns, share = view.enlarged(model.segment(view.at(model.image_size))[0, ..., 0])
        mask[rows, columns] = np.maximum(mask[rows, columns], share)
    if threshold is None:
        return mask
    threshold = model.checked_threshold(None if threshold == "stored" else threshold)
    return (mask >= threshold).astype(np.float32)


def interpolate_photo(
    model, target, reference_1, reference_2, steps, mask_floor=MASK_FLOOR, **options
):
    """`model.interpolate` on photos.

    Args:
        model: a trained model with `interpolation_layers`.
        target, reference_1, reference_2: photos, uint8 `(height, width, 3)`, any sizes.
        steps: as for `model.interpolate`.
        mask_floor, **options: see `translate_photo`.

    Returns:
        Iterator over `steps` `EditedPhoto`s of the target's size: of large photos, one at
        a time fits into memory.

    Raises:
        NoFaceError, ValueError: as `translate_photo`.
    """
    shown = _shown(model, target, (reference_1, reference_2), **options)
    laid = [(view, model.interpolation_layers(*images, steps)) for view, images in shown]

    def step(number):
        edited = unedited(target)
        for view, layers in laid:
            layer = Edit(layers.image[:, number], layers.mask[:, number])
            view.lay(edited, layer, mask_floor)
        return edited

    return map(step, range(steps))


def mask_to_uint8(mask):
    """A mask in [0, 1] as uint8 in [0, 255], rounded."""
    return np.rint(np.asarray(mask) * 255).astype(np.uint8)


def _framing(model, framing):
    return model.framing if framing is None else Framing.of(framing)


def _edited(model, layers, target, reference, mask_floor=MASK_FLOOR, **options):
    """`target` with what `layers` gives of each square and the reference's laid on it."""
    edited = unedited(target)
    for view, images in _shown(model, target, [reference], **options):
        for layer in layers(*images):
            view.lay(edited, layer, mask_floor)
    return edited


def _shown(model, target, references, framing=None, face="largest", reference_face="largest"):
    """Each square of the target, and what the model is shown of it and of the references."""
    framing, size = _framing(model, framing), model.image_size
    given = [views(photo, framing, reference_face)[0].at(size) for photo in references]
    return [(view, [view.at(size), *given]) for view in views(target, framing, face)]
