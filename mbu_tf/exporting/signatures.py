"""What every exported format offers: each operation of a model, stated once.

The contract: images are RGB, channels last, batch first, float32 in [0, 1];
masks float32 in [0, 1]. Normalisation is inside.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.inference import Edit
from mbu_tf.models.mask_editing import MaskEditing
from mbu_tf.models.masked_domain_intersection import MaskedDomainIntersectionDifference
from mbu_tf.models.translation import ATTRIBUTES, Translation
from mbu_tf.models.two_way import TwoWayTransfer
from mbu_tf.photos.edits import HALF


class Operation(NamedTuple):
    """One thing that a model does to images, as every format is made from it.

    Attributes:
        layers: function of one batch of images for each of `images`, float32 in
            [-1, 1], to the `Edit`s that are laid on the first of them one after
            another: paint in [-1, 1] and a mask in [0, 1]. Where `threshold` is
            set there is one, and its paint is None.
        images: name of each input, in `layers`'s order, to the domain that its
            images are of, `"a"` or `"b"`.
        threshold: mask value from which a pixel belongs to the content, for an
            operation that outlines it and paints nothing; else None.
        detailed: as `layers`, of images whose side is a larger power of two times
            the model's, as sharp as they are (docs/detail.md); None if there is none.
        parts: `detailed` in two steps; None if it is one.
    """

    layers: Callable
    images: dict
    threshold: float | None = None
    detailed: Callable | None = None
    parts: "Parts | None" = None

    def with_detail(self) -> "Operation":
        """The same on larger images, where `detailed` is stated."""
        # A matte says how far a pixel is content: by half or more, it is.
        return self._replace(layers=self.detailed, threshold=self.threshold and HALF)


class Parts(NamedTuple):
    """An operation in two steps, for one reference and target after target.

    Attributes:
        of_reference: function of a batch of the last of an operation's images to tensors
            by name, all that is needed of them.
        layers: function of a batch of the first and of these tensors, by name, to what
            `Operation.layers` gives of both.
    """

    of_reference: Callable
    layers: Callable


class Signature(NamedTuple):
    """An exported function.

    Attributes:
        function: of one tensor by name for each of `inputs` to a dict of tensors.
        inputs: name to `tf.TensorSpec`.
        outputs: names of what `function` returns.
        finds_faces: whether it fails on photos without a face.
    """

    function: Callable
    inputs: dict
    outputs: tuple
    finds_faces: bool = False


@functools.singledispatch
def operations(model: Any) -> dict[str, Operation]:
    """The table of a model's operations: name to `Operation`; the first is the default.

    A method with operations of its own states its table with
    `@operations.register` on its class; every format follows.

    Raises:
        ValueError: if none is stated for this kind of model.
    """
    raise ValueError(
        "No operations are stated for this kind of model; state them with "
        f"`mbu_tf.exporting.operations.register`. Received: {type(model).__name__}"
    )


@operations.register
def _(model: MaskEditing):
    threshold = model.mask_threshold
    return {
        "transfer": Operation(
            lambda target, reference: [model.compute_transfer_layer(target, reference)],
            {"target": "a", "reference": "b"},
            detailed=lambda a, b: [model.compute_detailed_transfer_layer(a, b)],
            parts=_parts(model) if model.has_masks else None,
        ),
        "remove": Operation(
            lambda image: [model.compute_removal_layer(image, threshold)],
            {"image": "b"},
            detailed=lambda image: [model.compute_detailed_removal_layer(image, threshold)],
        ),
        "segment": Operation(
            lambda image: [Edit(None, model.compute_segmentation(image))],
            {"image": "b"},
            threshold=threshold,
            detailed=lambda image: [Edit(None, model.compute_detailed_segmentation(image))],
        ),
    }


def _parts(model):
    names = ("separate", "own", "small")
    return Parts(
        lambda reference: dict(zip(names, model.compute_cutout(reference), strict=True)),
        lambda target, **cutout: [model.compute_cutout_layer(target, **cutout)],
    )


@operations.register
def _(model: TwoWayTransfer):
    return {
        "transfer_to_b": Operation(
            model.compute_layers_to_b,
            {"target": "a", "reference": "b"},
            detailed=model.compute_detailed_layers_to_b,
        ),
        "transfer_to_a": Operation(
            model.compute_layers_to_a,
            {"target": "b", "reference": "a"},
            detailed=model.compute_detailed_layers_to_a,
        ),
    }


@operations.register
def _(model: Translation):
    return {
        f"translate_to_{to}": Operation(
            lambda image, y=y: [model.compute_translation(image, y)],
            {"image": of},
            detailed=lambda image, y=y: [model.compute_detailed_translation(image, y)],
        )
        for of, to, y in (("a", "b", ATTRIBUTES["b"]), ("b", "a", ATTRIBUTES["a"]))
    }


@operations.register
def _(model: DomainIntersectionDifference):
    def combine(*images):
        image = model.compute_combination(*images)
        return [Edit(image, tf.ones_like(image[..., :1]))]

    images = {"common": "b", "separate_a": "a", "separate_b": "b"}
    return {**operations.dispatch(TwoWayTransfer)(model), "combine": Operation(combine, images)}


@operations.register
def _(model: MaskedDomainIntersectionDifference):
    table = operations.dispatch(TwoWayTransfer)(model)
    for domain, part in (("a", model.part_a), ("b", model.part_b)):
        of_part = operations(part)
        for name in ("remove", "segment"):
            table[f"{name}_{domain}"] = of_part[name]._replace(images={"image": domain})
    return table


def signatures(
    model: Any,
    batch_size: int | None = None,
    detail_size: int | None = None,
    parts: bool = False,
) -> dict[str, Signature]:
    """The signatures on images as numbers: name to `Signature`.

    Args:
        model: a model for which `operations` has a table.
        batch_size: images per call; None leaves it open.
        detail_size: side of the images that signatures with the ending `_detail`
            take, a power of two times the model's own; None leaves these out.
        parts: whether an operation with detail that depends on its reference is there
            in two steps, too: with the ending `_detail_reference`, whose outputs are,
            beside the target, inputs of the one with the ending `_detail_target`.

    Raises:
        ValueError: on another `detail_size`.
    """
    table = operations(model)
    size = model.image_size
    found = {name: _signature(x, (batch_size, size, size, 3)) for name, x in table.items()}
    if detail_size is None:
        return found
    check_detail_size(detail_size, size)
    shape = (batch_size, detail_size, detail_size, 3)
    for name, operation in table.items():
        if operation.detailed is not None:
            found[f"{name}_detail"] = _signature(operation.with_detail(), shape)
    for name, operation in table.items():
        if parts and operation.parts is not None:
            of_reference, of_target = _signatures_of_parts(operation, shape)
            found[f"{name}_detail_reference"] = of_reference
            found[f"{name}_detail_target"] = of_target
    return found


def check_detail_size(detail_size, image_size):
    """Raise `ValueError` unless it is the model's `image_size` times 2, 4, 8, …"""
    factor, rest = divmod(detail_size, image_size)
    if rest or factor < 2 or factor & (factor - 1):
        raise ValueError(
            f"`detail_size` must be the model's {image_size} px times 2, 4, 8, … "
            f"Received: detail_size={detail_size!r}"
        )


def _signature(operation, shape):
    first, *_ = operation.images

    def edit(**images):
        layers = operation.layers(*(_in_model_range(images[name]) for name in operation.images))
        return _laid_on(images[first], layers)

    def outline(**images):
        (layer,) = operation.layers(_in_model_range(images[first]))
        mask = layer.mask
        return {"mask": mask, "binary": tf.cast(mask >= operation.threshold, tf.float32)}

    inputs = {name: tf.TensorSpec(shape, tf.float32, name) for name in operation.images}
    if operation.threshold is None:
        return Signature(edit, inputs, ("image", "mask"))
    return Signature(outline, inputs, ("mask", "binary"))


def _signatures_of_parts(operation, shape):
    first, last = operation.images
    spec = tf.TensorSpec(shape, tf.float32, last)

    def of_reference(**images):
        return operation.parts.of_reference(_in_model_range(images[last]))

    def of_target(**given):
        image = given.pop(first)
        return _laid_on(image, operation.parts.layers(_in_model_range(image), **given))

    traced = tf.function(of_reference, autograph=False).get_concrete_function(**{last: spec})
    needed = {n: tf.TensorSpec(x.shape, x.dtype, n) for n, x in traced.structured_outputs.items()}
    return (
        Signature(of_reference, {last: spec}, tuple(needed)),
        Signature(
            of_target, {first: tf.TensorSpec(shape, tf.float32, first), **needed}, ("image", "mask")
        ),
    )


def _in_model_range(image):
    return image * 2.0 - 1.0


def _laid_on(image, layers):
    """An image with layers laid on it, and their mask."""
    mask = None
    for layer in layers:
        # In the input's range and by a sum, so that a pixel outside the mask is
        # the very number given. A choice between the two would tie, in integers,
        # the input's scale to the output's.
        image = image + layer.mask * (layer.image * 0.5 + 0.5 - image)
        mask = layer.mask if mask is None else tf.maximum(mask, layer.mask)
    return {"image": image, "mask": mask}
