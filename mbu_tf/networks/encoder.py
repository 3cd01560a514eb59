"""Encoders: an image to a code map (appendix A)."""

import keras

from mbu_tf.networks import blocks
from mbu_tf.networks.network import Network, weights_of


@keras.saving.register_keras_serializable("mbu_tf")
class Encoder(Network):
    """Convolutional blocks that halve the image `depth` times (appendix A).

    Both the common encoder Ec (`filters=COMMON_FILTERS`) and the separate
    encoder Es (`filters=SEPARATE_FILTERS`) are this network.

    Args:
        code_channels: channels of the code.
        image_size: height and width of the input in pixels.
        depth: number of blocks; `None` leaves a 2x2 code, the paper's 6 at
            128 px.
        width: relative width of all blocks but the last.
        filters: filters of the blocks before the last, largest map first, at
            full width; the last entry is repeated as `depth` asks. A list as
            long as `depth - 1` is taken as it stands.
        last_filters: channels of the block before the last, at `width`, or
            `None` to take them from `filters`. The paper and the published
            code use 512 - sep.
        normalization: `"batch"`, `"instance"` or `None`.
        activation: `"leaky_relu"` (slope 0.2) or `"relu"`.
        bare_blocks: numbers, from 1, of blocks without normalisation. The
            published DIDD code leaves it out of its common encoder's block 2.
        spectral_updates, spectral_gradient: spectral normalisation of every
            convolution, see `networks/spectral.py`; `None` for updates: none.

    Input: images `(batch, image_size, image_size, 3)` in [-1, 1].
    Output: code `(batch, s, s, code_channels)`, `s = image_size / 2**depth`.

    Raises:
        ValueError: on an argument outside its range.
    """

    def __init__(
        self,
        code_channels,
        image_size=128,
        depth=None,
        width=1.0,
        filters=blocks.COMMON_FILTERS,
        last_filters=None,
        normalization="batch",
        activation="leaky_relu",
        bare_blocks=(),
        spectral_updates=None,
        spectral_gradient="own_pass",
        **kwargs,
    ):
        depth = blocks.checked_depth(image_size, depth, code_channels, normalization, activation)
        hidden = blocks.block_filters(filters, depth - 1, width)
        if last_filters is not None and depth > 5:
            hidden[4:] = [last_filters] * len(hidden[4:])
        blocks.check_kernels([3, *hidden, code_channels], width)

        shape = (image_size, image_size, 3)
        images = keras.Input(shape, dtype=blocks.wide_dtype(), name="image")
        x = images
        layer, _ = blocks.convolution_layers(spectral_updates, spectral_gradient)
        with weights_of(kwargs.get("name")):
            for i, block in enumerate([*hidden, code_channels], start=1):
                norm = None if i in bare_blocks else normalization
                x = blocks.downsample(x, block, norm, activation, f"block_{i}", layer)
        config = {
            "code_channels": code_channels,
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "filters": list(filters),
            "last_filters": last_filters,
            "normalization": normalization,
            "activation": activation,
            "bare_blocks": list(bare_blocks),
            "spectral_updates": spectral_updates,
            "spectral_gradient": spectral_gradient,
        }
        super().__init__(images, x, config, **kwargs)
