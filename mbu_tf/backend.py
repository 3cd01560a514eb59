"""TensorFlow beside another backend of Keras, where it reads data alone."""

import contextlib

import keras


def leave_gpu_to_keras():
    """Keep TensorFlow off the GPU unless Keras computes with it.

    `tf.data` feeds every backend; TensorFlow would take the GPU's memory for
    itself nevertheless. To be called before TensorFlow's first operation.
    """
    if keras.backend.backend() == "tensorflow":
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # In use already, it keeps what it has.
        tf.config.set_visible_devices([], "GPU")
