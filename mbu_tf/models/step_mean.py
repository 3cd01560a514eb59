"""The mean over an epoch of what its steps measured."""

import keras
from keras import ops


class StepMean(keras.metrics.Mean):
    """`keras.metrics.Mean` of scalars, some of which do not count; NaN if none does.

    A step of training whose losses are not finite is skipped, and does not count: one
    broken image does not hide an epoch's loss from callbacks that watch it.
    """

    def update_state(self, value, counts=True):
        """Add a scalar, or one of a weight `(scalar, weight)`, where `counts` is true."""
        value, weight = value if isinstance(value, tuple) else (value, 1.0)
        value = ops.where(counts, value, ops.zeros_like(value))
        weight = ops.where(counts, ops.cast(weight, self.dtype), 0.0)
        return super().update_state(value, sample_weight=weight)

    def result(self):
        nothing = ops.full_like(ops.convert_to_tensor(self.total), float("nan"))
        return ops.where(ops.convert_to_tensor(self.count) > 0, super().result(), nothing)
