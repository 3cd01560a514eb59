"""Aligned faces pasted into photos at random: scenes in which every face's place is known."""

from typing import NamedTuple

import numpy as np
from PIL import Image

# Where aligned photos of CelebA, 178 x 218 px, are meant to have their eyes; (0, 0) is a
# corner. On average they lie 1.5 px lower, see `mbu_tf.data.celeba.EYES`.
ALIGNED_SIZE = (178, 218)
ALIGNED_LEFT_EYE, ALIGNED_RIGHT_EYE = (69.5, 111.5), (107.5, 111.5)
# From chin to brow, about 2.15 eye distances, and the middle between the two.
ALIGNED_FACE_HEIGHT, ALIGNED_FACE_CENTER = 82.0, (88.5, 134.0)
# What is pasted: an ellipse around the head, so that few bystanders come along.
_ELLIPSE_CENTER, _ELLIPSE_AXES, _FEATHER = (88.5, 118.0), (82.0, 100.0), 0.06
# In face heights: no photo is pasted over another's face or has its face cut off.
_FACE_RADIUS, _PASTED_RADIUS = 0.65, 1.3


class PastedFace(NamedTuple):
    """Where a face lies in a scene, in pixels from the corner of the top-left one.

    Attributes:
        left_eye, right_eye: (x, y), left and right as the upright face is seen.
        height: from chin to brow.
        roll: degrees; positive is clockwise as seen.
    """

    left_eye: tuple
    right_eye: tuple
    height: float
    roll: float


def paste_faces(background, photos, rng, heights=(40, 500), roll=45):
    """A scene of aligned faces at random places, sizes and rolls.

    Args:
        background: uint8 `(height, width, 3)` without faces.
        photos: aligned photos, each uint8 `(218, 178, 3)`, framed as CelebA's.
        rng: `numpy.random.Generator`.
        heights: least and greatest height of a face, chin to brow, in pixels; drawn
            evenly on a logarithmic scale.
        roll: greatest roll either way, in degrees.

    Returns:
        The scene, uint8 of the background's size, and a list of `PastedFace`s. No
        face is covered or cut off; one that finds no room is left out.
    """
    scene = np.array(background)
    drawn = np.exp(rng.uniform(*np.log(heights), len(photos)))
    pasted = []
    for photo, height in sorted(zip(photos, drawn, strict=True), key=lambda pair: -pair[1]):
        center = _free_place(scene.shape, height, pasted, rng)
        if center is None:
            continue
        angle = rng.uniform(-roll, roll)
        forward = _similarity(height / ALIGNED_FACE_HEIGHT, angle, center)
        _paste(scene, photo, forward)
        eyes = (_moved(forward, eye) for eye in (ALIGNED_LEFT_EYE, ALIGNED_RIGHT_EYE))
        pasted.append((center, PastedFace(*eyes, height, angle)))
    return scene, [face for _, face in pasted]


def _free_place(shape, height, pasted, rng, tries=200):
    margin = _FACE_RADIUS * height
    room = np.array([shape[1], shape[0]]) - 2 * margin
    if (room < 0).any():
        return None
    for _ in range(tries):
        center = margin + rng.uniform(size=2) * room
        if all(
            np.hypot(*(center - other)) > _PASTED_RADIUS * height + _FACE_RADIUS * face.height
            for other, face in pasted
        ):
            return center
    return None


def _similarity(scale, angle, center):
    """2 x 3 matrix from the aligned photo to the scene, the face's centre to `center`."""
    angle = np.deg2rad(angle)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, center - turn @ ALIGNED_FACE_CENTER])


def _moved(matrix, point):
    return tuple((matrix @ [*point, 1.0]).tolist())


def _paste(scene, photo, forward):
    """Lays the ellipse around the head on the scene, in place."""
    columns, rows = (np.arange(size) + 0.5 for size in ALIGNED_SIZE)
    distance = np.hypot(
        (columns - _ELLIPSE_CENTER[0]) / _ELLIPSE_AXES[0],
        ((rows - _ELLIPSE_CENTER[1]) / _ELLIPSE_AXES[1])[:, None],
    )
    opacity = np.clip((1.0 - distance) / _FEATHER, 0.0, 1.0)
    layer = np.dstack([photo, np.rint(255 * opacity).astype(np.uint8)])
    layer = Image.fromarray(layer)
    # Shrunk first, with the pixels that fall together averaged; then turned.
    scale = np.hypot(*forward[:, 0])
    size = [max(1, round(side * min(1.0, scale))) for side in ALIGNED_SIZE]
    shrunk = np.divide(size, ALIGNED_SIZE)
    layer = layer.resize(size, Image.Resampling.BICUBIC)
    backward = np.linalg.inv(np.vstack([forward, [0, 0, 1]]))[:2] * shrunk[:, None]
    height, width = scene.shape[:2]
    layer = layer.transform(
        (width, height), Image.Transform.AFFINE, backward.ravel(), Image.Resampling.BICUBIC
    )
    layer = np.asarray(layer, np.float32)
    share = layer[..., 3:] / 255.0
    scene[:] = np.rint(scene + share * (layer[..., :3] - scene))
