"""Where a model's square lies in a photo, and the way there and back.

Positions are in pixels of the photo, (0, 0) the outer corner of its first
pixel, whose centre is at (0.5, 0.5); those in the square are shares of its side.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mbu_tf.types import Array, Floats, Pixels

# A square so many times as large as the photo would show next to nothing of it.
MAX_SIDE = 8


class Placement(NamedTuple):
    """A square in a photo, at any turn: the similarity from its shares to the photo's pixels.

    The point (u, v) of the square, u to the right and v down, is the photo's
    (x + u * right - v * down, y + u * down + v * right).

    Attributes:
        x, y: the square's upper left corner.
        right, down: from there to its upper right corner; `down` is 0 where the
            square is upright.
    """

    x: float
    y: float
    right: float
    down: float

    @property
    def side(self) -> float:
        """The square's side in pixels of the photo."""
        return math.hypot(self.right, self.down)

    @property
    def pixels(self) -> int:
        """`side` in whole pixels: the height and width of what `upright` gives."""
        return max(1, round(self.side))

    def to_photo(self, points: Array) -> npt.NDArray[np.float64]:
        """Points of the square, shares `(..., 2)`, in pixels of the photo."""
        u, v = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        x = self.x + u * self.right - v * self.down
        return np.stack([x, self.y + u * self.down + v * self.right], axis=-1)

    def to_square(self, points: Array) -> npt.NDArray[np.float64]:
        """Points of the photo, pixels `(..., 2)`, as shares of the square; undoes `to_photo`."""
        x, y = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        x, y = (x - self.x) / self.side**2, (y - self.y) / self.side**2
        return np.stack([x * self.right + y * self.down, y * self.right - x * self.down], axis=-1)

    def upright(self, photo: Pixels) -> Pixels:
        """The square as a picture at the photo's own scale.

        Beyond the photo's edges the photo is mirrored. A square on whole pixels is
        a part of the photo as it is; any other is interpolated, bilinear.

        Args:
            photo: uint8 `(height, width, channels)`.

        Returns:
            uint8 `(pixels, pixels, channels)`; may share memory with `photo`.

        Raises:
            ValueError: if the square is much larger than the photo.
        """
        if self.side > MAX_SIDE * max(photo.shape[:2]):
            raise ValueError(
                f"The model's square must not be over {MAX_SIDE} times as large as the photo; "
                "mend the eyes' positions, which are pixels of the photo. "
                f"Received: a square of {self.side:.0f} pixels in {photo.shape[1]} x "
                f"{photo.shape[0]}"
            )
        if self._on_whole_pixels():
            left, top = int(self.x), int(self.y)
            return _mirrored(photo, left, top, left + self.pixels, top + self.pixels)
        left, top, right, bottom = self._bounds(margin=1)
        region = _mirrored(photo, left, top, right, bottom).astype(np.float32)
        a, b = self.right / self.pixels, self.down / self.pixels
        # As floats: of bytes Pillow's interpolation drops the fraction.
        channels = [
            _transformed(channel, (self.pixels, self.pixels), a, b, self.x - left, self.y - top)
            for channel in np.moveaxis(region, -1, 0)
        ]
        return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)

    def back(self, channel: Floats, height: int, width: int) -> tuple[slice, slice, Floats]:
        """A channel of the square as it lies in the photo.

        Args:
            channel: float32 `(pixels, pixels)`.
            height, width: of the photo.

        Returns:
            `(rows, columns, values)`: slices of the part of the photo that the
            square touches, and float32 values for it, 0 outside the square.
        """
        left, top, right, bottom = self._bounds(margin=0)
        left, right = (min(max(x, 0), width) for x in (left, right))
        top, bottom = (min(max(y, 0), height) for y in (top, bottom))
        rows, columns = slice(top, bottom), slice(left, right)
        if top == bottom or left == right:  # It lies outside the photo.
            return rows, columns, np.zeros((bottom - top, right - left), np.float32)
        if self._on_whole_pixels():
            x, y = left - int(self.x), top - int(self.y)
            return rows, columns, channel[y : y + bottom - top, x : x + right - left]
        a, b = self.right * self.pixels / self.side**2, -self.down * self.pixels / self.side**2
        u, v = self.to_square((left, top)) * self.pixels
        values = _transformed(channel, (right - left, bottom - top), a, b, u, v)
        return rows, columns, values

    def _on_whole_pixels(self):
        return self.down == 0 and all(float(n).is_integer() for n in (self.x, self.y, self.right))

    def _bounds(self, margin):
        """Whole pixels around the square: left, top, right, bottom."""
        corners = self.to_photo([(0, 0), (1, 0), (0, 1), (1, 1)])
        low, high = np.floor(corners.min(0)) - margin, np.ceil(corners.max(0)) + margin
        return (*low.astype(int).tolist(), *high.astype(int).tolist())


def _transformed(channel, size, a, b, x, y):
    """What of a float32 channel lies at (x + a i - b j, y + b i + a j), for each pixel (i, j).

    `size` is the width and height of the result; outside the channel it is 0.
    """
    matrix = (a, -b, x, b, a, y)
    picture = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    moved = picture.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(moved)


def _mirrored(photo, left, top, right, bottom):
    """A box of the photo; what lies beyond its edges is what lies before them, mirrored."""
    height, width = photo.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return photo[top:bottom, left:right]
    rows, columns = (
        np.abs((np.arange(start, stop) + size) % (2 * size) - size + 0.5).astype(int)
        for start, stop, size in ((top, bottom, height), (left, right, width))
    )
    return photo[np.ix_(rows, columns)]
