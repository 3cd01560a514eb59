"""Class activation maps (Zhou et al., 2016): table 5's weakly supervised baseline."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mbu_tf.models.inference import checked_images
from mbu_tf.networks.convolution import LAYOUT
from mbu_tf.types import Array, Floats

# Zhou et al. take what is above a fifth of the largest value.
CAM_THRESHOLD = 0.2


def class_activation_maps(classifier: Any, images: Array, batch_size: int = 64) -> Floats:
    """Where a classifier sees B.

    The maps below its global average pooling, weighted as its last dense layer
    weights their averages, what speaks for A counted as 0, enlarged bilinearly and
    divided by each image's largest value.

    Args:
        classifier: functional or sequential `keras.Model` whose last two layers with
            weights or pooling are a `GlobalAveragePooling2D` and a `Dense` of one
            unit, such as `train_attribute_classifier` gives.
        images: float `(count, height, width, 3)` in [-1, 1], of the classifier's size.
        batch_size: images computed at once.

    Returns:
        float32 `(count, height, width, 1)` in [0, 1]; all 0 where nothing speaks for B.
        Binarise them at `CAM_THRESHOLD` for masks.

    Raises:
        ValueError: if the classifier ends otherwise, or images are out of range.
    """
    images = checked_images("images", images)
    pooling, dense = _head(classifier)
    below = keras.Model(classifier.inputs, pooling.input)
    weights = ops.cast(dense.kernel, "float32")
    maps = []
    for start in range(0, len(images), batch_size):
        features = below(ops.convert_to_tensor(images[start : start + batch_size]), training=False)
        activation = ops.matmul(ops.cast(features, "float32"), weights)
        activation = ops.image.resize(
            activation, images.shape[1:3], interpolation="bilinear", **LAYOUT
        )
        positive = ops.maximum(activation, 0.0)
        largest = ops.max(positive, axis=(1, 2, 3), keepdims=True)
        maps.append(ops.convert_to_numpy(positive / ops.where(largest > 0.0, largest, 1.0)))
    return np.concatenate(maps)


def _head(classifier):
    """The classifier's global average pooling and the dense layer of one unit after it."""
    found = [
        layer
        for layer in getattr(classifier, "layers", ())
        if isinstance(layer, (layers.GlobalAveragePooling2D, layers.Dense))
    ][-2:]
    kinds = [type(layer) for layer in found]
    if kinds != [layers.GlobalAveragePooling2D, layers.Dense] or found[1].units != 1:
        raise ValueError(
            "Class activation maps need a classifier that ends in GlobalAveragePooling2D and "
            f"Dense(1). Received: {[kind.__name__ for kind in kinds]}"
        )
    return found
