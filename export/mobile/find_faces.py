"""Faces in a photo, found by models/faces.tflite of the page: what the page does, in Python.

python find_faces.py FACES.tflite PHOTO  prints the eyes of each face, the largest first.

A first look goes over the photo at several sizes, tile by tile, and finds where faces may
be. A second look at each of these places, turned upright and at the size that the network
knows best, dismisses what is none and says where the eyes are.

Faces are float `(n, 4, 2)`, (x, y) in pixels: the corners of a square around brows and
mouth, top-left and bottom-right, and the eyes that are left and right in an upright face.
"""

import argparse

import numpy as np
import photo_file
from PIL import Image

# The network is shown so large pictures, and in them sees faces of 20 to 85 pixels.
SIZE = 128
# From one tile to the next: they overlap by the largest face that the next size cannot see.
STEP = 80
# The longer side of a photo where it is searched: a face of a 24th of it is still found.
SEARCHED = 640
FIRST_SCORE, ROUGH_SCORE, LEAST_SCORE = 0.5, 0.35, 0.7
# Sides of the squares around a face, in sides of its own, in which it is looked at again.
ROUGH, FINE = (2.0,), (1.6, 2.0, 2.4)
# There it lies in the middle, and what overlaps it this much speaks of the same face.
MIDDLE, SAME_FACE, LEAST_VOTE = 0.2, 0.3, 0.2


class FaceFinder:
    """The network of one .tflite file."""

    def __init__(self, path, threads=1):
        from ai_edge_litert.interpreter import Interpreter

        self._find = Interpreter(str(path), num_threads=threads).get_signature_runner("find")

    def eyes(self, photo):
        """The eyes ((x, y), (x, y)) of each face in a uint8 photo, the largest face's first."""
        picture = Image.fromarray(photo)
        faces, scores = [np.zeros((0, 4, 2))], [np.zeros(0)]
        for factor in factors(*picture.size):
            small = np.asarray(picture.reduce(factor))
            for left, top in tiles(small):
                tile = np.zeros((SIZE, SIZE, 3), np.float32)
                part = small[top : top + SIZE, left : left + SIZE]
                tile[: part.shape[0], : part.shape[1]] = part
                seen, found = self._seen(tile)
                likely = found >= FIRST_SCORE
                faces.append((seen[likely] + (left, top)) * factor)
                scores.append(found[likely])
        kept = []
        for face in blended(np.concatenate(faces), np.concatenate(scores)):
            face, score = self._look(picture, face, ROUGH)
            if score >= ROUGH_SCORE:
                kept.append(self._look(picture, face, FINE))
        kept = without_repeats([x for x in kept if x[1] >= LEAST_SCORE])
        kept.sort(key=lambda face: face[0, 0] - face[1, 0])
        return [tuple(map(tuple, face[2:].tolist())) for face in kept]

    def _seen(self, pixels):
        """Faces `(896, 4, 2)` and scores `(896,)` in float32 pixels `(128, 128, 3)`."""
        found = self._find(pictures=np.ascontiguousarray(pixels[None], np.float32))
        return found["faces"][0, :, :4].astype(np.float64), found["scores"][0]

    def _look(self, picture, face, sides):
        """A face and its score, the mean of upright squares and their mirror images."""
        looks = []
        for side in sides:
            crop, to_picture = upright_crop(picture, face, side)
            for mirrored in (False, True):
                found, score = middle_face(*self._seen(crop[:, ::-1] if mirrored else crop))
                looks.append((moved(reflected(found) if mirrored else found, to_picture), score))
        return tuple(np.mean(parts, axis=0) for parts in zip(*looks, strict=True))


def factors(width, height):
    """By how much a photo is shrunk, the network's size the last."""
    factor = 1
    while max(width, height) / factor > SEARCHED:
        factor *= 2
    while True:
        yield factor
        if max(width, height) / factor <= SIZE:
            return
        factor *= 2


def tiles(picture):
    """Upper left corners (left, top) of the tiles that cover a picture, spread evenly."""

    def along(side):
        count = max(0, -(-(side - SIZE) // STEP))
        return [round(i * (side - SIZE) / count) for i in range(count + 1)] if count else [0]

    height, width = picture.shape[:2]
    return [(left, top) for top in along(height) for left in along(width)]


def upright_crop(picture, face, side):
    """The square around a face, eyes level, `side` times as large, black beyond the photo.

    Returns:
        uint8 `(128, 128, 3)`, and the 2 x 3 matrix from its pixels to the photo's.
    """
    scale = side * (face[1, 0] - face[0, 0]) / SIZE
    across = face[3] - face[2]
    x, y = across / max(np.hypot(*across), 1e-6) * scale
    turn, center = np.array([[x, -y], [y, x]]), face[:2].mean(axis=0)
    to_picture = np.column_stack([turn, center - turn @ np.full(2, SIZE / 2)])
    shrinking = max(1, int(scale))  # What falls together is averaged.
    matrix = (to_picture / shrinking).ravel().tolist()
    crop = picture.reduce(shrinking).transform(
        (SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(crop), to_picture


def middle_face(faces, scores):
    """The face in the middle of a crop, blended of all that speak of it; score 0 if none."""
    offsets = np.abs(faces[:, :2].mean(axis=1) / SIZE - 0.5).max(axis=-1)
    best = np.argmax(np.where(offsets <= MIDDLE, scores, -1))
    if offsets[best] > MIDDLE:
        return faces[best], 0.0
    group = (overlaps(faces[best], faces) > SAME_FACE) & (scores > LEAST_VOTE)
    group[best] = True
    return np.average(faces[group], axis=0, weights=scores[group]), scores[best]


def reflected(face):
    """A face in a crop, from that in its mirror image."""
    (left, top), (right, bottom), left_eye, right_eye = face * (-1, 1) + (SIZE, 0)
    return np.array([(right, top), (left, bottom), right_eye, left_eye])


def moved(face, matrix):
    """A face under a similarity; its square stays upright."""
    turn, shift = matrix[:, :2], matrix[:, 2]
    half = (face[1] - face[0]) / 2 * np.hypot(*turn[:, 0])
    center = turn @ face[:2].mean(axis=0) + shift
    return np.array([center - half, center + half, *(face[2:] @ turn.T + shift)])


def blended(faces, scores):
    """One face for each group of overlapping ones: their mean, weighted by score.

    As the BlazeFace paper has it (section 3.4).
    """
    while len(scores):
        best = np.argmax(scores)
        group = overlaps(faces[best], faces) > SAME_FACE
        group[best] = True
        yield np.average(faces[group], axis=0, weights=scores[group])
        faces, scores = faces[~group], scores[~group]


def without_repeats(found):
    """The best of the (face, score) that share more than half of the smaller one's square."""
    kept = []
    for face, _ in sorted(found, key=lambda x: -x[1]):
        others = np.reshape(kept, (-1, 4, 2))
        smaller = np.minimum(area(face), area(others))
        if not (shared(face, others) > 0.5 * smaller).any():
            kept.append(face)
    return kept


def shared(face, faces):
    sides = np.minimum(face[1], faces[:, 1]) - np.maximum(face[0], faces[:, 0])
    return np.prod(np.maximum(sides, 0), axis=-1)


def area(faces):
    return np.prod(faces[..., 1, :] - faces[..., 0, :], axis=-1)


def overlaps(face, faces):
    """Intersection over union of one face's square with each of many."""
    both = shared(face, faces)
    return both / np.maximum(area(face) + area(faces) - both, 1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", metavar="FACES.tflite")
    parser.add_argument("photo", metavar="IMAGE")
    arguments = parser.parse_args()
    photo = photo_file.read(arguments.photo).shown
    for left, right in FaceFinder(arguments.faces).eyes(photo):
        print(",".join(f"{x:.1f}" for x in (*left, *right)))


if __name__ == "__main__":
    main()
