"""Signatures on image files as bytes, in TensorFlow operations alone.

They do what `mbu_tf.photos` does, inside a SavedModel: a server is sent JPEG,
PNG or WebP files of any size and answers with PNG files of the same size, in
which every pixel outside the mask is the photo's own.
"""

import tensorflow as tf

from mbu_tf.exporting.finding import largest_face
from mbu_tf.exporting.image_bytes import (
    decode_channels,
    encode,
    encode_mask,
    in_own_colours,
    on_white,
)
from mbu_tf.exporting.metadata import framing_of
from mbu_tf.exporting.signatures import Signature, operations
from mbu_tf.exporting.squares import (
    CentreSquare,
    enlarged,
    face_square,
    lay_on,
    model_input,
)


def encoded_signatures(model, detail_size=None):
    """The signatures on bytes: name, ending in `_encoded`, to `Signature`.

    Inputs are called as in `signatures` and are `(batch,)` strings. Outputs,
    `(batch,)` strings too, end in `_bytes`, by which TensorFlow Serving's REST
    interface knows what to send as base64.

    A model of framed faces finds the largest face of each photo. Its signatures
    ending in `_eyes_encoded` are told where the eyes are in place of looking: beside
    each input, `NAME_eyes`, float32 `(batch, 4)`, x and y of the left eye and of the
    right one as the face is seen upright, in pixels of the photo.

    Args:
        model: a model for which `operations` has a table.
        detail_size: side of the picture that what is laid on is made at, see
            `signatures`; None lays on what the model paints, enlarged.
    """
    framing = framing_of(model)
    found = {}
    for name, stated in operations(model).items():
        size = model.image_size
        if detail_size is not None and stated.detailed is not None:
            stated, size = stated.with_detail(), detail_size
        found[f"{name}_encoded"] = _signature(stated, size, framing, told=False)
        if framing.kind == "face":
            found[f"{name}_eyes_encoded"] = _signature(stated, size, framing, told=True)
    return found


def _signature(operation, size, framing, told):
    outlines = operation.threshold is not None
    names = list(operation.images)
    eyes = [f"{name}_eyes" for name in names] if told else []

    def square_of(photo, eyes):
        if framing.kind == "centre":
            return CentreSquare(photo)
        return face_square(framing, photo, largest_face(photo) if eyes is None else eyes)

    def edit(given):
        files, eyes = given[: len(names)], given[len(names) :] or [None] * len(names)
        channels = [decode_channels(file) for file in files]
        photos = [on_white(*each) for each in channels]
        squares = [square_of(*each) for each in zip(photos, eyes, strict=True)]
        layers = operation.layers(*(model_input(square, size)[None] for square in squares))
        if outlines:
            mask = enlarged(layers[0].mask[0], squares[0])
            return encode_mask(mask), encode_mask(tf.cast(mask >= operation.threshold, tf.float32))
        image, mask = photos[0], None
        for layer in layers:
            image, laid = lay_on(image, squares[0], layer.image[0], layer.mask[0])
            mask = laid if mask is None else tf.maximum(mask, laid)
        own, alpha = channels[0]
        image = tf.concat([in_own_colours(image, mask, own, photos[0]), alpha], axis=-1)
        return encode(image), encode_mask(mask)

    outputs = ("mask_bytes", "binary_bytes") if outlines else ("image_bytes", "mask_bytes")

    def function(**inputs):
        # One photo at a time: they differ in size, and reading and writing the
        # files takes longer than the networks do.
        results = tf.map_fn(
            edit,
            tuple(inputs[name] for name in (*names, *eyes)),
            fn_output_signature=(tf.string, tf.string),
            parallel_iterations=1,  # As is their memory.
        )
        return dict(zip(outputs, results, strict=True))

    inputs = {name: tf.TensorSpec((None,), tf.string, name) for name in names}
    inputs |= {name: tf.TensorSpec((None, 4), tf.float32, name) for name in eyes}
    return Signature(function, inputs, outputs, framing.kind == "face" and not told)
