"""ONNX files, one for each signature."""

import pathlib
from typing import Any

import tensorflow as tf

from mbu_tf.exporting.exportable import exportable
from mbu_tf.exporting.metadata import add_to_onnx, metadata
from mbu_tf.exporting.signatures import signatures
from mbu_tf.system.files import make_folder, replacing
from mbu_tf.types import FilePath

# The lowest opset that current runtimes of all vendors read and that has every operation.
OPSET = 17


def export_onnx(
    model: Any, path: FilePath, detail_size: int | None = None
) -> dict[str, pathlib.Path]:
    """Write `model` as `transfer.onnx`, `remove.onnx` and `segment.onnx`, in a folder.

    An ONNX file has one entry point, so each signature is a file with the
    weights that it uses. The number of images per call is open. No output may be
    called as an input is, so the image that `remove` gives is `image_out`.

    Args:
        model: a trained model.
        path: the folder, created if missing; or a file ending in `.onnx`, for the first
            signature, such as `transfer`, alone.
        detail_size: side of the images of `transfer_detail.onnx` and the like, a power
            of two times the model's own; None leaves these out.

    Returns:
        Dict of signature name to `pathlib.Path`.

    Raises:
        ImportError: if the package `tf2onnx` is missing.
        OSError: if `path` cannot be written to.
        ValueError: on another `detail_size`, if no operations are stated for such a
            model, or if its weights are no finite numbers.
    """
    tf2onnx = _tf2onnx()
    table = signatures(exportable(model), detail_size=detail_size)
    files = onnx_files(model, path, detail_size)
    if pathlib.Path(path).suffix != ".onnx":
        make_folder(path)
    for name in files:
        proto = _converted(tf2onnx, table[name])
        add_to_onnx(proto, metadata(model, detail_size))
        with replacing(files[name]) as beside:
            beside.write_bytes(proto.SerializeToString())
    return files


def onnx_files(model, path, detail_size=None):
    """What `export_onnx` writes, its dictionary of signature name to path."""
    table, path = signatures(model, detail_size=detail_size), pathlib.Path(path)
    if path.suffix == ".onnx":
        return {next(iter(table)): path}
    return {name: path / f"{name}.onnx" for name in table}


def _converted(tf2onnx, signature):
    names = list(signature.inputs)

    @tf.function(autograph=False)
    def function(*images):
        outputs = signature.function(**dict(zip(names, images, strict=True)))
        return {f"{key}_out" if key in names else key: x for key, x in outputs.items()}

    specs = tuple(signature.inputs.values())
    proto, _ = tf2onnx.convert.from_function(function, specs, opset=OPSET)
    return proto


def _tf2onnx():
    try:
        import tf2onnx
    except ImportError as error:
        raise ImportError(
            "Writing ONNX needs the package tf2onnx: install `mbu_tf[onnx]`."
        ) from error
    return tf2onnx
