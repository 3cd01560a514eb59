"""The smoothing of measured paths: nothing trembles and nothing lags."""

import numpy as np

# Standard deviation in seconds of the widest weights, those of a path that does not bend.
WIDEST = 0.1
# How far a smoothed path may be from the true one where that bends, in eye distances.
BIAS = 0.0025
# Standard deviation in seconds of the weights that tell how much it bends.
BEND = 0.07
# Seconds before and after beyond which a measurement has no weight.
REACH = 1 / 3


def smoothed(times, path, time, unit=1.0):
    """A point of a measured path, smoothed from before and after it.

    Local linear regression with Gaussian weights: the value at `time` of the straight
    line that fits the measurements around it best. Where the true path bends, with
    acceleration a, weights of standard deviation s miss it by a s^2 / 2 (Fan and Gijbels,
    Local Polynomial Modelling and Its Applications, 1996, section 3.2); so s is what makes
    that `BIAS`, and `WIDEST` at most. A still face is averaged over some ten frames, a
    swift one over hardly any, and one that moves evenly does not lag in either.

    Args:
        times: in seconds, growing, at least one.
        path: complex points x + y i, as many.
        time: when the point is wanted.
        unit: what `BIAS` is counted in.

    Returns:
        The point, complex.
    """
    times, path = np.asarray(times, np.float64) - time, np.asarray(path, np.complex128)
    near = np.abs(times) <= REACH
    times, path = times[near], path[near]
    acceleration = 2 * _fit(times, path, BEND, degree=2)[2]
    width = min(WIDEST, np.sqrt(2 * BIAS * unit / max(abs(acceleration), 1e-9)))
    return complex(_fit(times, path, width, degree=1)[0])


def _fit(times, path, width, degree):
    """Coefficients of the polynomial of time that fits best, weights Gaussian about time 0."""
    # In units of `width`: numbers of one size. The nearest has weight 1, however far it is.
    scaled = times / width
    weights = np.exp((np.min(scaled**2) - scaled**2) / 4)[:, None]  # Square roots of weights.
    powers = scaled[:, None] ** np.arange(degree + 1)
    found = np.linalg.lstsq(powers * weights, path[:, None] * weights, rcond=None)[0][:, 0]
    return found / width ** np.arange(degree + 1)
