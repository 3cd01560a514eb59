"""The training step on Keras's JAX backend."""

import itertools

import jax
import keras
from keras import ops

from mbu_tf.models.adversarial_step import AdversarialStep
from mbu_tf.system.backend import leave_gpu_to_keras

leave_gpu_to_keras()


class JAXStep(AdversarialStep):
    """`AdversarialStep` as a function of its state; what Keras's JAX trainer calls.

    The trainer hands over the values of all variables and wants the new ones back.
    Within a `keras.StatelessScope` of these values the step reads variables and
    assigns to them as on any backend.

    Variables that the loss does not reach have gradients of 0 here, where
    TensorFlow knows of none: an optimizer with weight decay lets them shrink.
    """

    # Without XLA, JAX runs operation by operation.
    compiled_by_default = True

    @staticmethod
    def xla_takes_long():
        """Not under JAX, on a CPU neither."""
        return False

    @property
    def non_trainable_variables(self):
        # Of optimizers the trainer carries the state of `optimizer` alone; that of the
        # other, rates and steered weights travel with the running statistics.
        names = ("discriminator_optimizer", "_learning_rates", "_steering")
        others = [getattr(self, name, None) for name in names]
        return super().non_trainable_variables + [v for x in others if x for v in x.variables]

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _stateless(self.adversarial_step, data, groups, state)

    def test_step(self, state, data):
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        return _stateless(self.evaluation_step, data, groups, state)

    def predict_step(self, state, data):
        groups = (self.trainable_variables, self.non_trainable_variables)
        outputs, (_, non_trainable) = _stateless(self.prediction_step, data, groups, state)
        return outputs, non_trainable

    def _gradients(self, forward, optimizer, variables):
        moving = self.non_trainable_variables
        fixed = [*self.trainable_variables, *self.optimizer.variables, *self.metrics_variables]
        # Within the step's scope: an inner one does not see it.
        state = [(v, v.value) for v in (*fixed, *moving)]

        def scaled_loss(values):
            given = [*state, *zip(variables, values, strict=True)]
            with keras.StatelessScope(given) as scope:
                results = forward()
                scaled = optimizer.scale_loss(results[0])
            return scaled, (results, [scope.get_current_value(v) for v in moving])

        differentiated = jax.grad(scaled_loss, has_aux=True)
        gradients, (results, moved) = differentiated(self._values(variables))
        for variable, value in zip(moving, moved, strict=True):
            variable.assign(value)
        return results, gradients

    def _global_norm(self, tensors):
        return ops.sqrt(sum(ops.sum(ops.square(x)) for x in tensors))

    def _values(self, variables):
        return [v.value for v in variables]

    def _only_if(self, condition, update, variables):
        before = self._values(variables)
        update()
        for variable, value in zip(variables, before, strict=True):
            variable.assign(ops.where(condition, variable.value, value))


def _stateless(step, data, groups, state):
    """What `step(data)` returns, and the values of `groups` of variables after it.

    Args:
        state: their values before, grouped alike.
    """
    variables, values = (itertools.chain.from_iterable(x) for x in (groups, state))
    with keras.StatelessScope(zip(variables, values, strict=True)) as scope:
        results = step(data)
    return results, tuple([scope.get_current_value(v) for v in group] for group in groups)
