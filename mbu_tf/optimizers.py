"""Adam as PyTorch computes it, for continuing and reproducing its training runs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("mbu_tf")
class PyTorchAdam(keras.optimizers.Adam):
    """Adam with epsilon where Kingma and Ba's algorithm 1 and PyTorch have it.

    With m and v the moving averages of the gradient and of its square,

        p <- p - learning_rate * m' / (sqrt(v') + epsilon),
        m' = m / (1 - beta_1**t),  v' = v / (1 - beta_2**t).

    Keras adds epsilon to the uncorrected sqrt(v), which at step t acts as
    epsilon / sqrt(1 - beta_2**t) does here: 32 times as much at step 1.

    A constant learning rate and the factors above are kept in float64, as
    PyTorch has them, and rounded once, to the variable's own dtype: in a float64
    run nothing is lost, and in float32 1 - 0.999**t keeps its digits. JAX has
    float64 only where `JAX_ENABLE_X64` is set, and float32 takes its place.

    Args:
        learning_rate: number, schedule or callable; may be assigned later.
        beta_1, beta_2: decay of the two averages.
        epsilon: PyTorch's default.
        **kwargs: the rest of `keras.optimizers.Adam`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        name="pytorch_adam",
        **kwargs,
    ):
        super().__init__(
            learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, name=name, **kwargs
        )
        if isinstance(self._learning_rate, keras.Variable):
            # Keras's is float32, which changes 2e-4 in its ninth digit.
            self._untrack_variable(self._learning_rate)
            self._learning_rate = keras.Variable(
                learning_rate,
                name="learning_rate",
                dtype=_widest_float(),
                trainable=False,
                aggregation="only_first_replica",
            )
            self._track_variable(self._learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        """One step of `variable`; see the class."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1.0 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1.0 - self.beta_2))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, v))
            v = largest

        wide = _widest_float()
        step = ops.cast(self.iterations + 1, wide)
        correction_1, correction_2 = (
            1.0 - ops.power(ops.convert_to_tensor(beta, dtype=wide), step)
            for beta in (self.beta_1, self.beta_2)
        )
        rate = ops.cast(ops.cast(learning_rate, wide) / correction_1, dtype)
        root = ops.cast(ops.sqrt(correction_2), dtype)
        self.assign_sub(variable, rate * m / (ops.sqrt(v) / root + self.epsilon))


def _widest_float():
    if keras.backend.backend() == "jax":
        import jax

        return "float64" if jax.config.jax_enable_x64 else "float32"
    return "float64"


@keras.saving.register_keras_serializable("mbu_tf")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, on TensorFlow in one kernel per variable in place of a dozen.

    The mathematics, arguments and state are those of `keras.optimizers.Adam`.
    On a CPU the separate operations take a tenth of a small model's step.
    Elsewhere than on one TensorFlow device, and with options that the kernel
    does not have, it is Keras's own.
    """

    def update_step(self, gradient, variable, learning_rate):
        if not self._fits_kernel(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2, epsilon = (
            tf.constant(x, dtype) for x in (self.beta_1, self.beta_2, self.epsilon)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=tf.cast(gradient, dtype),
        )

    def _fits_kernel(self, variable):
        """Whether `variable` is TensorFlow's own, as on one device, and the options are plain."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return False
        import tensorflow as tf

        return isinstance(variable, tf.Variable) and not tf.distribute.has_strategy()
