"""A film of a face that moves, rolls and comes nearer, and where its eyes are in each frame."""

import numpy as np
from PIL import Image


def moving_face(photo, box, eyes, frames):
    """Frames of 640 x 480 over which a part of a photo goes once round.

    Args:
        photo: uint8 `(height, width, 3)`.
        box: the part, (left, top, right, bottom).
        eyes: ((x, y), (x, y)) in it, in pixels of the photo.
        frames: how many.

    Yields:
        `(frame, eyes)`: uint8 `(480, 640, 3)`, and the eyes in it.
    """
    left, top, right, bottom = box
    face = Image.fromarray(photo).crop(box)
    there = Image.new("L", face.size, 255)
    y, x = np.mgrid[:480, :640]
    background = np.stack([90 + x / 10, 120 + 40 * np.sin(y / 40), 100 + y / 10], -1)
    for i in range(frames):
        around = 2 * np.pi * i / frames
        # Of complex numbers a similarity is z -> turn * z + corner.
        turn = (1.1 + 0.2 * np.cos(around)) * np.exp(0.35j * np.sin(around))
        middle = complex(320 + 110 * np.cos(around), 240 + 60 * np.sin(2 * around))
        corner = middle - turn * complex((right - left) / 2, (bottom - top) / 2)
        back, start = 1 / turn, -corner / turn
        matrix = (back.real, -back.imag, start.real, back.imag, back.real, start.imag)
        frame = Image.fromarray(background.astype(np.uint8))
        moved, mask = (
            part.transform(frame.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
            for part in (face, there)
        )
        frame.paste(moved, (0, 0), mask)
        at = [turn * complex(x - left, y - top) + corner for x, y in eyes]
        yield np.array(frame), [(z.real, z.imag) for z in at]
