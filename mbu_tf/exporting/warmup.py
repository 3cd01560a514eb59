"""Requests with which TensorFlow Serving warms a model up before it answers others."""

import numpy as np
import tensorflow as tf

# Where and as what TensorFlow Serving looks for them.
FILE = "assets.extra/tf_serving_warmup_requests"


def write(table, image_size, name, folder):
    """Write one request to each signature of `table` beside the SavedModel in `folder`.

    Args:
        table: signature name to `Signature`.
        image_size: height and width of the images in files.
        name: what requests call the model.
        folder: `pathlib.Path` of the version.

    Raises:
        ImportError: if the package `tensorflow-serving-api` is missing.
    """
    predict_pb2, prediction_log_pb2 = messages()
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature_name, signature in table.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature_name
            for key, spec in signature.inputs.items():
                value = tf.make_tensor_proto(example(spec, image_size))
                request.inputs[key].CopyFrom(value)
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def example(spec, image_size):
    """One image for an input of `spec`, grey: a batch of numbers, or of a PNG file's bytes.

    Of eyes those at a quarter and three quarters of it.
    """
    if spec.dtype == tf.string:
        grey = tf.fill((image_size, image_size, 3), tf.constant(128, tf.uint8))
        return np.array([tf.io.encode_png(grey).numpy()], dtype=object)
    if spec.shape.rank == 2:
        return np.array([[0.25, 0.5, 0.75, 0.5]], np.float32) * image_size
    return np.full((1, *spec.shape[1:]), 0.5, np.float32)


def messages():
    """The modules of TensorFlow Serving's requests and of its log of them.

    Raises:
        ImportError: if the package `tensorflow-serving-api` is missing.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "Warm-up requests need the package tensorflow-serving-api: install "
            "`mbu_tf[serving]`, or export without them (`--no-warm-up`)."
        ) from error
    return predict_pb2, prediction_log_pb2
