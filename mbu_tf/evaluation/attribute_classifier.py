"""A classifier of two domains, by which edits are judged (tables 2, 6 and 7)."""

from typing import Any

import keras
from keras import layers

from mbu_tf.data.domains import TwoDomains
from mbu_tf.models.inference import checked_images
from mbu_tf.networks.blocks import leaky_relu
from mbu_tf.networks.convolution import LAYOUT
from mbu_tf.networks.encoder import Encoder
from mbu_tf.types import Array

# Height and width of the maps that the classifier pools, and CAM enlarges.
MAP_SIZE = 8
CHANNELS = 128
HELD_OUT_IMAGES = 1000


def train_attribute_classifier(
    domains: TwoDomains,
    held_out: TwoDomains,
    steps: int = 1000,
    batch_size: int = 32,
    seed: int = 0,
    held_out_images: int = HELD_OUT_IMAGES,
) -> tuple[Any, float]:
    """A classifier that tells whether an image is of B.

    Every batch holds as many images of A as of B, half of them mirrored.

    Args:
        domains: `TwoDomains` to train on.
        held_out: `TwoDomains` of unseen images, of the same size.
        steps: batches that it is trained on.
        batch_size: images of each domain per batch.
        seed: of its weights and of the order of the images.
        held_out_images: unseen images of each domain that it is tried on, at most.

    Returns:
        `(classifier, accuracy)`: a `keras.Model` from images `(batch, size, size, 3)` in
        [-1, 1] to logits `(batch, 1)` of being in B, which `save` writes as `.keras`;
        and its balanced accuracy on the unseen images.
    """
    keras.utils.set_random_seed(seed)
    classifier = attribute_classifier(domains.image_size)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(schedule), loss)

    def labelled(a, b):
        images = keras.ops.concatenate([a, b])
        return images, keras.ops.repeat(keras.ops.array([[0.0], [1.0]]), batch_size, axis=0)

    batches = domains.batches(batch_size, seed, flip=True).map(labelled)
    classifier.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return classifier, balanced_accuracy(classifier, *held_out.arrays(held_out_images))


def kept_attribute_classifier(parts, key, load_domains, held_out, steps, seed=0):
    """`train_attribute_classifier`, or what it gave before.

    Args:
        parts: `Parts` that keep it.
        key: all that it depends on, see `Parts.file`.
        load_domains: function that gives the `TwoDomains` to train on.
        held_out, steps, seed: as there.
    """
    found = []

    def write(path):
        classifier, accuracy = train_attribute_classifier(
            load_domains(), held_out, steps=steps, seed=seed
        )
        classifier.save(path)
        found.append(accuracy)

    classifier = keras.saving.load_model(parts.file("classifier.keras", key, write))

    def accuracy():
        if found:
            return found[0]
        # The last run ended between the two files.
        return balanced_accuracy(classifier, *held_out.arrays(HELD_OUT_IMAGES))

    return classifier, parts.json("classifier_accuracy", key, accuracy)


def attribute_classifier(image_size):
    """The untrained network: maps of 8 x 8, global average pooling and one logit.

    The pooling leaves open where in the image the attribute is, which class
    activation maps then show. Two convolutions that keep the maps' size let each
    place see most of the image.
    """
    images = keras.Input((image_size, image_size, 3), name="image")
    depth = max(2, (image_size // MAP_SIZE).bit_length() - 1)
    x = Encoder(CHANNELS, image_size, depth, name="encoder")(images)
    for i in (1, 2):
        x = layers.Conv2D(CHANNELS, 3, padding="same", use_bias=False, **LAYOUT, name=f"conv_{i}")(
            x
        )
        x = layers.BatchNormalization(momentum=0.9, name=f"norm_{i}")(x)
        x = layers.Activation(leaky_relu, name=f"activation_{i}")(x)
    x = layers.GlobalAveragePooling2D(**LAYOUT, name="pooling")(x)
    return keras.Model(images, layers.Dense(1, name="logit")(x), name="attribute_classifier")


def backbone_levels(classifier):
    """A copy of a classifier's backbone, as a model of images to the maps of its last levels.

    Args:
        classifier: what `train_attribute_classifier` gives.

    Returns:
        `keras.Model` of images to at most three maps, each half the side of the one
        before, down to that which is pooled.

    Raises:
        ValueError: if it is another network.
    """
    names = [layer.name for layer in getattr(classifier, "layers", ())]
    if "encoder" not in names or "pooling" not in names:
        raise ValueError(
            "The backbone's levels are known of the classifiers of `train_attribute_classifier`. "
            f"Received: layers {names}"
        )
    copy = attribute_classifier(classifier.input_shape[1])
    copy.set_weights(classifier.get_weights())
    encoder = copy.get_layer("encoder")
    depth = encoder.get_config()["depth"]
    blocks = range(max(1, depth - 2), depth + 1)
    outputs = [encoder.get_layer(f"block_{i}_activation").output for i in blocks]
    *finer, x = keras.Model(encoder.input, outputs, name="encoder_levels")(copy.input)
    for layer in copy.layers[names.index("encoder") + 1 : names.index("pooling")]:
        x = layer(x)
    return keras.Model(copy.input, [*finer, x], name="backbone")


def share_in_b(classifier: Any, images: Array) -> float:
    """Share of images that a classifier takes for images of B, a float in [0, 1].

    Args:
        classifier: `keras.Model` from images to logits of being in B.
        images: float `(count, height, width, 3)` in [-1, 1].

    Raises:
        ValueError: on a wrong shape, dtype or value range.
    """
    logits = classifier.predict(checked_images("images", images), batch_size=64, verbose=0)
    return float((logits > 0.0).mean())


def balanced_accuracy(classifier: Any, a: Array, b: Array) -> float:
    """Mean of the shares of A and of B that a classifier gets right, a float in [0, 1].

    Args:
        classifier: as in `share_in_b`.
        a, b: images of A and of B, in any numbers.
    """
    return (1.0 - share_in_b(classifier, a) + share_in_b(classifier, b)) / 2.0
