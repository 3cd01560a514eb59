"""Spectral normalisation of convolutions as the published DIDD code computes it."""

import math

import keras
from keras import layers, ops

from mbu_tf.networks.convolution import Conv2D, Conv2DTranspose

# Which passes move the estimate of the largest singular value; which vectors
# its gradient is taken at.
UPDATES = ("training", "always")
GRADIENTS = ("own_pass", "last_pass")
EPSILON = 1e-12


class _SpectralNormalization:
    """Divides a convolution's kernel by an estimate of its largest singular value.

    A mixin over a Keras convolution. The kernel W is a matrix with one row for
    each entry of its last axis: output channels of a convolution, input channels
    of a transposed one. Every pass makes one power iteration from the `u` it
    finds, v = Wᵀu / |Wᵀu|, u = Wv / |Wv|, and uses W / (uᵀWv); u and v are
    constants to the gradient. The bias is not scaled.

    `keras.layers.SpectralNormalization` differs: it overwrites the kernel
    itself, so that no gradient goes through the singular value.

    Args:
        updates: `"training"` keeps the new u and v in training alone, of a layer
            that is not frozen, so that inference always gives the same result;
            `"always"` keeps them at inference too, as the published code does.
        gradient: `"own_pass"` differentiates each pass at its own u and v;
            `"last_pass"` at those of the last pass before the gradient is
            taken, which is what the published code computes under today's
            PyTorch, where later passes overwrite them. It trains on TensorFlow
            alone: JAX takes gradients before later passes are made.
    """

    def __init__(self, *args, updates="training", gradient="own_pass", **kwargs):
        super().__init__(*args, **kwargs)
        self.updates, self.gradient = updates, gradient

    def add_weight(self, *args, **kwargs):
        # The singular value is computed in float32 under mixed precision: the
        # cast to the compute dtype comes after it.
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def build(self, input_shape):
        super().build(input_shape)
        *columns, rows = self.kernel.shape
        unit = keras.initializers.RandomNormal(stddev=1.0, seed=keras.random.SeedGenerator(0))
        self.u, self.v = (
            self.add_weight(name=name, shape=(size,), initializer=unit, trainable=False)
            for name, size in (("u", rows), ("v", math.prod(columns)))
        )

    def call(self, inputs, training=False):
        kernel = ops.cast(self._normalized_kernel(training), self.compute_dtype)
        return self.convolve(inputs, kernel, training)

    # Keras's convolutions save kernel and bias alone.
    def save_own_variables(self, store):
        layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        layers.Layer.load_own_variables(self, store)

    def _normalized_kernel(self, training):
        kernel = ops.convert_to_tensor(self.kernel)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))  # Wᵀ
        held = ops.stop_gradient(matrix)
        v = _unit(ops.matmul(held, ops.convert_to_tensor(self.u)))
        u = _unit(ops.matmul(v, held))
        if (training and self.trainable) or self.updates == "always":
            self.u.assign(u)
            self.v.assign(v)
        if training and self.gradient == "last_pass" and keras.backend.backend() != "tensorflow":
            raise ValueError(
                "A model with spectral_gradient='last_pass' can be trained with "
                "KERAS_BACKEND=tensorflow alone; take 'own_pass'. "
                f"Received: KERAS_BACKEND={keras.backend.backend()}"
            )
        if self.gradient == "own_pass":
            value = ops.sum(matrix * ops.outer(v, u))
        else:
            value = self._singular_value_of_last_pass(matrix, ops.outer(v, u))
        return kernel / value

    def _singular_value_of_last_pass(self, matrix, outer):
        @ops.custom_gradient
        def singular_value(matrix):
            def gradient(*args, upstream=None):
                upstream = args[0] if upstream is None else upstream
                # Read here, when the gradient is taken.
                return upstream * ops.outer(
                    ops.convert_to_tensor(self.v), ops.convert_to_tensor(self.u)
                )

            return ops.sum(matrix * outer), gradient

        return singular_value(matrix)


def _unit(vector):
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + EPSILON)


class SpectralConv2D(_SpectralNormalization, Conv2D):
    """`Conv2D` with spectral normalisation, see `_SpectralNormalization`."""


class SpectralConv2DTranspose(_SpectralNormalization, Conv2DTranspose):
    """`Conv2DTranspose` with spectral normalisation, likewise."""
