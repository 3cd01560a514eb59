"""Where a reference's content lies on a target: registration of two masks.

Positions are (x, y) in [-1, 1] from one edge of a picture to the other, so that
they mean the same at every size. A motion is four numbers for each pair of
pictures: a position (x, y) of the target comes from `(x + p0 + p2 x, y + p1 + p3 y)`
of the reference. Faces are upright in both, and without a rotation pictures are
moved row by row, then column by column.
"""

import numpy as np
from keras import ops

from mbu_tf.detail.filters import box_mean, shrink

PARAMETERS = 4
# Weight of staying in place beside the masks, for pictures that are framed alike.
STILLNESS = 0.2
# Sides that masks are shrunk to, and steps of Gauss-Newton on them there.
SCHEDULE = ((32, 4), (64, 2))


def moved(pictures, motion):
    """`pictures` of the reference as the target sees them; edges are continued.

    Args:
        pictures: `(batch, side, side, channels)`.
        motion: `(batch, 4)`.
    """
    axis = _axis(pictures.shape[1])
    x = axis + motion[:, 0:1] + motion[:, 2:3] * axis
    y = axis + motion[:, 1:2] + motion[:, 3:4] * axis
    for position in (y, x):
        pictures = ops.transpose(_rows(pictures, position), (0, 2, 1, 3))
    return pictures


def register(source, target):
    """The motion after which `source` fits `target` best, and how well it then does.

    Efficient second-order minimisation of squared differences (Lucas and Kanade,
    1981; Benhimane and Malis, 2004, whose mean of both gradients it takes), coarse
    to fine, with a prior towards no motion, since both pictures are framed alike.

    Args:
        source, target: masks `(batch, side, side, 1)`.

    Returns:
        Motion `(batch, 4)`, and the correlation of both masks after it, `(batch,)` in
        [0, 1].
    """
    identity = np.eye(PARAMETERS, dtype="float32")
    motion = ops.zeros_like(source[:, :PARAMETERS, 0, 0])
    for side, steps in SCHEDULE:
        factor = max(source.shape[1] // side, 1)
        # Twice a box, nearly a Gaussian.
        moving, fixed = (box_mean(box_mean(shrink(x, factor), 1), 1) for x in (source, target))
        side = fixed.shape[1]
        axis = _axis(side)
        prior = STILLNESS * ops.sum(ops.square(fixed), (1, 2, 3))[:, None]
        slope_x, slope_y = _gradient(fixed)
        for _ in range(steps):
            seen = moved(moving, motion)
            by_x, by_y = _gradient(seen)
            by_x, by_y = (by_x + slope_x) / 2.0, (by_y + slope_y) / 2.0
            rows = ops.stack([by_x, by_y, by_x * axis, by_y * axis[:, None]], axis=1)
            transposed = ops.reshape(rows, (-1, PARAMETERS, side * side))
            error = ops.reshape(fixed - seen, (-1, side * side, 1))
            hessian = ops.matmul(transposed, ops.transpose(transposed, (0, 2, 1)))
            hessian = hessian + prior[..., None] * identity
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


def _axis(side):
    """Positions of the pixels' centres along one side, `(side,)` float32."""
    return (np.arange(side, dtype="float32") + 0.5) * (2.0 / side) - 1.0


def _gradient(pictures):
    """Derivatives of one channel by x and by y in [-1, 1], each `(batch, side, side)`."""
    side = pictures.shape[1]
    padded = ops.pad(pictures[..., 0], [[0, 0], [1, 1], [1, 1]])
    by_x = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    by_y = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    return by_x * (side / 4.0), by_y * (side / 4.0)


def _rows(pictures, positions):
    """Rows of each picture at `positions` `(batch, side)`, between two rows their mixture."""
    _, height, width, channels = pictures.shape
    row = ops.clip((positions + 1.0) * (height / 2.0) - 0.5, 0.0, height - 1.0)
    before = ops.minimum(ops.floor(row), height - 2.0)  # The last has no next one.
    share = (row - before)[..., None, None]
    images = ops.arange(ops.shape(pictures)[0], dtype="int32")[:, None]
    index = images * height + ops.cast(before, "int32")
    rows = ops.reshape(pictures, (-1, width, channels))
    before, after = ops.take(rows, index, axis=0), ops.take(rows, index + 1, axis=0)
    return before + share * (after - before)
