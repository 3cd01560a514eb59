"""TensorFlow Lite (LiteRT) files for phones, browsers and small devices."""

import tempfile
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from mbu_tf.exporting import saved_model
from mbu_tf.exporting.exportable import exportable
from mbu_tf.exporting.metadata import append_to_tflite, metadata
from mbu_tf.exporting.signature_order import numbered, without_numbers
from mbu_tf.exporting.signatures import check_detail_size, operations, signatures
from mbu_tf.models.memory import check_batch
from mbu_tf.networks import blocks
from mbu_tf.system.files import replacing
from mbu_tf.types import Array, FilePath

QUANTIZATIONS = (None, "float16", "dynamic", "int8")
# Calibration runs every signature on so many batches at most.
CALIBRATION_BATCHES = 200


def export_tflite(
    model: Any,
    path: FilePath,
    quantization: str | None = None,
    representative: tuple[Array, Array] | None = None,
    batch_size: int = 1,
    detail_size: int | None = None,
) -> None:
    """Write `model` as one file with every signature, whose weights they share.

    The first signature, such as `transfer`, is the file's first subgraph, which runs
    where no name is given; the others follow in the order of `signatures`. Only
    built-in operations are used, so that every runtime can run it. Inputs and outputs
    are float32 whatever the quantisation.

    Args:
        model: a trained model.
        path: the file, by custom ending in `.tflite`.
        quantization: None leaves float32. `"float16"` stores weights so, half
            the size; `"dynamic"` stores them in 8 bits and computes partly so, a
            quarter of the size; `"int8"` computes in integers alone.
        representative: for `"int8"`, images to measure value ranges on, uint8
            `(count, size, size, 3)`: a pair of those without and those with the
            content. A hundred of each are enough; 200 batches at most are used.
        batch_size: images per call, fixed in the file.
        detail_size: side of the images of the signatures with the ending `_detail`,
            a power of two times the model's own, and of those on parts, see `signatures`;
            None leaves these out, as must be for `"int8"`, whose 256 levels are too few
            for them.

    Raises:
        OSError: if `path` cannot be written to.
        ValueError: on an argument outside its range, or if no operations are
            stated for such a model.
        MemoryError: if a batch is larger than the memory that is free.
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"`quantization` must be one of {list(QUANTIZATIONS)}. "
            f"Received: quantization={quantization!r}"
        )
    blocks.check_positive_int("batch_size", batch_size)
    if (representative is not None) != (quantization == "int8"):
        raise ValueError(
            "`representative` images are needed for quantization='int8' and for nothing else. "
            f"Received: quantization={quantization!r} "
            f"{'without' if representative is None else 'with'} images"
        )
    if quantization == "int8" and detail_size is not None:
        raise ValueError(
            "Detail is not computed in integers; use quantization='float16' or 'dynamic'. "
            f"Received: quantization='int8', detail_size={detail_size!r}"
        )
    if representative is not None:
        representative = _checked_images(representative, model.image_size)
    check_batch(model, batch_size, "A TensorFlow Lite file")
    if detail_size is not None:
        check_detail_size(detail_size, model.image_size)
    with replacing(path) as beside:
        beside.touch()  # A path that cannot be written to is told before any work.
        table = signatures(exportable(model), batch_size, detail_size, parts=True)
        content = _converted(model, table, quantization, representative, batch_size)
        beside.write_bytes(append_to_tflite(content, metadata(model, detail_size)))


def _converted(model, table, quantization, representative, batch_size):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Calibration runs on TensorFlow's own interpreter, which announces its end.
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter", UserWarning)
        names = numbered(table)
        saved_model.write({names[name]: x for name, x in table.items()}, folder)
        keys = list(names.values())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys)
        if quantization is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantization == "int8":
            converter.representative_dataset = lambda: (
                (names[name], batch)
                for name, batch in calibration(model, representative, batch_size)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return without_numbers(converter.convert(), table)


def calibration(model, representative, batch_size):
    """What integer value ranges are measured on: `(signature, {input: images})`, one by one.

    Every input is shown a 0 and a 1, so that its 256 levels are the 8-bit
    values themselves, `round(255 * x) - 128`. Were its range any other, such as
    [-1, 1], a pixel could fall on the border between two levels, and the last
    bit of the division by 255 would decide.
    """
    domains = dict(zip("ab", representative, strict=True))
    for name, operation in operations(model).items():
        given = [domains[domain] for domain in operation.images.values()]
        count = min(CALIBRATION_BATCHES, max(1, max(map(len, given)) // batch_size))
        for step in range(count):
            positions = np.arange(step * batch_size, (step + 1) * batch_size)
            batch = [x[positions % len(x)].astype(np.float32) / 255.0 for x in given]
            for images in batch if step == 0 else ():
                images[0, 0, 0] = 0.0
                images[0, -1, -1] = 1.0
            yield name, dict(zip(operation.images, batch, strict=True))


def _checked_images(representative, size):
    arrays = [np.asarray(images) for images in representative]
    fit = [x.dtype == np.uint8 and x.shape == (len(x), size, size, 3) and x.size for x in arrays]
    if len(arrays) != 2 or not all(fit):
        raise ValueError(
            f"`representative` must be two uint8 arrays (count, {size}, {size}, 3) with at least "
            "one image each, those without and those with the content. "
            f"Received: {', '.join(f'{x.dtype} {x.shape}' for x in arrays) or 'none'}"
        )
    return arrays
