"""Batch normalisation as the published implementations compute it."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("mbu_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation over the last axis with PyTorch's running variance.

    Batches are normalised with their biased variance, as everywhere. PyTorch
    moves the running variance with the unbiased one (factor n / (n - 1), n
    values per channel), Keras with the biased one.

    Args:
        unbiased: whether the running variance follows PyTorch.
        **kwargs: those of `keras.layers.BatchNormalization`.

    On TensorFlow it runs as one fused kernel, several times quicker on a CPU
    than the separate operations. Under a `tf.distribute` strategy it takes the
    statistics of the whole batch over all replicas, by separate operations, so
    that several devices train what one would.
    """

    def __init__(self, unbiased=True, **kwargs):
        super().__init__(**kwargs)
        self.unbiased = unbiased

    def call(self, inputs, training=None, mask=None):
        if not training or mask is not None or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        replicas = _replicas()
        fused = replicas == 1 and _has_fused_kernel(inputs)
        if fused:
            outputs, mean, variance = _fused(inputs, self.gamma, self.beta, self.epsilon)
        else:
            outputs, mean, variance = self._separate(inputs, synchronized=replicas > 1)
        if fused != self.unbiased:
            count = replicas
            for size in ops.shape(inputs)[:-1]:
                count = count * size
            bessel = ops.cast(count, variance.dtype) / ops.cast(
                ops.maximum(count - 1, 1), variance.dtype
            )
            variance = variance / bessel if fused else variance * bessel
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(
                moving * self.momentum + ops.cast(batch, moving.dtype) * (1.0 - self.momentum)
            )
        return outputs

    def _separate(self, inputs, synchronized):
        """Outputs, mean and biased variance of the batch."""
        wide = inputs if inputs.dtype == "float64" else ops.cast(inputs, "float32")
        axes = list(range(len(inputs.shape) - 1))
        mean, variance = ops.moments(wide, axes=axes, synchronized=synchronized)
        outputs = ops.batch_normalization(
            wide, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )
        return ops.cast(outputs, inputs.dtype), mean, variance

    def get_config(self):
        return {**super().get_config(), "unbiased": self.unbiased}


def _replicas():
    """How many devices share a batch."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _has_fused_kernel(inputs):
    return (
        keras.backend.backend() == "tensorflow"
        and len(inputs.shape) == 4
        and keras.backend.standardize_dtype(inputs.dtype) != "float64"
    )


def _fused(inputs, gamma, beta, epsilon):
    """Outputs, mean and unbiased variance of the batch."""
    import tensorflow as tf

    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(gamma, tf.float32),
        offset=tf.cast(beta, tf.float32),
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=epsilon,
        is_training=True,
    )
    return outputs, mean, variance
