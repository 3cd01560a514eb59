"""The decoder of Fader Networks: a code and an attribute to an image."""

import keras
from keras import layers, ops

from mbu_tf.networks import blocks, convolution
from mbu_tf.networks.decoder import deconvolve
from mbu_tf.networks.network import Network, weights_of


@keras.saving.register_keras_serializable("mbu_tf")
class AttributeDecoder(Network):
    """Draws an image of a code, told at every block whether it has the attribute.

    Each block sees, beside what the block before it gives, two planes that are
    constant over the map, 1 - y and y (Lample et al., 2017, section 4.1).

    Arguments and errors are those of `Decoder`, spectral normalisation left out.

    Input: `[code, y]`: code `(batch, s, s, code_channels)`, `s = image_size / 2**depth`;
        the attribute y `(batch, 1)`, 0 of domain A, 1 of B, or in between and beyond.
    Output: image `(batch, image_size, image_size, 3)` in [-1, 1], float32
        under mixed precision.
    """

    def __init__(
        self,
        code_channels,
        image_size=256,
        depth=None,
        width=1.0,
        normalization="batch",
        activation="relu",
        **kwargs,
    ):
        depth = blocks.checked_depth(image_size, depth, code_channels, normalization, activation)
        side, wide = image_size // 2**depth, blocks.wide_dtype()
        code = keras.Input((side, side, code_channels), dtype=wide, name="code")
        attribute = keras.Input((1,), dtype=wide, name="attribute")
        filters = blocks.block_filters(blocks.FADER_FILTERS, depth - 1, width)
        layer = convolution.Conv2DTranspose
        with weights_of(kwargs.get("name")):
            planes = ops.concatenate([1.0 - attribute, attribute], axis=-1)[:, None, None]

            def beside_planes(x):
                own = ops.ones_like(x[..., :1]) * ops.cast(planes, x.dtype)
                return ops.concatenate([x, own], axis=-1)

            x = deconvolve(code, filters, 3, normalization, activation, layer, beside_planes)
            image = layers.Activation(blocks.tanh, dtype=wide, name="image")(x)
        config = {
            "code_channels": code_channels,
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "normalization": normalization,
            "activation": activation,
        }
        super().__init__([code, attribute], image, config, **kwargs)
