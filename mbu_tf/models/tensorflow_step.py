"""The training step on Keras's TensorFlow backend, on one device or on several."""

import tensorflow as tf

from mbu_tf.models.adversarial_step import AdversarialStep
from mbu_tf.system.backend import tensorflow_on_cpu


class TensorFlowStep(AdversarialStep):
    """`AdversarialStep` with `tf.GradientTape`; what Keras's TensorFlow trainer calls.

    Under a `tf.distribute` strategy each replica makes the step on its part of the
    batch. Gradients are averaged over all of them before anything else is done
    with them: clipping and the check for finite ones see those of the whole
    batch, and all replicas decide alike.
    """

    # TensorFlow's own kernels are at hand, fused ones among them.
    compiled_by_default = False

    @staticmethod
    def xla_takes_long():
        """Whether XLA compiles for a CPU, which takes it many minutes, if it ends at all."""
        return tensorflow_on_cpu()

    def train_step(self, data):
        return self._logs(self.adversarial_step(data))

    def test_step(self, data):
        return self._logs(self.evaluation_step(data))

    def predict_step(self, data):
        return self.prediction_step(data)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built already. Keras would read a batch to see, and fails where
        # several workers have several devices each.
        pass

    def _gradients(self, forward, optimizer, variables):
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            results = forward()
            scaled = optimizer.scale_loss(results[0])
        gradients = tape.gradient(scaled, values)
        return results, gradients if self._replicas() == 1 else _mean_over_replicas(gradients)

    def _global_norm(self, tensors):
        return tf.linalg.global_norm(tensors)

    def _values(self, variables):
        return [tf.convert_to_tensor(v.value) for v in variables]

    def _only_if(self, condition, update, variables):
        if not tf.distribute.has_strategy():
            # Other than a choice between values, it costs nothing.
            tf.cond(condition, lambda: _done(update), lambda: False)
            return

        # Optimizers may not call all replicas together from within a condition of
        # one replica; the condition is one of all of them.
        def in_all(strategy, condition, update):
            one = strategy.experimental_local_results(condition)[0]
            each = strategy.extended.call_for_each_replica
            tf.cond(one, lambda: _done(lambda: each(lambda f: f(), (update,))), lambda: False)

        tf.distribute.get_replica_context().merge_call(in_all, args=(condition, update))

    def _replicas(self):
        return tf.distribute.get_strategy().num_replicas_in_sync

    def _logs(self, logs):
        # Keras takes the mean of the logs of several workers over their first axis.
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            logs = {name: tf.reshape(value, [1]) for name, value in logs.items()}
        return logs


def _mean_over_replicas(gradients):
    """The mean over all replicas of each gradient; `None` stays."""
    context, mean = tf.distribute.get_replica_context(), tf.distribute.ReduceOp.MEAN
    reached = iter(context.all_reduce(mean, [g for g in gradients if g is not None]))
    return [g if g is None else next(reached) for g in gradients]


def _done(update):
    update()
    return True
