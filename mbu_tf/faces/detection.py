"""Every face in a photo, with its box and its eyes.

A first look goes over the photo at several sizes and finds where faces may be. A
second look at each of these places, turned upright and at the size that the network
knows best, dismisses what is none and says where the eyes are.
"""

import numbers
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from mbu_tf.faces.boxes import LEFT_EYE, RIGHT_EYE, moved, sides, without_repeats
from mbu_tf.types import Array

# The second look: first once, and what is less a face than this is dismissed; then at
# several squares, sides in sides of the face's box, whose mean is nearer the truth.
_ROUGH_SIDES, _ROUGH_SCORE, FINE_SIDES = (2.0,), 0.35, (1.6, 2.0, 2.4)
MIN_SCORE = 0.7


class Face(NamedTuple):
    """A face in a photo, in pixels; (0, 0) is the top-left corner of the top-left pixel.

    Attributes:
        box: (left, top, right, bottom) of a square around brows, eyes, nose and mouth,
            upright however the face is rolled; it may reach beyond the photo.
        left_eye, right_eye: (x, y) of the eyes that are left and right when the face is
            seen upright; in an upside-down face the left eye lies to the right.
        score: probability of a face, in [0, 1].
    """

    box: tuple[float, float, float, float]
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    score: float

    @property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """(left_eye, right_eye)."""
        return self.left_eye, self.right_eye


class NoFaceError(ValueError):
    """There is no face where one is needed. The message names the mend."""


def find_faces(
    photo: Array,
    smallest: float = 40,
    upside_down: bool = False,
    min_score: float = MIN_SCORE,
    near: Any = None,
) -> list[Face]:
    """The faces in a photo, the largest first.

    Args:
        photo: uint8 `(height, width, 3)`, any size.
        smallest: height in pixels, chin to brow, of the smallest faces looked for; time
            grows with its inverse squared.
        upside_down: whether faces rolled by more than 90° are looked for, too; it takes
            twice as long.
        min_score: what is less probably a face is left out.
        near: `Face`s, such as those of the frame before of a video: only there is looked for
            faces, of about that size and roll, which takes a fraction of the time.

    Returns:
        List of `Face`.

    Raises:
        ValueError: `photo` is no such array, or `smallest` is not positive.
    """
    # Here, so that what only names faces starts without Keras.
    from mbu_tf.faces.looks import first_look, second_look

    check_photo(photo)
    if not smallest > 0:
        raise ValueError(f"`smallest` must be a positive number of pixels. Received: {smallest!r}")
    photo = np.asarray(photo)
    picture = Image.fromarray(photo)
    if near is None:
        faces = first_look(photo, smallest)
        if upside_down:
            half_turn = np.array([[-1.0, 0.0, photo.shape[1]], [0.0, -1.0, photo.shape[0]]])
            turned = first_look(photo[::-1, ::-1], smallest)
            faces = np.concatenate([faces, moved(turned, half_turn)])
        faces, scores = second_look(picture, faces, _ROUGH_SIDES)
        faces = faces[scores >= _ROUGH_SCORE]
    else:
        faces = np.reshape([_as_points(face) for face in near], (-1, 8, 2))
    faces, scores = second_look(picture, faces, FINE_SIDES, mirror=True)
    kept = scores >= min_score
    faces, scores = without_repeats(faces[kept], scores[kept])
    order = np.argsort(-sides(faces), kind="stable")
    return [_as_face(faces[i], scores[i]) for i in order]


def choose_faces(faces: list[Face], which: str | int = "largest") -> list[Face]:
    """The faces asked for, of those that `find_faces` found.

    Args:
        faces: list of `Face`, the largest first.
        which: `"largest"`, `"all"` or an integer, 1 for the largest, 2 for the second.

    Returns:
        List of one `Face` or more.

    Raises:
        NoFaceError: `faces` is empty.
        ValueError: there is no such face, or `which` is none of the three.
    """
    number = isinstance(which, numbers.Integral) and not isinstance(which, bool) and which >= 1
    if not number and which not in ("largest", "all"):
        raise ValueError(
            "`which` must be 'largest', 'all' or a number from 1, which is the largest. "
            f"Received: {which!r}"
        )
    if not faces:
        raise NoFaceError(
            "No face was found in the photo. Take another photo, or one in which the face is "
            "larger and seen from the front; or use the centre of the photo, whatever it shows: "
            "--framing centre."
        )
    if which == "all":
        return list(faces)
    place = 1 if which == "largest" else int(which)
    if place > len(faces):
        found = "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise ValueError(
            f"{found} found in the photo, numbered from the largest. "
            f"Choose a number from 1 to {len(faces)}. Received: {which}"
        )
    return [faces[place - 1]]


def check_photo(photo):
    """Raises ValueError if `photo` is not RGB, uint8 `(height, width, 3)`, or empty."""
    photo = np.asarray(photo)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[-1] != 3 or not photo.size:
        raise ValueError(
            "A photo must be RGB, uint8 (height, width, 3), as `mbu_tf.data.images.read_image` "
            f"gives it. Received: {photo.dtype} {photo.shape}"
        )


def _as_points(face):
    """A `Face` as what `second_look` takes; nose, mouth and ears are not known."""
    points = np.full((8, 2), np.nan)
    points[:2] = np.reshape(face.box, (2, 2))
    points[LEFT_EYE], points[RIGHT_EYE] = face.eyes
    return points


def _as_face(face, score):
    box, left_eye, right_eye = (
        tuple(points.ravel().tolist()) for points in (face[:2], face[LEFT_EYE], face[RIGHT_EYE])
    )
    return Face(box, left_eye, right_eye, float(score))
