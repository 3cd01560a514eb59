"""Decoders: a code map to an image, or to a mask and a raw image (appendix A)."""

import keras
from keras import layers, ops

from mbu_tf.networks import blocks
from mbu_tf.networks.network import Network, weights_of


def deconvolve(code, filters, out_channels, normalization, activation, layer, seen):
    """All de-convolutional blocks; the last is a plain convolution alone.

    Args:
        code: what they begin with.
        filters: of the blocks before the last, largest map first.
        out_channels: of the last.
        normalization, activation, layer: see `blocks.upsample`.
        seen: function of a block's input to what the block sees of it.
    """
    x = code
    for i, block in enumerate(reversed(filters), start=1):
        x = blocks.upsample(seen(x), block, normalization, activation, f"block_{i}", layer)
    return blocks.deconvolution(seen(x), out_channels, f"block_{len(filters) + 1}")


class CodeDecoder(Network):
    """What decoders share: arguments, their checks and the configuration.

    A subclass says what it makes of the last block's `out_channels` (`head`), and may be told
    more than the code (`told`).
    """

    filters = blocks.DECODER_FILTERS

    def __init__(
        self,
        code_channels,
        image_size=128,
        depth=None,
        width=1.0,
        normalization="batch",
        activation="leaky_relu",
        spectral_updates=None,
        spectral_gradient="own_pass",
        **kwargs,
    ):
        depth = blocks.checked_depth(image_size, depth, code_channels, normalization, activation)
        side = image_size // 2**depth
        shape = (side, side, code_channels)
        code = keras.Input(shape, dtype=blocks.wide_dtype(), name="code")
        _, layer = blocks.convolution_layers(spectral_updates, spectral_gradient)
        filters = blocks.block_filters(self.filters, depth - 1, width)
        blocks.check_kernels([code_channels, *reversed(filters), self.out_channels], width)
        with weights_of(kwargs.get("name")):
            inputs, seen = self.told(code)
            x = deconvolve(code, filters, self.out_channels, normalization, activation, layer, seen)
        config = {
            "code_channels": code_channels,
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "normalization": normalization,
            "activation": activation,
            "spectral_updates": spectral_updates,
            "spectral_gradient": spectral_gradient,
        }
        super().__init__(inputs, self.head(x), config, **kwargs)

    def told(self, code):
        """All inputs, and a function of a block's input to what the block sees of it."""
        return code, lambda x: x


@keras.saving.register_keras_serializable("mbu_tf")
class Decoder(CodeDecoder):
    """Decoder DA (appendix A): a code to an image.

    Args:
        code_channels: channels of the code.
        image_size: height and width of the output in pixels.
        depth: number of blocks; `None` starts from a 2x2 code, the paper's 6
            at 128 px.
        width: relative width of all blocks but the last.
        normalization: `"batch"`, `"instance"` or `None`.
        activation: `"leaky_relu"` (slope 0.2, the published code) or `"relu"`
            (the paper's text).
        spectral_updates, spectral_gradient: spectral normalisation of every
            block but the last, see `networks/spectral.py`; `None` for updates:
            none.

    Input: code `(batch, s, s, code_channels)`, `s = image_size / 2**depth`.
    Output: image `(batch, image_size, image_size, 3)` in [-1, 1], float32
    under mixed precision.

    Raises:
        ValueError: on an argument outside its range.
    """

    out_channels = 3

    def head(self, x):
        return layers.Activation(blocks.tanh, dtype=blocks.wide_dtype(), name="image")(x)


@keras.saving.register_keras_serializable("mbu_tf")
class MaskDecoder(CodeDecoder):
    """Decoder DB (equation 1, appendix A): a code to a soft mask and a raw image.

    Arguments, input and errors are those of `Decoder`.

    Output: `(mask, raw)`: `mask` `(batch, image_size, image_size, 1)` in
    [0, 1], `raw` `(batch, image_size, image_size, 3)` in [-1, 1]; both float32
    under mixed precision.
    """

    out_channels = 4

    def head(self, x):
        mask, raw = ops.split(x, [1], axis=-1)
        mask = layers.Activation("sigmoid", dtype=blocks.wide_dtype(), name="mask")(mask)
        raw = layers.Activation(blocks.tanh, dtype=blocks.wide_dtype(), name="raw")(raw)
        return mask, raw
