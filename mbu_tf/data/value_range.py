"""The one value range of the library.

Images are float32 in [-1, 1], RGB, channels last; masks are float32 in [0, 1].
"""

import numpy as np

from mbu_tf.types import Array, Floats, Pixels


def to_model_range(images: Array) -> Floats:
    """uint8 images in [0, 255] as float32 in [-1, 1]."""
    return np.asarray(images, np.float32) / 127.5 - 1.0


def to_uint8(images: Array) -> Pixels:
    """Images in [-1, 1] as uint8 in [0, 255], rounded; the inverse of `to_model_range`."""
    scaled = np.rint((np.asarray(images, np.float32) + 1.0) * 127.5)
    return np.clip(scaled, 0, 255).astype(np.uint8)
