"""AffinityNet (Ahn and Kwak, CVPR 2018): table 5's other weakly supervised baseline."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mbu_tf.detail.filters import shrink
from mbu_tf.evaluation import affinity
from mbu_tf.evaluation.attribute_classifier import backbone_levels
from mbu_tf.evaluation.class_activation import class_activation_maps
from mbu_tf.models.inference import checked_images
from mbu_tf.networks.convolution import LAYOUT
from mbu_tf.types import Array, Floats

# A quarter of the classifier's 32, 64 and 128 at 64 px, as the paper has 128, 256 and 512 of
# a backbone of 512, 1,024 and 4,096.
LEVEL_CHANNELS = (8, 16, 32)
# Content is where its map outdoes the background's (section 3.4).
AFFINITY_THRESHOLD = 0.5


def affinity_network(classifier: Any) -> Any:
    """The untrained network f_aff above a copy of a classifier's backbone (section 3.5).

    The backbone's last levels, each by a 1x1 convolution to `LEVEL_CHANNELS`, laid one
    beside the other and mixed by one more. Coarser levels are enlarged to the finest,
    where the paper's backbone keeps all at one size. ELU after each convolution and
    running statistics that stay are of the published code.

    Args:
        classifier: what `train_attribute_classifier` gives.

    Returns:
        `keras.Model` of images `(batch, size, size, 3)` in [-1, 1] to features
        `(batch, side, side, channels)`, `side` that of the finest level.
    """
    backbone = backbone_levels(classifier)
    levels = backbone(backbone.input, training=False)
    side = levels[0].shape[1]
    reduced = []
    for i, (level, channels) in enumerate(
        zip(levels, LEVEL_CHANNELS[-len(levels) :], strict=True), start=1
    ):
        x = layers.Conv2D(channels, 1, activation="elu", **LAYOUT, name=f"level_{i}")(level)
        factor = side // x.shape[1]
        reduced.append(layers.UpSampling2D(factor, interpolation="bilinear", **LAYOUT)(x))
    x = layers.Concatenate(name="levels")(reduced)
    # Distances are sums over channels: they begin at about 1.
    small = keras.initializers.VarianceScaling(1.0 / x.shape[-1])
    features = layers.Conv2D(
        x.shape[-1], 1, activation="elu", kernel_initializer=small, **LAYOUT, name="features"
    )(x)
    return keras.Model(backbone.input, features, name="affinity_network")


def train_affinity_network(
    classifier: Any, images: Array, steps: int = 200, batch_size: int = 8, seed: int = 0
) -> Any:
    """Learn affinities from where a classifier is sure; no pixel is labelled.

    Args:
        classifier: what `train_attribute_classifier` gives.
        images: images of B to learn from, float `(count, size, size, 3)` in [-1, 1].
        steps: batches that it is trained on, rounded to whole passes through the images.
        batch_size: images per batch.
        seed: of its weights and of the order of the images.

    Returns:
        The trained `affinity_network`.

    Raises:
        ValueError: on images out of range.
    """
    images = checked_images("images", images)
    keras.utils.set_random_seed(seed)
    network = affinity_network(classifier)
    side = network.output_shape[1]
    cams = _at_side(class_activation_maps(classifier, images), side)
    pairs = affinity.neighbours(side)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    network.compile(
        keras.optimizers.Adam(schedule),
        lambda regions, features: affinity.affinity_loss(regions, features, pairs),
    )
    epochs = max(1, round(steps * batch_size / len(images)))
    regions = affinity.confident_regions(cams[..., 0])
    network.fit(images, regions, batch_size, epochs=epochs, verbose=0)
    return network


def affinity_maps(classifier: Any, network: Any, images: Array, batch_size: int = 4) -> Floats:
    """Class activation maps after a random walk along learned affinities (section 3.3).

    The dense CRF that the paper runs after the walk, and in finding confident regions,
    is left out, and so is what it then trains on the result, a segmentation network. Its
    numbers (radius 5, beta 8, 256 steps) are kept, at whatever size the maps have.

    Args:
        classifier: what the maps are of.
        network: what `train_affinity_network` made of it.
        images: float `(count, size, size, 3)` in [-1, 1].
        batch_size: images computed at once.

    Returns:
        float32 `(count, size, size, 1)` in [0, 1], the content's share in its map and the
        background's together. Binarise it at `AFFINITY_THRESHOLD` for masks.

    Raises:
        ValueError: on images out of range.
    """
    images = checked_images("images", images)
    side, found = network.output_shape[1], []
    pairs = affinity.neighbours(side)
    cams = _at_side(class_activation_maps(classifier, images), side)
    maps = np.concatenate([cams, affinity.background_map(cams, affinity.ALPHA)], axis=-1)
    for start in range(0, len(images), batch_size):
        batch, seeds = (
            ops.convert_to_tensor(x[start : start + batch_size]) for x in (images, maps)
        )
        matrix = affinity.transition_matrix(network(batch, training=False), pairs)
        walked = affinity.random_walk(matrix, seeds)
        walked = ops.image.resize(walked, images.shape[1:3], interpolation="bilinear", **LAYOUT)
        content, background = ops.split(walked, 2, axis=-1)
        found.append(ops.convert_to_numpy(content / (content + background)))
    return np.concatenate(found)


def kept_affinity_network(parts, key, classifier, load_images, steps, seed=0):
    """`train_affinity_network`, or what it gave before.

    Args:
        parts: `Parts` that keep it.
        key: all that it depends on, see `Parts.file`.
        classifier: as there.
        load_images: function that gives the images to learn from.
        steps, seed: as there.
    """

    def write(path):
        network = train_affinity_network(classifier, load_images(), steps, seed=seed)
        np.savez(path, *network.get_weights())

    with np.load(parts.file("affinity_network.npz", key, write)) as weights:
        network = affinity_network(classifier)
        network.set_weights(list(weights.values()))
    return network


def _at_side(maps, side):
    """`maps` shrunk to a side that theirs is a multiple of, as a NumPy array."""
    return ops.convert_to_numpy(shrink(ops.convert_to_tensor(maps), maps.shape[1] // side))
