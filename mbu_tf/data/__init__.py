"""Image sources, each giving the two domains as `TwoDomains`."""

from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range, to_uint8
from mbu_tf.data.images import read_image, read_photo, write_png
from mbu_tf.data.photo import Photo
from mbu_tf.data.sources import load_source

__all__ = [
    "ImageArray",
    "Photo",
    "TwoDomains",
    "load_source",
    "read_image",
    "read_photo",
    "to_model_range",
    "to_uint8",
    "write_png",
]
