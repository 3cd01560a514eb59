"""Trained models as files for servers, phones, browsers and other runtimes."""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "Exporting needs KERAS_BACKEND=tensorflow; a model file saved under another backend "
        f"loads there as it is. Received: KERAS_BACKEND={keras.backend.backend()}"
    )

from mbu_tf.exporting.onnx import export_onnx
from mbu_tf.exporting.saved_model import export_saved_model
from mbu_tf.exporting.signatures import Operation, operations, signatures
from mbu_tf.exporting.tflite import export_tflite

__all__ = [
    "Operation",
    "export_onnx",
    "export_saved_model",
    "export_tflite",
    "operations",
    "signatures",
]
