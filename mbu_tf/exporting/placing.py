"""`mbu_tf.faces.Placement` in TensorFlow operations, for graphs that are given whole photos.

A placement is a float32 vector (x, y, right, down), as the class has it.
"""

import tensorflow as tf

from mbu_tf.faces.placement import MAX_SIDE


def placement(framing, photo, eyes=None):
    """`Framing.placement` of a photo `(height, width, 3)`.

    Args:
        framing: `Framing`.
        photo: the photo.
        eyes: of a face framing, float32 (4,): x and y of either eye, the left one first.
    """
    if framing.kind == "centre":
        shape = tf.shape(photo)[:2]
        side = tf.reduce_min(shape)
        top, left = tf.unstack((shape - side) // 2)
        return tf.cast(tf.stack([left, top, side, 0]), tf.float32)
    # Of complex numbers a similarity is z -> turn * z + corner.
    left, right = tf.complex(eyes[0], eyes[1]), tf.complex(eyes[2], eyes[3])
    place_left, place_right = (complex(*eye) for eye in framing.eyes)
    turn = (right - left) / (place_right - place_left)
    corner = left - turn * place_left
    result = tf.stack(
        [tf.math.real(corner), tf.math.imag(corner), tf.math.real(turn), tf.math.imag(turn)]
    )
    side, limit = _side(result), MAX_SIDE * tf.cast(tf.reduce_max(tf.shape(photo)), tf.float32)
    # Written so that NaN fails as well.
    fits = tf.debugging.Assert(
        (side > 0.0) & (side <= limit),
        ["eyes must be pixels of the photo, apart from each other. Received:", eyes],
    )
    with tf.control_dependencies([fits]):
        return tf.identity(result)


def pixels(place):
    """`Placement.pixels`."""
    return tf.maximum(tf.cast(tf.round(_side(place)), tf.int32), 1)


def upright(photo, place):
    """`Placement.upright`: uint8 `(pixels, pixels, 3)`."""
    size = pixels(place)
    x, y, right, down = tf.unstack(place)
    shares = (tf.range(tf.cast(size, tf.float32)) + 0.5) / tf.cast(size, tf.float32)
    u, v = shares[None, :], shares[:, None]
    values = _bilinear(photo, x + u * right - v * down, y + u * down + v * right, _mirrored)
    return tf.cast(tf.round(values), tf.uint8)


def back(channels, place, photo):
    """`Placement.back` of `(pixels, pixels, channels)`: whole, zeros outside the square.

    Args:
        channels: float32.
        place: the placement.
        photo: the photo that they are to lie in, `(height, width, 3)`.

    Returns:
        float32 `(height, width, channels)`.
    """
    x, y, right, down = tf.unstack(place)
    size = tf.cast(tf.shape(channels)[0], tf.float32)
    height, width = tf.unstack(tf.shape(photo)[:2])
    left, top, columns, rows = _bounds(place, height, width)
    across = tf.range(tf.cast(columns, tf.float32)) + tf.cast(left, tf.float32) + 0.5 - x
    along = tf.range(tf.cast(rows, tf.float32)) + tf.cast(top, tf.float32) + 0.5 - y
    scale = size / (right**2 + down**2)
    u = scale * (across[None, :] * right + along[:, None] * down)
    v = scale * (along[:, None] * right - across[None, :] * down)
    values = _bilinear(channels, u, v, lambda i, n: tf.clip_by_value(i, 0, n - 1))
    inside = (u >= 0.0) & (u < size) & (v >= 0.0) & (v < size)
    values = tf.where(inside[..., None], values, 0.0)
    return tf.image.pad_to_bounding_box(values, top, left, height, width)


def _side(place):
    return tf.norm(place[2:])


def _bounds(place, height, width):
    """The part of the photo that a square touches: left, top, columns, rows."""
    x, y, right, down = tf.unstack(place)
    xs = tf.stack([x, x + right, x - down, x + right - down])
    ys = tf.stack([y, y + down, y + right, y + down + right])

    def clipped(values, size):
        low = tf.cast(tf.floor(tf.reduce_min(values)), tf.int32)
        high = tf.cast(tf.math.ceil(tf.reduce_max(values)), tf.int32)
        low, high = (tf.clip_by_value(edge, 0, size) for edge in (low, high))
        return low, high - low

    (left, columns), (top, rows) = clipped(xs, width), clipped(ys, height)
    return left, top, columns, rows


def _bilinear(image, x, y, index):
    """Values of an image at positions in pixels, `index` saying what lies beyond its edges."""
    height, width = tf.unstack(tf.shape(image)[:2])
    left, top = tf.floor(x - 0.5), tf.floor(y - 0.5)
    share_x, share_y = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]
    left, top = tf.cast(left, tf.int32), tf.cast(top, tf.int32)
    columns = [index(left + i, width) for i in (0, 1)]
    rows = [index(top + i, height) for i in (0, 1)]

    def at(row, column):
        return tf.cast(tf.gather_nd(image, tf.stack([row, column], axis=-1)), tf.float32)

    upper, lower = (
        at(row, columns[0]) * (1.0 - share_x) + at(row, columns[1]) * share_x for row in rows
    )
    return upper * (1.0 - share_y) + lower * share_y


def _mirrored(i, size):
    """Positions beyond the edges, mirrored as often as needed."""
    i = tf.math.floormod(i, 2 * size)
    return tf.minimum(i, 2 * size - 1 - i)
