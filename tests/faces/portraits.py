"""Two public-domain portraits that come with packages, and where their eyes are by sight."""

import functools
import pathlib

import matplotlib
import numpy as np
import skimage.data
from PIL import Image

from mbu_tf.data import read_image

ASTRONAUT_EYES = ((203.0, 102.0), (247.5, 104.0))
HOPPER_EYES = ((222.0, 190.0), (306.0, 188.5))


def astronaut():
    """Eileen Collins, uint8 `(512, 512, 3)`, her face 95 px high."""
    return skimage.data.astronaut()


@functools.cache
def hopper():
    """Grace Hopper with glasses, uint8 `(600, 512, 3)`, her face 180 px high."""
    folder = pathlib.Path(matplotlib.get_data_path())
    return read_image(folder / "sample_data" / "grace_hopper.jpg")


def turned(photo, degrees, size=700, scale=1.0, fill=(90, 120, 90)):
    """A photo turned clockwise about its middle, and the way of its points `(n, 2)`.

    Returns:
        uint8 `(size, size, 3)` and a function from points of `photo` to points of it.
    """
    radians = np.deg2rad(degrees)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    turn, middle = scale * turn, np.array(photo.shape[1::-1]) / 2
    back = np.linalg.inv(turn)
    matrix = np.column_stack([back, middle - back @ np.full(2, size / 2)])
    picture = Image.fromarray(photo).transform(
        (size, size),
        Image.Transform.AFFINE,
        matrix.ravel().tolist(),
        Image.Resampling.BICUBIC,
        fillcolor=fill,
    )
    return np.array(picture), lambda points: (points - middle) @ turn.T + size / 2
