"""Filters and changes of size, of operations that every runtime has.

Pictures are `(batch, side, side, channels)`, float, square, of any value range.
"""

from keras import ops


def ramp(x, low, high):
    """0 up to `low`, 1 from `high` on, a straight line between."""
    return ops.clip((x - low) / (high - low), 0.0, 1.0)


def shrink(x, factor):
    """`x` shrunk by a whole factor, each pixel the mean of those that it covers."""
    return ops.average_pool(x, factor, factor) if factor > 1 else x


def enlarge(x, side):
    """`x` enlarged to `side`, a power of two times its own, without corners or steps.

    Bilinear doubling after doubling, which is Chaikin's subdivision of either
    axis (1974) and converges to the quadratic B-spline of the pixels; one
    bilinear step to `side` leaves their grid to be seen.
    """
    while x.shape[1] < side:
        x = ops.image.resize(x, (2 * x.shape[1],) * 2, interpolation="bilinear")
    return x


def box_mean(x, radius):
    """Mean over the square of `2 radius + 1` pixels around each, as much of it as there is."""
    if radius:
        for window in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
            x = ops.average_pool(x, window, 1, padding="same")
    return x


def grow(x, radius):
    """Largest value in the square of `2 radius + 1` pixels around each (dilation)."""
    if radius:
        for window in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
            x = ops.max_pool(x, window, 1, padding="same")
    return x


def recede(x, radius):
    """Smallest value in the square of `2 radius + 1` pixels around each (erosion)."""
    return -grow(-x, radius)


def pull_push(x, known):
    """`x` where it is known, and smoothly on from there where it is not.

    Pull-push (Gortler et al., The Lumigraph, 1996, section 3.4): halved again
    and again, each time averaging what is known; then enlarged back, filling at
    each size what is still unknown there. It stands in for a membrane (Perez et
    al., 2003), which takes many iterations.

    Args:
        x: pictures whose side is a power of two times a small number.
        known: `(batch, side, side, 1)` in [0, 1], how far each pixel is to be kept.

    Returns:
        Pictures shaped as `x`; zeros where nothing at all is known.
    """
    pyramid = [(x * known, known)]
    while pyramid[-1][1].shape[1] % 2 == 0:
        pyramid.append(tuple(shrink(level, 2) for level in pyramid[-1]))
    total, weight = pyramid.pop()
    mean = ops.mean(total, (1, 2), keepdims=True)
    filled = total + (1.0 - weight) * mean / (ops.mean(weight, (1, 2), keepdims=True) + 1e-6)
    for total, weight in reversed(pyramid):
        filled = total + (1.0 - weight) * enlarge(filled, total.shape[1])
    return filled
