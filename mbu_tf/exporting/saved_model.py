"""SavedModels for TensorFlow Serving and for whatever else reads them."""

import pathlib
from typing import Any

import tensorflow as tf

from mbu_tf.exporting import warmup
from mbu_tf.exporting.encoded import encoded_signatures
from mbu_tf.exporting.exportable import exportable
from mbu_tf.exporting.metadata import metadata, write_to_saved_model
from mbu_tf.exporting.signatures import signatures
from mbu_tf.exporting.versions import next_version
from mbu_tf.system.failures import explaining_tensorflow
from mbu_tf.types import FilePath


def export_saved_model(
    model: Any,
    path: FilePath,
    encoded: bool = True,
    warm_up: bool = True,
    detail_size: int | None = None,
) -> pathlib.Path:
    """Write `model` as the next version of a model that TensorFlow Serving serves.

    The SavedModel has the signatures of `mbu_tf.exporting.signatures`, for any
    number of images at once, and the same with the ending `_encoded` for image
    files as bytes (`encoded_signatures`). It refuses a batch that is empty, of
    another size or beyond [0, 1], and files that are no images.

    Args:
        model: a trained model.
        path: folder of all versions of the model, `NAME` in `NAME/1`; its last
            part is what requests call the model. Versions that are there stay.
        encoded: whether the signatures on bytes are there.
        warm_up: whether a request to each signature lies beside, with which the
            server warms up before it answers others; but for those that find faces, since
            no photo of one is at hand.
        detail_size: side of the images of the signatures with the ending `_detail`,
            a power of two times the model's own, and of what those on bytes lay on; None
            leaves these out, and what the model paints is enlarged.

    Returns:
        `pathlib.Path` of the version, `path/<integer>`.

    Raises:
        ImportError: if `warm_up` and the package `tensorflow-serving-api` is missing.
        OSError: if `path` cannot be written to.
        ValueError: on another `detail_size`, if no operations are stated for such a
            model, or if its weights are no finite numbers.
    """
    if warm_up:
        warmup.messages()  # A missing package is told before any work.
    model = exportable(model)
    table = served_signatures(model, encoded, detail_size)
    with next_version(path) as version:
        write(table, version.beside)
        write_to_saved_model(version.beside, metadata(model, detail_size))
        if warm_up:
            warmed = {name: x for name, x in table.items() if not x.finds_faces}
            warmup.write(warmed, model.image_size, version.model, version.beside)
    return version.path


def served_signatures(model, encoded=True, detail_size=None):
    """The signatures of a SavedModel, checking what they are given; see `export_saved_model`."""
    table = {n: _checked(x) for n, x in signatures(model, detail_size=detail_size).items()}
    if encoded:
        table |= {name: _counted(x) for name, x in encoded_signatures(model, detail_size).items()}
    return table


def write(table, folder):
    """Write a SavedModel with the signatures of `table` (name to `Signature`) to `folder`.

    The first is the default as well. Only what the signatures use is in it,
    which leaves out the discriminator.
    """
    functions = {
        name: tf.function(x.function, autograph=False).get_concrete_function(**x.inputs)
        for name, x in table.items()
    }
    module = tf.Module()
    used = {v.ref(): v for function in functions.values() for v in function.graph.variables}
    module.weights = list(used.values())
    default = next(iter(functions.values()))
    signatures = {"serving_default": default, **functions}
    # Of a full disk TensorFlow raises the kind that it raises of exhausted memory.
    with explaining_tensorflow():
        tf.saved_model.save(module, str(folder), signatures=signatures)


def _checked(signature):
    """`signature` refusing images that are none."""

    def check(name, images):
        images = tf.ensure_shape(images, signature.inputs[name].shape)
        low, high = tf.reduce_min(images), tf.reduce_max(images)
        checks = [
            tf.debugging.Assert(tf.size(images) > 0, [f"`{name}` must hold at least one image."]),
            tf.debugging.Assert(
                (low >= -0.001) & (high <= 1.001),  # Written so that NaN fails as well.
                [f"`{name}` must lie in [0, 1]; divide 8-bit images by 255. Received:", low, high],
            ),
        ]
        with tf.control_dependencies(checks):
            return tf.identity(images)

    return _with_inputs(signature, check)


def _counted(signature):
    """`signature` refusing an empty batch of files."""

    def check(name, files):
        what = "image file" if files.dtype == tf.string else "pair of eyes"
        message = f"`{name}` must hold at least one {what}."
        with tf.control_dependencies([tf.debugging.Assert(tf.size(files) > 0, [message])]):
            return tf.identity(files)

    return _with_inputs(signature, check)


def _with_inputs(signature, check):
    """`signature` on checked inputs, which must be as many for each name."""

    def function(**inputs):
        inputs = {name: check(name, x) for name, x in inputs.items()}
        counts = [tf.shape(x)[0] for x in inputs.values()]
        same = tf.debugging.Assert(
            tf.reduce_all(tf.equal(counts, counts[0])),
            [f"{', '.join(inputs)} must be equally many. Received:", *counts],
        )
        with tf.control_dependencies([same]):
            return signature.function(**{name: tf.identity(x) for name, x in inputs.items()})

    return signature._replace(function=function)
