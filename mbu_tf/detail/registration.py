"""Where a reference's content lies on a target: registration of two masks.

Positions are (x, y) in [-1, 1] from one edge of a picture to the other, so that
they mean the same at every size. A motion is five numbers for each pair of
pictures: shift in x, shift in y, growth of the width, growth of the height,
rotation (radians, small); a position (x, y) of the target comes from
`(x + p0 + p2 x - p4 y, y + p1 + p3 y + p4 x)` of the reference.
"""

import numpy as np
from keras import ops

from mbu_tf.detail.filters import box_mean

PARAMETERS = 5
# How far content of two pictures that are framed alike is expected to be moved.
EXPECTED = 0.1
# Steps of Gauss-Newton on masks that are blurred over so many pixels on each side.
SCHEDULE = ((3, 4), (1, 4))


def moved(pictures, motion):
    """`pictures` of the reference as the target sees them; edges are continued.

    Args:
        pictures: `(batch, side, side, channels)`.
        motion: `(batch, 5)`.
    """
    side = pictures.shape[1]
    positions = _positions(side) + ops.einsum("bk,nkd->bnd", motion, _displacements(side))
    return ops.reshape(_sampled(pictures, positions), ops.shape(pictures))


def register(source, target, damping=0.02):
    """The motion after which `source` fits `target` best, and how well it then does.

    Efficient second-order minimisation of squared differences (Lucas and Kanade,
    1981; Benhimane and Malis, 2004, whose mean of both gradients it takes), coarse
    to fine, with a prior towards no motion, since both pictures are framed alike.

    Args:
        source, target: masks `(batch, side, side, 1)`.
        damping: weight of the prior beside the masks.

    Returns:
        Motion `(batch, 5)`, and the correlation of both masks after it, `(batch,)` in
        [0, 1].
    """
    side = source.shape[1]
    displacements = _displacements(side)
    motion = ops.zeros_like(source[:, :PARAMETERS, 0, 0])
    prior = damping / EXPECTED**2 * ops.sum(ops.square(target), (1, 2, 3))[:, None]
    for radius, steps in SCHEDULE:
        # Twice a box, nearly a Gaussian.
        moving, fixed = (box_mean(box_mean(x, radius), radius) for x in (source, target))
        slope = _gradient(fixed)
        for _ in range(steps):
            seen = moved(moving, motion)
            gradient = ops.reshape((_gradient(seen) + slope) / 2.0, (-1, side * side, 2))
            jacobian = ops.sum(gradient[:, :, None] * displacements, axis=-1)
            error = ops.reshape(fixed - seen, (-1, side * side, 1))
            transposed = ops.transpose(jacobian, (0, 2, 1))
            hessian = ops.matmul(transposed, jacobian) + prior[..., None] * np.eye(
                PARAMETERS, dtype="float32"
            )
            downhill = ops.matmul(transposed, error)[..., 0] - prior * motion
            motion = motion + solved(hessian, downhill)
    return motion, correlation(moved(source, motion), target)


def correlation(one, other):
    """How alike two masks are, `(batch,)` in [0, 1]: the cosine of both, slightly blurred."""
    one, other = box_mean(one, 1), box_mean(other, 1)
    energy = [ops.sum(ops.square(x), (1, 2, 3)) for x in (one, other)]
    return ops.sum(one * other, (1, 2, 3)) / ops.sqrt(energy[0] * energy[1] + 1e-12)


def solved(matrices, vectors):
    """Solutions of small positive definite systems, `(batch, n, n)` and `(batch, n)`.

    Gauss-Jordan elimination, unrolled: no mobile runtime solves systems.
    """
    size = matrices.shape[-1]
    rows = ops.concatenate([matrices, vectors[..., None]], axis=-1)
    for i in range(size):
        pivot = rows[:, i : i + 1] / rows[:, i : i + 1, i : i + 1]
        here = np.eye(size, dtype="float32")[None, :, i : i + 1]
        rows = (rows - rows[:, :, i : i + 1] * pivot) * (1.0 - here) + here * pivot
    return rows[..., -1]


def _positions(side):
    """(x, y) of every pixel's centre, `(side * side, 2)` float32."""
    axis = (np.arange(side, dtype="float32") + 0.5) * (2.0 / side) - 1.0
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def _displacements(side):
    """What each parameter moves each pixel by, `(side * side, 5, 2)` float32."""
    x, y = _positions(side).T
    zero, one = np.zeros_like(x), np.ones_like(x)
    fields = [(one, zero), (zero, one), (x, zero), (zero, y), (-y, x)]
    return np.stack([np.stack(field, axis=-1) for field in fields], axis=1)


def _gradient(pictures):
    """Derivative of one channel by x and y, in [-1, 1], `(batch, side, side, 2)`."""
    side = pictures.shape[1]
    padded = ops.pad(pictures, [[0, 0], [1, 1], [1, 1], [0, 0]])
    by_x = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    by_y = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    return ops.concatenate([by_x, by_y], axis=-1) * (side / 4.0)


def _sampled(pictures, positions):
    """Bilinear samples `(batch, count, channels)` at `positions` `(batch, count, 2)`."""
    _, height, width, channels = pictures.shape
    pixel = (positions + 1.0) * (width / 2.0) - 0.5
    pixel = ops.clip(pixel, 0.0, width - 1.001)  # Short of the last, which has no next one.
    corner = ops.floor(pixel)
    share = pixel - corner
    corner = ops.cast(corner, "int32")
    images = ops.arange(ops.shape(pictures)[0], dtype="int32")[:, None]
    index = (images * height + corner[..., 1]) * width + corner[..., 0]
    flat = ops.reshape(pictures, (-1, channels))
    x, y = share[..., :1], share[..., 1:]
    upper, lower = (
        (1.0 - x) * ops.take(flat, index + row, axis=0)
        + x * ops.take(flat, index + row + 1, axis=0)
        for row in (0, width)
    )
    return (1.0 - y) * upper + y * lower
