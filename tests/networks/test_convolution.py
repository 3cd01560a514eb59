"""The matrix products of tiny maps against Keras's convolutions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.networks import convolution
from mbu_tf.system.backend import tensorflow_on_cpu

PLAIN = {
    convolution.Conv2D: keras.layers.Conv2D,
    convolution.Conv2DTranspose: keras.layers.Conv2DTranspose,
}


@pytest.fixture(params=PLAIN)
def layers(request):
    """One of our layers and Keras's own with the same weights, in float64."""
    keras.utils.set_random_seed(0)
    ours = request.param(5, dtype="float64", bias_initializer="random_normal")
    plain = PLAIN[request.param](5, 4, strides=2, padding="same", dtype="float64")
    for layer in (ours, plain):
        layer.build((None, 4, 2, 3))
    plain.set_weights(ours.get_weights())
    return ours, plain


def outcome(layer, images, upstream, **training):
    """Output and all gradients."""
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = layer(images, **training)
        total = tf.reduce_sum(output * upstream(output.shape))
    values = [v.value for v in layer.trainable_variables]
    return [output, *tape.gradient(total, [images, *values])]


@pytest.mark.parametrize("size", [(2, 2), (4, 2), (2, 4), (4, 4), (8, 8)])
def test_output_and_gradients_are_those_of_a_convolution(layers, size):
    random = np.random.default_rng(0)
    images = random.normal(size=(2, *size, 3))
    shared = {}

    def upstream(shape):
        return shared.setdefault(shape, random.normal(size=shape))

    ours, plain = layers
    found = outcome(ours, images, upstream, training=True)
    for one, other in zip(found, outcome(plain, images, upstream), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", PLAIN)
def test_only_training_on_small_maps_or_in_float16_departs_from_the_convolution(kind):
    def operations(size, training, dtype="float32"):
        layer = kind(5, dtype=dtype)
        graph = tf.function(lambda x: layer(x, training=training)).get_concrete_function(
            tf.TensorSpec((None, size, size, 3), dtype)
        )
        return {node.op for node in graph.graph.as_graph_def().node}

    assert "MatMul" in operations(4, True)
    assert "MatMul" not in operations(4, False)
    assert "MatMul" not in operations(32, True)
    assert ("MatMul" in operations(32, True, "float16")) == tensorflow_on_cpu()
    assert "MatMul" not in operations(32, False, "float16")


def test_laying_out_and_adding_up_are_each_others_transpose():
    random = np.random.default_rng(0)
    images, columns = random.normal(size=(2, 6, 4, 3)), random.normal(size=(2, 3, 2, 48))
    laid_out = np.vdot(convolution.image_to_columns(images), columns)
    added_up = np.vdot(images, convolution.columns_to_image(columns))
    np.testing.assert_allclose(laid_out, added_up, rtol=1e-12)
