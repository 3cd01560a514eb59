"""Batch normalisation against its closed form, on both of its ways."""

import keras
import numpy as np
import pytest

from mbu_tf.networks.normalization import BatchNormalization


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("dtype,tolerance", [("float32", 1e-5), ("float64", 1e-12)])
def test_training_step(unbiased, dtype, tolerance):
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 3.0, (4, 3, 3, 5)).astype(dtype)
    layer = BatchNormalization(unbiased=unbiased, momentum=0.9, epsilon=1e-5, dtype=dtype)
    layer.build(x.shape)
    gamma, beta, mean, variance = (rng.uniform(0.5, 1.5, 5).astype(dtype) for _ in range(4))
    layer.set_weights([gamma, beta, mean, variance])
    got = layer(x, training=True)

    flat = x.reshape(-1, 5)
    expected = gamma * (x - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-5) + beta
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        layer.moving_mean, 0.9 * mean + 0.1 * flat.mean(0), rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(
        layer.moving_variance,
        0.9 * variance + 0.1 * flat.var(0, ddof=int(unbiased)),
        rtol=tolerance,
    )


def test_inference_uses_the_moving_statistics():
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")
    layer = BatchNormalization(epsilon=1e-5)
    layer.build(x.shape)
    gamma, beta, mean, variance = (np.full(4, v, "float32") for v in (2.0, 0.5, 1.0, 4.0))
    layer.set_weights([gamma, beta, mean, variance])
    np.testing.assert_allclose(
        layer(x, training=False), 2 * (x - 1) / np.sqrt(4 + 1e-5) + 0.5, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(layer.moving_mean, mean)


def test_the_fused_kernel_has_the_gradients_of_the_separate_operations():
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype("float32")
    target = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    gradients = {}
    for dtype in ("float32", "float64"):
        layer = BatchNormalization(epsilon=1e-5, dtype=dtype)
        layer.build(x.shape)
        inputs = tf.constant(x, dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_mean((layer(inputs, training=True) - tf.cast(target, dtype)) ** 2)
        gradients[dtype] = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
    for fused, separate in zip(gradients["float32"], gradients["float64"], strict=True):
        np.testing.assert_allclose(fused, separate, rtol=1e-4, atol=1e-6)


def test_it_can_be_saved_by_its_configuration():
    layer = BatchNormalization(unbiased=False, momentum=0.8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.unbiased, again.momentum) == (False, 0.8)
