"""Spectral normalisation against NumPy, and what each option changes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.networks.encoder import Encoder
from mbu_tf.networks.spectral import SpectralConv2D, SpectralConv2DTranspose

KINDS = {SpectralConv2D: keras.layers.Conv2D, SpectralConv2DTranspose: keras.layers.Conv2DTranspose}


@pytest.fixture(params=KINDS)
def layer(request):
    keras.utils.set_random_seed(0)
    layer = request.param(5)
    layer.build((None, 8, 8, 3))
    layer.bias.assign(np.arange(5.0))
    return layer


def images(dtype="float32"):
    return np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(dtype)


def iterated(layer):
    """The layer's next u, v and singular value, written out."""
    matrix = np.asarray(layer.kernel, np.float64).reshape(-1, layer.kernel.shape[-1]).T
    v = matrix.T @ np.asarray(layer.u, np.float64)
    v /= np.linalg.norm(v)
    u = matrix @ v
    u /= np.linalg.norm(u)
    return u, v, u @ matrix @ v, matrix


def plain(layer, kernel):
    """Keras's own layer with a kernel of ours."""
    kind = next(plain for ours, plain in KINDS.items() if isinstance(layer, ours))
    other = kind(5, 4, strides=2, padding="same")
    other.build((None, 8, 8, 3))
    other.set_weights([kernel, np.asarray(layer.bias)])
    return other


def test_the_kernel_is_divided_and_the_bias_is_not(layer):
    _, _, value, _ = iterated(layer)
    expected = plain(layer, np.asarray(layer.kernel) / value)(images())
    np.testing.assert_allclose(layer(images()), expected, rtol=1e-4, atol=1e-5)


def test_training_moves_both_vectors_by_one_iteration(layer):
    u, v, _, _ = iterated(layer)
    layer(images(), training=True)
    np.testing.assert_allclose(layer.u, u, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.v, v, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_the_estimate_becomes_the_largest_singular_value(layer):
    for _ in range(200):
        layer(images(), training=True)
    _, _, value, matrix = iterated(layer)
    np.testing.assert_allclose(value, np.linalg.svd(matrix)[1][0], rtol=1e-4)


def test_inference_repeats_itself_unless_told_to_go_on(layer):
    first, before = np.asarray(layer(images())), np.asarray(layer.u)
    np.testing.assert_array_equal(layer(images()), first)
    np.testing.assert_array_equal(layer.u, before)
    layer.updates = "always"
    layer(images())
    assert not np.array_equal(layer.u, before)
    assert np.abs(np.asarray(layer(images())) - first).max() > 1e-4


def gradients(layer, passes):
    """Gradient of the sum of outputs over several training passes."""
    with tf.GradientTape() as tape:
        total = sum(tf.reduce_sum(layer(images("float64"), training=True)) for _ in range(passes))
    return tape.gradient(total, layer.kernel.value).numpy()


def expected_gradient(layer, passes, last):
    """d sum(conv(x, W / s)) / dW = G / s - <G, W> / s^2 u v^T, G that of the plain convolution."""
    kernel = np.asarray(layer.kernel)
    other = plain(layer, kernel)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(other(images("float64")))
    plain_gradient = tape.gradient(total, other.kernel.value).numpy()
    u = np.asarray(layer.u)
    seen = []
    for _ in range(passes):
        matrix = kernel.reshape(-1, kernel.shape[-1]).T
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
        u = matrix @ v / np.linalg.norm(matrix @ v)
        seen.append((u, v, u @ matrix @ v))
    result = 0
    for u, v, value in seen:
        if last:
            u, v, _ = seen[-1]
        outer = np.outer(v, u).reshape(kernel.shape)
        result += plain_gradient / value - (plain_gradient * kernel).sum() / value**2 * outer
    return result


@pytest.mark.parametrize("gradient", ["own_pass", "last_pass"])
def test_gradients_at_the_vectors_of_the_own_or_of_the_last_pass(layer, gradient):
    keras.config.set_dtype_policy("float64")
    wide = type(layer)(5, gradient=gradient)
    wide.build((None, 8, 8, 3))
    expected = expected_gradient(wide, 3, last=gradient == "last_pass")
    other = expected_gradient(wide, 3, last=gradient != "last_pass")
    assert np.abs(expected - other).max() > 1e-4
    np.testing.assert_allclose(gradients(wide, 3), expected, rtol=1e-9, atol=1e-9)


def test_vectors_are_saved(tmp_path):
    encoder = Encoder(4, 16, width=0.1, normalization="instance", spectral_updates="training")
    encoder(np.zeros((1, 16, 16, 3)), training=True)
    encoder.save(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "encoder.keras")
    for one, other in zip(encoder.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_singular_value_is_computed_in_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    layer = SpectralConv2D(5)
    layer.build((None, 8, 8, 3))
    u, _, _, _ = iterated(layer)
    assert layer(images(), training=True).dtype == "bfloat16"
    np.testing.assert_allclose(layer.u, u, rtol=1e-4, atol=1e-6)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="spectral_updates.*Received: spectral_updates='never'"):
        Encoder(4, 16, spectral_updates="never")
    with pytest.raises(ValueError, match="spectral_gradient.*Received: spectral_gradient='none'"):
        Encoder(4, 16, spectral_gradient="none")
