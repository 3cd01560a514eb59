"""Arithmetic on faces as `load_blazeface` gives them: float `(n, 8, 2)`.

Of the 8 points (x, y) the first two are the corners of the box, top-left and
bottom-right, then come the eyes, left and right as seen upright, nose, mouth and ears.
"""

import numpy as np

LEFT_EYE, RIGHT_EYE = 2, 3
# Which of the points each is in a mirrored picture, counted from the eyes.
MIRRORED_POINTS = (1, 0, 2, 3, 5, 4)


def centers(faces):
    """Middles of the boxes, `(n, 2)`."""
    return faces[:, :2].mean(axis=1)


def sides(faces):
    """Widths of the boxes, which are about square, `(n,)`."""
    return faces[:, 1, 0] - faces[:, 0, 0]


def overlaps(face, faces):
    """Intersection over union of one box with each of many, `(n,)`."""
    shared = _intersections(face, faces)
    return shared / np.maximum(_areas(face) + _areas(faces) - shared, 1e-9)


def blended(faces, scores, overlap=0.3):
    """One face for each group of overlapping ones: their mean, weighted by score.

    The blending of the BlazeFace paper (section 3.4), which trembles less than the best
    face of each group would.

    Args:
        faces: `(n, 8, 2)`.
        scores: `(n,)`, positive.
        overlap: intersection over union with the group's best face from which on a face
            belongs to the group.

    Returns:
        Faces `(m, 8, 2)`, the best first.
    """
    means = []
    while len(scores):
        best = np.argmax(scores)
        group = overlaps(faces[best], faces) > overlap
        group[best] = True
        means.append(np.average(faces[group], axis=0, weights=scores[group]))
        faces, scores = faces[~group], scores[~group]
    return np.reshape(means, (-1, 8, 2))


def without_repeats(faces, scores):
    """The best of faces that share more than half of the smaller one's box."""
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        smaller = np.minimum(_areas(faces[i]), _areas(faces[kept]))
        if not (_intersections(faces[i], faces[kept]) > 0.5 * smaller).any():
            kept.append(i)
    return faces[kept], scores[kept]


def moved(faces, matrix):
    """Faces under a similarity, a 2 x 3 matrix; their boxes stay upright squares."""
    turn, shift = matrix[:, :2], matrix[:, 2]
    half = (faces[:, 1] - faces[:, 0])[:, None] / 2 * np.hypot(*turn[:, 0])
    corners = (centers(faces) @ turn.T + shift)[:, None] + half * [[-1], [1]]
    return np.concatenate([corners, faces[:, 2:] @ turn.T + shift], axis=1)


def mirrored(faces, width):
    """Faces in a picture, from those in its mirror image."""
    corners = np.stack([faces[:, 1] * (-1, 0), faces[:, 0] * (-1, 0)], axis=1)
    corners += faces[:, :2] * (0, 1) + (width, 0)
    points = faces[:, 2:][:, list(MIRRORED_POINTS)] * (-1, 1) + (width, 0)
    return np.concatenate([corners, points], axis=1)


def _intersections(face, faces):
    shared = np.minimum(face[1], faces[:, 1]) - np.maximum(face[0], faces[:, 0])
    return np.prod(np.maximum(shared, 0.0), axis=-1)


def _areas(faces):
    return np.prod(faces[..., 1, :] - faces[..., 0, :], axis=-1)
