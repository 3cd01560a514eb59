"""The discriminator's learning rate, in proportion to the generator's."""

import keras
from keras import ops

# What a saved model calls them.
RATES = ("generator_rate", "discriminator_rate", "ratio")
# In place of a ratio to a generator's rate of 0.
UNKNOWN = -1.0


class LinkedLearningRates:
    """Lets the discriminator's learning rate follow the generator's, their ratio kept.

    Keras's callbacks (`LearningRateScheduler`, `ReduceLROnPlateau`) and whoever
    assigns `model.optimizer.learning_rate` change the generator's alone. At each step
    the discriminator's is multiplied by as much. Where it was itself assigned since
    the step before, it stays, and its new ratio holds. Optimizers with schedules, which
    are functions of the step, are left alone.

    Args:
        generator, discriminator: the two optimizers, built or not.
    """

    def __init__(self, generator, discriminator):
        rates = [_plain(x)._learning_rate for x in (generator, discriminator)]
        self._rates = rates if all(isinstance(x, keras.Variable) for x in rates) else None
        self.variables = []
        if self._rates:
            seen = [float(ops.convert_to_numpy(x)) for x in rates]
            ratio = seen[1] / seen[0] if seen[0] > 0 else UNKNOWN
            options = {"trainable": False, "aggregation": "only_first_replica"}
            self.variables = [
                keras.Variable(value, name=name, dtype=like.dtype, **options)
                for value, name, like in zip((*seen, ratio), RATES, (*rates, rates[1]), strict=True)
            ]

    def follow(self):
        """Set the discriminator's rate for the step at hand."""
        if not self._rates:
            return
        (rate_a, rate_b), (seen_a, seen_b, ratio) = (
            [ops.convert_to_tensor(x) for x in group] for group in (self._rates, self.variables)
        )
        generator, known = ops.cast(rate_a, rate_b.dtype), ratio >= 0
        assigned = ops.logical_or(ops.not_equal(rate_b, seen_b), ops.logical_not(known))
        measurable = ops.logical_and(assigned, generator > 0)
        ratio = ops.where(measurable, rate_b / ops.where(generator > 0, generator, 1), ratio)
        moved = ops.logical_and(ops.not_equal(rate_a, seen_a), ops.logical_not(assigned))
        rate_b = ops.where(moved, ratio * generator, rate_b)
        self._rates[1].assign(rate_b)
        for variable, value in zip(self.variables, (rate_a, rate_b, ratio), strict=True):
            # A buffer of its own: JAX's step hands back each that it is given, and none twice.
            variable.assign(ops.copy(value))

    def save(self, store):
        """Write the state into a dict of what is saved."""
        for name, variable in zip(RATES, self.variables, strict=False):
            store[name] = variable

    def load(self, state):
        """Set what `save` wrote; files of before it was kept have none."""
        for name, variable in zip(RATES, self.variables, strict=False):
            if name in state:
                variable.assign(state[name])


def _plain(optimizer):
    """`optimizer`, out of its loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)
