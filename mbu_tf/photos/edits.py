"""What a model does to images, done to photos."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mbu_tf.faces import Framing
from mbu_tf.models.inference import Edit
from mbu_tf.models.translation import ATTRIBUTES, Translation
from mbu_tf.photos.views import MASK_FLOOR, EditedPhoto, unedited, views
from mbu_tf.types import Array, Floats, Pixels

# Side of the largest picture that detail is made at: beyond it, it is enlarged.
LARGEST = 1024
# Of a matte, what counts as content.
HALF = 0.5


def transfer_photo(model: Any, target: Array, reference: Array, **options: Any) -> EditedPhoto:
    """`model.transfer` on photos: the reference's content on the target.

    Args:
        model: a trained model with `transfer_layer`.
        target, reference, **options: see `translate_photo`.

    Returns:
        `EditedPhoto` of the target's size.
    """

    def layers(detail, *images):
        transfer = model.detailed_transfer_layer if detail else model.transfer_layer
        return [transfer(*images)]

    return _edited(model, layers, target, reference, **options)


def translate_photo(
    model: Any, target: Array, reference: Array | None, to: str = "b", **options: Any
) -> EditedPhoto:
    """`model.transfer_to_b` or `transfer_to_a` on photos; `transfer_photo` of a one-way model.

    Args:
        model: a trained model, a `TwoWayTransfer`, a `Translation` or with `transfer_layer`.
        target, reference: photos, uint8 `(height, width, 3)`, any sizes; a `View` of the reference
            is cut out of it once for many targets. A `Translation` takes none: `None`.
        to: domain whose part is wanted, `"a"` or `"b"`; a one-way model has `"b"`.
        **options: `framing`, in place of the model's own, what `Framing.of` takes;
            `face`, which faces of the target are edited (`"largest"`, `"all"`, a number
            from 1 for the largest, or the faces themselves, see `views`), and
            `reference_face`, the one of each reference; `detail`, whether what is
            laid on is to be as sharp as the photo (docs/detail.md) or what the model
            paints, enlarged; `mask_floor`, below which mask values count as 0.

    Returns:
        `EditedPhoto` of the target's size.

    Raises:
        NoFaceError: if a face is to be framed and none is found.
        ValueError: if a one-way model is asked for `"a"`; if there is no reference where
            one is needed, or one where none is; on a wrong photo or option.
    """
    check_reference(model, reference is not None)
    if isinstance(model, Translation):

        def translation(detail, image):
            translate = model.detailed_translation if detail else model.translate
            return [translate(image, ATTRIBUTES[to])]

        return _edited(model, translation, target, **options)
    if not hasattr(model, "transfer_to_a"):
        if to != "b":
            raise ValueError(
                f"This model puts B's part on images of A, not the reverse. Received: to={to!r}"
            )
        return transfer_photo(model, target, reference, **options)

    def layers(detail, *images):
        if detail:
            translate = model.detailed_layers_to_a if to == "a" else model.detailed_layers_to_b
        else:
            translate = model.layers_to_a if to == "a" else model.layers_to_b
        return translate(*images)

    return _edited(model, layers, target, reference, **options)


def check_reference(model: Any, given: bool) -> None:
    """Raise `ValueError` unless a reference is given where `model` takes one, and only there."""
    if isinstance(model, Translation) == given:
        raise ValueError(
            "This model makes up what it adds, and takes no reference: leave it out."
            if given
            else "This model puts a reference's content on the target: give a reference image."
        )


def remove_photo(
    model: Any,
    photo: Array,
    threshold: float | None = None,
    framing: Any = None,
    face: Any = "largest",
    detail: bool = True,
) -> EditedPhoto:
    """`model.remove` on a photo.

    Without `detail`, where the photo is larger than the model's images, the
    binarised mask grows by up to one of their pixels, so that no outline of the
    content is left.

    Args:
        model: a trained model with `removal_layer`.
        photo: uint8 `(height, width, 3)`, any size.
        threshold: as for `model.remove`.
        framing, face, detail: see `translate_photo`.

    Returns:
        `EditedPhoto` of the photo's size.

    Raises:
        NoFaceError, ValueError: as `translate_photo`.
    """
    edited = unedited(photo)
    removal = model.detailed_removal_layer if detail else model.removal_layer
    for view in views(photo, _framing(model, framing), face):
        view.lay(edited, removal(view.at(_side(model, view, detail)), threshold))
    return edited


def segment_photo(
    model: Any,
    photo: Array,
    threshold: float | str | None = "stored",
    framing: Any = None,
    face: Any = "largest",
    detail: bool = True,
) -> Floats:
    """`model.segment` on a photo: the mask at the photo's size.

    Args:
        model, photo, framing, face, detail: as for `remove_photo`.
        threshold: as for `model.segment`. With `detail` the mask is a matte, of which
            `"stored"` is the half, where the photo is larger than the model's images.

    Returns:
        float32 `(height, width)` in [0, 1]; 0 and 1 alone unless `threshold` is
        `None`.

    Raises:
        NoFaceError, ValueError: as `translate_photo`.
    """
    mask = np.zeros(np.shape(photo)[:2], np.float32)
    segment = model.detailed_segmentation if detail else model.segment
    for view in views(photo, _framing(model, framing), face):
        side = _side(model, view, detail)
        rows, columns, share = view.enlarged(segment(view.at(side))[0, ..., 0])
        if threshold is not None:
            stored = HALF if side > model.image_size and model.has_masks else None
            level = model.checked_threshold(stored if threshold == "stored" else threshold)
            share = (share >= level).astype(np.float32)
        mask[rows, columns] = np.maximum(mask[rows, columns], share)
    return mask


def interpolate_photo(
    model: Any,
    target: Array,
    reference_1: Array,
    reference_2: Array,
    steps: int,
    mask_floor: float = MASK_FLOOR,
    **options: Any,
) -> Iterator[EditedPhoto]:
    """`model.interpolate` on photos.

    Args:
        model: a trained model with `interpolation_layers`.
        target, reference_1, reference_2: photos, uint8 `(height, width, 3)`, any sizes.
        steps: as for `model.interpolate`.
        mask_floor, **options: see `translate_photo`; blends are painted by the model
            alone, without `detail`.

    Returns:
        Iterator over `steps` `EditedPhoto`s of the target's size; of large photos, one at
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


def mask_to_uint8(mask: Array) -> Pixels:
    """A mask in [0, 1] as uint8 in [0, 255], rounded."""
    return np.rint(np.asarray(mask) * 255).astype(np.uint8)


def _edited(model, layers, target, *references, detail=True, mask_floor=MASK_FLOOR, **options):
    """`target` with what `layers` gives of each square and the references' laid on it."""
    edited = unedited(target)
    for view, images in _shown(model, target, references, detail=detail, **options):
        for layer in layers(detail, *images):
            view.lay(edited, layer, mask_floor)
    return edited


def _shown(
    model, target, references, framing=None, face="largest", reference_face="largest", detail=False
):
    """Each square of the target, and what the model is shown of it and of the references."""
    framing = _framing(model, framing)
    given = [views(photo, framing, reference_face)[0] for photo in references]
    for view in views(target, framing, face):
        side = _side(model, view, detail)
        yield view, [each.at(side) for each in (view, *given)]


def _framing(model, framing):
    return model.framing if framing is None else Framing.of(framing)


def _side(model, view, detail):
    """Side of what the model is shown: with detail as large as the square in the photo.

    And twice the model's at least, so that a small face, too, gets the reference's own pixels.
    """
    side = model.image_size * (2 if detail and model.has_masks else 1)
    while detail and side < min(view.placement.pixels, LARGEST):
        side *= 2
    return side
