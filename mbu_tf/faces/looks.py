"""The network's two looks at a photo: where faces may be, and how they lie exactly."""

import numpy as np
from PIL import Image

from mbu_tf.faces.blazeface import STRIDE, TRAINED_SIZE, load_blazeface
from mbu_tf.faces.boxes import (
    LEFT_EYE,
    RIGHT_EYE,
    blended,
    centers,
    mirrored,
    moved,
    overlaps,
    sides,
)

# First look: the least score, and how high the smallest face is shown to the network.
FIRST_SCORE, _SMALLEST_SHOWN = 0.5, 28
# Its pictures are cut into tiles, which overlap by the largest face they are to find.
_TILE, _TILE_OVERLAP = 1024, 128
# Second look: how far from the middle, in sides of the crop, the face may lie.
MIDDLE, _LEAST_VOTE, SAME_FACE = 0.2, 0.2, 0.3
# Crops are looked at by so many, as some backends compile the network for each number.
_CROPS = 8


def first_look(photo, smallest):
    """Where faces may be, in a photo shown at one size after the other.

    Args:
        photo: uint8 `(height, width, 3)`.
        smallest: height of the smallest face looked for, chin to brow, in pixels.

    Returns:
        Faces `(n, 8, 2)` with their middle in the photo; some are none.
    """
    height, width = photo.shape[:2]
    picture = Image.fromarray(photo)
    faces, scores = [np.zeros((0, 8, 2))], [np.zeros(0)]
    for size in _sizes(width, height, smallest):
        shown = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
        for corner, tile in _tiles(shown):
            seen = load_blazeface().predict_on_batch(tile[None])
            likely = seen["scores"][0] >= FIRST_SCORE
            faces.append((seen["faces"][0, likely] + corner) * np.divide((width, height), size))
            scores.append(seen["scores"][0, likely])
    faces = blended(np.concatenate(faces), np.concatenate(scores))
    inside = (centers(faces) >= 0) & (centers(faces) < (width, height))
    return faces[inside.all(axis=1) & (sides(faces) >= 1)]


def second_look(picture, faces, crop_sides, mirror=False):
    """Faces and scores from upright squares around them; the mean of several squares.

    Args:
        picture: Pillow image, RGB.
        faces: `(n, 8, 2)` in its pixels.
        crop_sides: sides of the squares, in sides of a face's box.
        mirror: whether each square is looked at in the mirror, too.

    Returns:
        Faces `(n, 8, 2)` and scores `(n,)`, 0 where no face lies in the middle.
    """
    crops = [_upright_crop(picture, face, side) for face in faces for side in crop_sides]
    if not crops:
        return faces, np.zeros(0)
    pixels, to_picture = (np.stack(parts) for parts in zip(*crops, strict=True))
    if mirror:
        pixels = np.concatenate([pixels, pixels[:, :, ::-1]])
    seen, scores = _seen_in(pixels)
    if mirror:
        plain, reflected = np.split(seen, 2)
        seen = (plain + mirrored(reflected, TRAINED_SIZE)) / 2
        scores = np.mean(np.split(scores, 2), axis=0)
    seen = [moved(face[None], matrix) for face, matrix in zip(seen, to_picture, strict=True)]
    each = (len(faces), len(crop_sides))
    return np.reshape(seen, (*each, 8, 2)).mean(axis=1), scores.reshape(each).mean(axis=1)


def _sizes(width, height, smallest):
    """Sizes (width, height) to show a photo at, each half of the one before."""
    scale = _SMALLEST_SHOWN / smallest
    while True:
        yield tuple(max(1, round(side * scale)) for side in (width, height))
        if max(width, height) * scale <= TRAINED_SIZE:
            return
        scale /= 2


def _tiles(picture):
    """Overlapping parts with their (x, y), as float32; black is added to fill them up."""
    height, width = picture.shape[:2]
    step = _TILE - _TILE_OVERLAP
    for top in range(0, max(1, height - _TILE_OVERLAP), step):
        for left in range(0, max(1, width - _TILE_OVERLAP), step):
            part = picture[top : top + _TILE, left : left + _TILE].astype(np.float32)
            # To few different sizes, for the same reason as `_CROPS`.
            below, beside = (-side % (4 * STRIDE) for side in part.shape[:2])
            yield (left, top), np.pad(part, ((0, below), (0, beside), (0, 0)))


def _upright_crop(picture, face, side):
    """The square around a face, `side` boxes wide, with the eyes level.

    Returns:
        uint8 `(128, 128, 3)`, black beyond the picture, and the 2 x 3 matrix from its
        pixels to the picture's.
    """
    scale = side * (face[1, 0] - face[0, 0]) / TRAINED_SIZE
    across = face[RIGHT_EYE] - face[LEFT_EYE]
    x, y = across / max(np.hypot(*across), 1e-6) * scale
    turn, center = np.array([[x, -y], [y, x]]), face[:2].mean(axis=0)
    to_picture = np.column_stack([turn, center - turn @ np.full(2, TRAINED_SIZE / 2)])
    # Pixels that fall together are averaged before the square is turned.
    shrinking = max(1, int(scale))
    reach = np.sqrt(0.5) * TRAINED_SIZE * scale + shrinking
    low = np.clip(np.floor(center - reach), 0, np.subtract(picture.size, 1)).astype(int)
    high = np.clip(np.ceil(center + reach), low + 1, picture.size).astype(int)
    to_part = to_picture.copy()
    to_part[:, 2] -= low
    crop = picture.reduce(shrinking, (*low.tolist(), *high.tolist())).transform(
        (TRAINED_SIZE, TRAINED_SIZE),
        Image.Transform.AFFINE,
        (to_part / shrinking).ravel().tolist(),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(crop), to_picture


def _seen_in(crops):
    """The face in the middle of each crop `(n, 128, 128, 3)`, and its score."""
    count = len(crops)
    crops = np.pad(crops, ((0, -count % _CROPS), (0, 0), (0, 0), (0, 0))).astype(np.float32)
    batches = np.split(crops, len(crops) // _CROPS)
    seen = [load_blazeface().predict_on_batch(batch) for batch in batches]
    faces, scores = (np.concatenate([part[key] for part in seen]) for key in ("faces", "scores"))
    found = [_middle_face(*each) for each in zip(faces[:count], scores[:count], strict=True)]
    return tuple(np.stack(parts) for parts in zip(*found, strict=True))


def _middle_face(faces, scores):
    offsets = np.abs(centers(faces) / TRAINED_SIZE - 0.5).max(axis=-1)
    best = np.argmax(np.where(offsets <= MIDDLE, scores, -1.0))
    if offsets[best] > MIDDLE:
        return faces[best], 0.0
    group = (overlaps(faces[best], faces) > SAME_FACE) & (scores > _LEAST_VOTE)
    group[best] = True
    return np.average(faces[group], axis=0, weights=scores[group]), scores[best]
