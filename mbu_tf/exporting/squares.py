"""The square of a photo that a model looks at, in TensorFlow operations alone.

What `mbu_tf.faces.Placement` and `mbu_tf.photos.views` do, for graphs that are
given whole photos.
"""

import tensorflow as tf

from mbu_tf.faces.placement import MAX_SIDE
from mbu_tf.photos import MASK_FLOOR


class CentreSquare:
    """The largest centred square.

    Args:
        photo: uint8 `(height, width, 3)`.
    """

    def __init__(self, photo):
        self.photo = photo
        shape = tf.shape(photo)[:2]
        self.pixels = tf.reduce_min(shape)
        self._top, self._left = tf.unstack((shape - self.pixels) // 2)

    def upright(self):
        """`Placement.upright`: uint8 `(pixels, pixels, 3)`."""
        top, left = self._top, self._left
        return self.photo[top : top + self.pixels, left : left + self.pixels]

    def back(self, channels):
        """`Placement.back` of float32 `(pixels, pixels, channels)`: whole, zeros around it."""
        height, width = tf.unstack(tf.shape(self.photo)[:2])
        return tf.image.pad_to_bounding_box(channels, self._top, self._left, height, width)


class TurnedSquare:
    """A square at any turn.

    Args:
        photo: uint8 `(height, width, 3)`.
        place: `Placement` in it, float32 (x, y, right, down).
    """

    def __init__(self, photo, place):
        self.photo = photo
        self._place = place
        self.pixels = tf.maximum(tf.cast(tf.round(tf.norm(place[2:])), tf.int32), 1)

    def to_photo(self, points):
        """`Placement.to_photo`: shares `(..., 2)` in pixels of the photo."""
        x, y, right, down = tf.unstack(self._place)
        u, v = tf.unstack(points, axis=-1)
        return tf.stack([x + u * right - v * down, y + u * down + v * right], axis=-1)

    def upright(self):
        """`Placement.upright`: uint8 `(pixels, pixels, 3)`."""
        size = tf.cast(self.pixels, tf.float32)
        shares = (tf.range(size) + 0.5) / size
        places = self.to_photo(tf.stack(tf.meshgrid(shares, shares), axis=-1))
        values = _bilinear(self.photo, places[..., 0], places[..., 1])
        return tf.cast(tf.round(values), tf.uint8)

    def back(self, channels):
        """`Placement.back` of float32 `(pixels, pixels, channels)`: whole, zeros around it."""
        x, y, right, down = tf.unstack(self._place)
        height, width = tf.unstack(tf.shape(self.photo)[:2])
        left, columns = _touched(tf.stack([x, x + right, x - down, x + right - down]), width)
        top, rows = _touched(tf.stack([y, y + down, y + right, y + down + right]), height)
        across = tf.range(tf.cast(columns, tf.float32)) + tf.cast(left, tf.float32) + 0.5 - x
        along = tf.range(tf.cast(rows, tf.float32)) + tf.cast(top, tf.float32) + 0.5 - y
        size = tf.cast(self.pixels, tf.float32)
        scale = size / (right**2 + down**2)
        u = scale * (across[None, :] * right + along[:, None] * down)
        v = scale * (along[:, None] * right - across[None, :] * down)
        inside = (u >= 0.0) & (u < size) & (v >= 0.0) & (v < size)
        values = tf.where(inside[..., None], _bilinear(channels, u, v), 0.0)
        return tf.image.pad_to_bounding_box(values, top, left, height, width)


def face_square(framing, photo, eyes):
    """The square in which a face is framed, as `Framing.placement` has it.

    Args:
        framing: `Framing` of kind `"face"`.
        photo: uint8 `(height, width, 3)`.
        eyes: float32 (4,): x and y of the left eye and of the right one, in pixels.
    """
    # Of complex numbers a similarity is z -> turn * z + corner.
    left, right = tf.complex(eyes[0], eyes[1]), tf.complex(eyes[2], eyes[3])
    at_left, at_right = (complex(*eye) for eye in framing.eyes)
    turn = (right - left) / (at_right - at_left)
    corner = left - turn * at_left
    found = tf.stack([part(z) for z in (corner, turn) for part in (tf.math.real, tf.math.imag)])
    side = tf.norm(found[2:])
    limit = MAX_SIDE * tf.cast(tf.reduce_max(tf.shape(photo)), tf.float32)
    fits = tf.debugging.Assert(
        (side > 0.0) & (side <= limit),  # Written so that NaN fails as well.
        ["eyes must be pixels of the photo, apart from each other. Received:", eyes],
    )
    with tf.control_dependencies([fits]):
        return TurnedSquare(photo, tf.identity(found))


def model_input(square, size):
    """`View.at`: what the model is shown, float32 `(size, size, 3)` in [-1, 1]."""
    picture, side = square.upright(), square.pixels
    # One axis after the other with 8 bits between them, halves up, as Pillow resizes.
    for shape in ((side, size), (size, size)):
        picture = tf.image.resize(picture, shape, "bicubic", antialias=True)
        picture = tf.clip_by_value(tf.floor(picture + 0.5), 0.0, 255.0)
    return tf.ensure_shape(picture, (size, size, 3)) / 127.5 - 1.0


def enlarged(channels, square):
    """`View.enlarged`: `(size, size, channels)` as they lie in the photo, zeros around them."""
    side = (square.pixels, square.pixels)
    return square.back(tf.image.resize(channels, side, "bilinear", antialias=True))


def lay_on(photo, square, paint, mask):
    """`View.lay`: a layer of one image laid on a uint8 photo, and its mask there."""
    paint = (paint + 1.0) * 127.5
    # Together, so that each pixel's place is computed once.
    painted = enlarged(tf.concat([paint * mask, mask], axis=-1), square)
    painted, whole = painted[..., :3], painted[..., 3:]
    # Shrunk, a mask of 1 may come out as the next number above it.
    opacity = tf.where(whole >= MASK_FLOOR, tf.minimum(whole, 1.0), 0.0)
    binary = tf.reduce_all((mask == 0.0) | (mask == 1.0))
    opacity = tf.cond(binary, lambda: tf.math.ceil(opacity), lambda: opacity)
    colour = painted / tf.maximum(whole, MASK_FLOOR)
    blended = tf.round(opacity * colour + (1.0 - opacity) * tf.cast(photo, tf.float32))
    blended = tf.cast(tf.clip_by_value(blended, 0.0, 255.0), tf.uint8)
    return tf.where(opacity > 0.0, blended, photo), opacity


def _touched(corners, size):
    """The first pixel that corners on one axis touch, and how many, within the photo."""
    low = tf.cast(tf.floor(tf.reduce_min(corners)), tf.int32)
    high = tf.cast(tf.math.ceil(tf.reduce_max(corners)), tf.int32)
    low, high = (tf.clip_by_value(edge, 0, size) for edge in (low, high))
    return low, high - low


def _bilinear(image, x, y):
    """Values of an image at positions in pixels; beyond its edges it is mirrored."""
    height, width = tf.unstack(tf.shape(image)[:2])
    left, top = tf.floor(x - 0.5), tf.floor(y - 0.5)
    share_x, share_y = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]
    left, top = tf.cast(left, tf.int32), tf.cast(top, tf.int32)

    def at(row, column):
        index = tf.stack([_mirrored(row, height), _mirrored(column, width)], axis=-1)
        return tf.cast(tf.gather_nd(image, index), tf.float32)

    upper, lower = (
        at(row, left) * (1.0 - share_x) + at(row, left + 1) * share_x for row in (top, top + 1)
    )
    return upper * (1.0 - share_y) + lower * share_y


def _mirrored(i, size):
    i = tf.math.floormod(i, 2 * size)
    return tf.minimum(i, 2 * size - 1 - i)
