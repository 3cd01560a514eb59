"""Pictures with two dots for each face's eyes, and a detector of such dots."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage


class Dots(NamedTuple):
    left_eye: tuple
    right_eye: tuple

    @property
    def eyes(self):
        return self.left_eye, self.right_eye


def picture(faces, height=120, width=160):
    """Grey with a red dot at each left eye and a green one at each right eye, pixels (x, y)."""
    image = np.full((height, width, 3), 128, np.uint8)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for eyes in faces:
        radius = max(1.5, abs(complex(*eyes[1]) - complex(*eyes[0])) / 8)
        for (eye_x, eye_y), colour in zip(eyes, [(255, 0, 0), (0, 255, 0)], strict=True):
            image[np.hypot(x - eye_x, y - eye_y) <= radius] = colour
    return image


def find(photo):
    """The faces of such a picture, largest first."""
    left, right = (_dots(photo[..., a], photo[..., b]) for a, b in ((0, 1), (1, 0)))
    faces = [
        Dots(eye, other)
        for eye in left
        for other in right
        if other == _nearest(right, eye) and eye == _nearest(left, other)
    ]
    return sorted(faces, key=lambda x: -np.hypot(*np.subtract(*x.eyes)))


def _nearest(dots, place):
    return min(dots, key=lambda x: np.hypot(x[0] - place[0], x[1] - place[1]))


def _dots(high, low):
    share = np.clip(high.astype(float) - low, 0, None)
    labels, count = ndimage.label(share > 60)
    centres = ndimage.center_of_mass(share, labels, range(1, count + 1))
    return [(float(x) + 0.5, float(y) + 0.5) for y, x in centres]
