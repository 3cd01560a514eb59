"""Pictures with two dots for each face's eyes, and a detector of such dots."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage


class Dots(NamedTuple):
    box: tuple
    left_eye: tuple
    right_eye: tuple


def picture(faces, height=120, width=160):
    """Grey with a red dot at each left eye and a green one at each right eye, pixels (x, y)."""
    image = np.full((height, width, 3), 128, np.uint8)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for eyes in faces:
        radius = max(1.5, abs(complex(*eyes[1]) - complex(*eyes[0])) / 8)
        for (eye_x, eye_y), colour in zip(eyes, [(255, 0, 0), (0, 255, 0)], strict=True):
            image[np.hypot(x - eye_x, y - eye_y) <= radius] = colour
    return image


def find(photo, near=None, min_score=None):
    """The faces of such a picture, largest first; if told, those near faces alone."""
    left, right = (_dots(photo[..., a], photo[..., b]) for a, b in ((0, 1), (1, 0)))
    faces = [
        Dots((*eye, *other), eye, other)
        for eye in left
        for other in right
        if other == _nearest(right, eye) and eye == _nearest(left, other)
    ]
    if near is not None:
        faces = [face for face in faces if any(_is_near(face, place) for place in near)]
    return sorted(faces, key=lambda face: -_length(face.left_eye, face.right_eye))


def _is_near(face, place):
    start, end = np.reshape(place.box, (2, 2))
    np.testing.assert_allclose([start, end], [place.left_eye, place.right_eye])
    return _length(face.left_eye, start) < 0.7 * _length(start, end)


def _length(start, end):
    return np.hypot(*np.subtract(start, end))


def _nearest(dots, place):
    return min(dots, key=lambda dot: _length(dot, place))


def _dots(high, low):
    share = np.clip(high.astype(float) - low, 0, None)
    labels, count = ndimage.label(share > 60)
    centres = ndimage.center_of_mass(share, labels, range(1, count + 1))
    return [(float(x) + 0.5, float(y) + 0.5) for y, x in centres]
