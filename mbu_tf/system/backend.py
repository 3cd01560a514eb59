"""Which backend Keras computes with, and on what."""

import contextlib
import sys

import keras


def tensorflow_in_use():
    """TensorFlow if anything has imported it, else `None`: nothing is then of its kind.

    Where Keras computes with JAX, training needs none, and a machine may have none.
    """
    return sys.modules.get("tensorflow")


def tensorflow_on_cpu():
    """Whether Keras computes with TensorFlow, and without a GPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


@contextlib.contextmanager
def channels_last():
    """Within the block Keras lays out images as everything here does, in float32.

    Whatever its file says.
    """
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        layout, floatx, policy = before
        keras.config.set_image_data_format(layout)
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def leave_gpu_to_keras():
    """Keep TensorFlow off the GPU unless Keras computes with it.

    `tf.data` feeds every backend; TensorFlow would take the GPU's memory for
    itself nevertheless. To be called before TensorFlow's first operation.
    """
    if keras.backend.backend() == "tensorflow":
        return
    try:
        import tensorflow as tf
    except ImportError:
        return
    with contextlib.suppress(RuntimeError):  # In use already, it keeps what it has.
        tf.config.set_visible_devices([], "GPU")
