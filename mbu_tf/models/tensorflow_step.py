"""The training step on Keras's TensorFlow backend."""

import tensorflow as tf

from mbu_tf.models.adversarial_step import AdversarialStep


class TensorFlowStep(AdversarialStep):
    """`AdversarialStep` with `tf.GradientTape`; what Keras's TensorFlow trainer calls."""

    def train_step(self, data):
        return self.adversarial_step(data)

    def test_step(self, data):
        return self.evaluation_step(data)

    def predict_step(self, data):
        return self.prediction_step(data)

    def _gradients(self, forward, optimizer, variables):
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            results = forward()
            scaled = optimizer.scale_loss(results[0])
        return results, tape.gradient(scaled, values)

    def _global_norm(self, tensors):
        return tf.linalg.global_norm(tensors)

    def _only_if(self, condition, update, variables):
        # An update that is not wanted costs nothing, nor does one that is.
        tf.cond(condition, lambda: _done(update), lambda: False)


def _done(update):
    update()
    return True
