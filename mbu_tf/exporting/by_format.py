"""`model.export(path, format=…)`: Keras's way to the exporters."""

import pathlib
import shutil
from typing import Any

from mbu_tf.exporting import saved_model
from mbu_tf.exporting.exportable import exportable
from mbu_tf.exporting.metadata import metadata, write_to_saved_model
from mbu_tf.exporting.onnx import export_onnx
from mbu_tf.exporting.tflite import export_tflite
from mbu_tf.system.files import explaining, make_folder, passing_name
from mbu_tf.types import FilePath


def export_model(
    model: Any, path: FilePath, format: str = "tf_saved_model", **options: Any
) -> pathlib.Path:
    """Write `model` in one of the formats by Keras's names for them.

    Args:
        model: a trained model.
        path: of `"tf_saved_model"` the folder that holds the SavedModel itself, without
            the versions that a server watches; one that is there is replaced. Of
            `"litert"` a file ending in `.tflite`. Of `"onnx"` see `export_onnx`.
        format: `"tf_saved_model"`, `"litert"` or `"onnx"`.
        **options: of `export_saved_model` (`encoded`, `detail_size`), `export_tflite` or
            `export_onnx`.

    Returns:
        `path`.

    Raises:
        FileExistsError: if a folder is there that holds something else.
        OSError: if `path` cannot be written to.
        ValueError: on another format or name; and as the exporters.
    """
    path = pathlib.Path(path)
    if format == "tf_saved_model":
        _export_folder(model, path, **options)
    elif format == "litert" and path.suffix == ".tflite":
        export_tflite(model, path, **options)
    elif format == "onnx":
        export_onnx(model, path, **options)
    else:
        raise ValueError(
            "`format` must be 'tf_saved_model', 'litert' with a name that ends in .tflite, or "
            "'onnx'; OpenVINO and others convert these. "
            f"Received: format={format!r}, filepath={str(path)!r}"
        )
    return path


def _export_folder(model, path, encoded=True, detail_size=None):
    """A SavedModel in the folder `path`, whole or not at all."""
    if path.exists() and not (path / "saved_model.pb").exists() and any(path.iterdir()):
        raise FileExistsError(
            f"{path} holds something else than a SavedModel; choose another folder."
        )
    table = saved_model.served_signatures(exportable(model), encoded, detail_size)
    make_folder(path.parent)
    beside = passing_name(path)
    try:
        with explaining(path):
            saved_model.write(table, beside)
            write_to_saved_model(beside, metadata(model, detail_size))
            if path.exists():
                shutil.rmtree(path)
            beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
