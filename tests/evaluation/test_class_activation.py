"""Class activation maps of networks small enough to work them out."""

import keras
import numpy as np
import pytest

from mbu_tf.evaluation import class_activation_maps


def colour_classifier(weights, strides=1):
    """Weighs the image's colours where they are; a pooled pixel is one in `strides` squared."""
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.AveragePooling2D(strides),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, kernel_initializer=lambda *a, **k: np.array(weights)[:, None]),
        ]
    )


def test_maps_are_the_weighted_sum_of_what_is_pooled():
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 3)).astype(np.float32)
    weights = np.float32([0.5, -2.0, 1.0])
    maps = class_activation_maps(colour_classifier(weights), images, batch_size=2)
    evidence = (images @ weights).clip(0)[..., None]
    expected = evidence / evidence.max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    assert maps.dtype == np.float32


def test_maps_are_enlarged_to_the_image():
    images = np.zeros((1, 4, 4, 3), np.float32)
    images[0, :2, :2, 0] = 1.0
    maps = class_activation_maps(colour_classifier([1.0, 0.0, 0.0], 2), images)[0, ..., 0]
    # Bilinear between pixel centres, then divided by the largest value.
    line = np.array([1.0, 0.75, 0.25, 0.0])
    np.testing.assert_allclose(maps, np.outer(line, line), atol=1e-6)


def test_nothing_that_speaks_for_b():
    images = np.full((2, 4, 4, 3), -0.5, np.float32)
    assert not class_activation_maps(colour_classifier([1.0, 1.0, 1.0]), images).any()


def test_a_classifier_without_pooling_is_refused():
    layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    with pytest.raises(ValueError, match=r"ends in GlobalAveragePooling2D and Dense\(1\)"):
        class_activation_maps(keras.Sequential(layers), np.zeros((1, 4, 4, 3), np.float32))
