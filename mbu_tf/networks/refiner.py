"""The refiner: a U-Net that takes content off photos and outlines it, at twice the model's size."""

import keras
from keras import layers, ops

from mbu_tf.networks import blocks
from mbu_tf.networks.network import Network, weights_of

# What it is told beside the photo: DA(Ec(b)), m(b, b) and z_raw(b, b), of half its size.
HINTS = 7
# Filters of each map as multiples of the largest one's.
LEVELS = (1, 1.5, 3, 4, 6)


@keras.saving.register_keras_serializable("mbu_tf")
class Refiner(Network):
    """U-Net (Ronneberger et al., 2015, section 2) from a photo to itself without B's content.

    What a model knows of an image goes through its codes, 2x2 places of it. This
    network sees the image itself, and beside it what the model makes of it: where a
    frame ends, and what the skin beside it looks like. Up-convolutions are the paper's 2x2.

    Args:
        channels: filters of its largest map, which has half the photo's size.

    Inputs: photo `(batch, side, side, 3)` in [-1, 1], `side` a multiple of 32; hints, half
    as large, of 7 channels in [-1, 1] (`hints`).
    Output: `(mask, image)`: the content's outline `(…, 1)` in [0, 1], and the photo
    without it `(…, 3)`, a sum that may lie a little outside [-1, 1]; both float32
    under mixed precision.

    Raises:
        ValueError: if `channels` is no positive integer.
    """

    def __init__(self, channels=24, **kwargs):
        blocks.check_positive_int("channels", channels)
        photo = keras.Input((None, None, 3), dtype=blocks.wide_dtype(), name="photo")
        told = keras.Input((None, None, HINTS), dtype=blocks.wide_dtype(), name="hints")
        first, *others = [round(level * channels) for level in LEVELS]
        with weights_of(kwargs.get("name")):
            x = layers.Conv2D(first, 4, strides=2, padding="same", name="first_conv")(photo)
            x = layers.Concatenate(name="told")([x, told])
            x = _convolve(x, first, "level_1")
            skipped = []
            for i, filters in enumerate(others, start=2):
                skipped.append((f"up_{i - 1}", x))
                x = _convolve(x, filters, f"down_{i}", strides=2)
                x = _convolve(x, filters, f"level_{i}")
            for name, beside in reversed(skipped):
                filters = beside.shape[-1]
                x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"{name}_deconv")(x)
                x = layers.Concatenate(name=f"{name}_skip")([x, beside])
                x = _convolve(x, filters, name)
            x = _convolve(x, first, "last")
            # To begin with there is hardly a change.
            start = keras.initializers.RandomNormal(stddev=0.01)
            x = layers.Conv2DTranspose(
                4, 4, strides=2, padding="same", kernel_initializer=start, name="change_deconv"
            )(x)
            mask, change = ops.split(x, [1], axis=-1)
            mask = layers.Activation("sigmoid", dtype=blocks.wide_dtype(), name="mask")(mask)
            image = layers.Add(dtype=blocks.wide_dtype(), name="image")([photo, change])
        config = {"channels": channels}
        super().__init__([photo, told], (mask, image), config, **kwargs)
        self.channels = channels


def hints(removed, mask, paint):
    """What a refiner is told: DA(Ec(b)), m(b, b) in [0, 1] and z_raw(b, b), as 7 channels."""
    return ops.concatenate([removed, 2.0 * mask - 1.0, paint], axis=-1)


def _convolve(x, filters, name, strides=1):
    x = layers.Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return blocks.normalize_activate(x, "batch", "silu", name)
