"""Random changes of place and colour that say nothing of an image's domain."""

import math

import numpy as np
from PIL import Image

# The furthest that an image is turned, in radians; enlarged or shrunk, as a
# logarithm; and moved, in shares of its side.
TURN, SCALE, SHIFT = 0.06, 0.06, 0.03
# Of brightness, in [-1, 1]; of contrast and of each channel's, in shares; of how
# far colours lie from grey.
BRIGHTNESS, CONTRAST, CHANNEL, SATURATION = 0.12, 0.15, 0.08, 0.3
# Random numbers that one image takes.
DRAWS = 10


def augmented(images, draws):
    """Images turned, enlarged, moved, and in another light, all a little.

    What lies beyond the edges is what lies before them, mirrored.

    Args:
        images: uint8 `(count, size, size, 3)`.
        draws: random numbers in [-1, 1], `(count, DRAWS)`; where they are 0 nothing is
            changed.

    Returns:
        float32 like `images`, in [-1, 1].
    """
    size = images.shape[1]
    draws = np.asarray(draws, np.float64)
    turns, scales = TURN * draws[:, 0], np.exp(SCALE * draws[:, 1])
    shifts = SHIFT * size * draws[:, 2:4]
    # The corners of an image that is turned, shrunk and moved at once.
    margin = math.ceil(size * (TURN + SCALE + SHIFT)) + 1
    padded = np.pad(images, [(0, 0), (margin, margin), (margin, margin), (0, 0)], "symmetric")
    middle = size / 2
    moved = np.empty(images.shape, np.float32)
    for image, each, turn, scale, shift in zip(moved, padded, turns, scales, shifts, strict=True):
        a, b = math.cos(turn) / scale, math.sin(turn) / scale
        x, y = (middle + margin + shift) - middle * np.array([a - b, a + b])
        image[:] = Image.fromarray(each).transform(
            (size, size), Image.Transform.AFFINE, (a, -b, x, b, a, y), Image.Resampling.BICUBIC
        )
    return _relit(moved / 127.5 - 1, draws[:, 4:])


def _relit(images, draws):
    """Float images in [-1, 1] in another light; of `draws` each image takes 6."""
    draws = np.float32(draws)[:, None, None]
    images = images * (1 + CONTRAST * draws[..., :1]) * (1 + CHANNEL * draws[..., 1:4])
    grey = images.mean(axis=-1, keepdims=True)
    images = grey + (images - grey) * (1 + SATURATION * draws[..., 4:5])
    return np.clip(images + BRIGHTNESS * draws[..., 5:6], -1, 1)
