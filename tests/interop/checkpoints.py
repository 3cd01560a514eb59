"""Small checkpoints of the published codes as dicts of NumPy arrays."""

import keras
import numpy as np

from mbu_tf.interop import published
from mbu_tf.optimizers import PyTorchAdam

SMALL = {"image_size": 128, "depth": 6, "width": 1 / 16, "separate_channels": 3}


def compiled(method, policy="float32", **arguments):
    """A small untrained model."""
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = method(**{**SMALL, **arguments})
    model.compile(PyTorchAdam(2e-4, beta_1=0.5), PyTorchAdam(1e-4, beta_1=0.5))
    return model


def random_checkpoint(method):
    """A checkpoint of a small model of 128 px after 7 steps, all numbers random."""
    model = compiled(method)
    for optimizer in (model.optimizer, model.discriminator_optimizer):
        optimizer.iterations.assign(7)
    checkpoint = published.to_checkpoint(model)
    assert checkpoint["iters"] == 7
    return {**_filled(checkpoint, np.random.default_rng(0)), "iters": 123_456}


def _filled(value, rng):
    """`value` with every array's numbers drawn anew; variances and squares stay positive."""
    if isinstance(value, dict):
        filled = {k: _filled(v, rng) for k, v in value.items()}
        squares = [k for k in filled if str(k).endswith(("exp_avg_sq", "running_var"))]
        return {**filled, **{k: np.abs(filled[k]) for k in squares}}
    if isinstance(value, np.ndarray) and value.dtype == np.int64:
        return rng.integers(0, 10**12, value.shape, np.int64)
    if isinstance(value, np.ndarray) and value.ndim:
        return rng.normal(size=value.shape).astype(value.dtype)
    return value


def assert_same(one, other, place="checkpoint"):
    """Bit for bit, in kinds, keys, their order, shapes and dtypes."""
    if isinstance(one, dict):
        assert list(one) == list(other), place
        for key in one:
            assert_same(one[key], other[key], f"{place}: {key}")
    elif isinstance(one, (list, tuple)):
        assert type(one) is type(other) and len(one) == len(other), place
        for i, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{place}: {i}")
    elif isinstance(one, (np.ndarray, np.generic)):
        assert one.dtype == other.dtype and one.shape == other.shape, place
        np.testing.assert_array_equal(one, other, err_msg=place)
    else:
        assert type(one) is type(other) and one == other, place
