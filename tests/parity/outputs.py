"""Our networks' outputs beside the recorded arrays."""

import math

import numpy as np

TOLERANCE = 5e-5
# Instance normalisation of a 2x2 code enlarges what float32 rounds away, there and here.
INSTANCE_NORM = {"float64": TOLERANCE, "float32": 1e-4}


def channels_first(x):
    """PyTorch's layout; codes and predictions flattened as it does."""
    x = np.asarray(x)
    return x.transpose(0, 3, 1, 2) if x.ndim == 4 else x


def recorded(fixtures, size):
    """The arrays of evaluation at `size` pixels by name."""
    start = f"eval{size}."
    return {k[len(start) :]: x for k, x in fixtures.arrays.items() if k.startswith(start)}


def check_array(name, ours, array, tolerance=TOLERANCE):
    """Compare an output with an array that may hold every k-th row and column alone; not NaN."""
    if array.ndim == 2:
        ours = ours.reshape(len(ours), -1)
    elif array.ndim > 2:
        stride = math.ceil(ours.shape[-1] / array.shape[-1])
        ours = ours[..., ::stride, ::stride]
    assert ours.shape == array.shape, name
    assert np.isnan(ours).mean() < 0.01, name
    worst = np.nanmax(np.abs(ours - array.astype(np.float64)))
    assert worst <= tolerance, f"{name}: {worst}"


def check_norms(found, summaries):
    """The arrays are stored with gaps; their norms are of all pixels."""
    for name, summary in summaries.items():
        norm = np.linalg.norm(found[name].astype(np.float64))
        np.testing.assert_allclose(norm, summary["l2"], rtol=1e-5, err_msg=name)
