"""The code discriminator C (appendix A)."""

import math

import keras
from keras import layers

from mbu_tf.networks import blocks
from mbu_tf.networks.network import Network, weights_of
from mbu_tf.system.memory import check_memory

HIDDEN_UNITS = 512


@keras.saving.register_keras_serializable("mbu_tf")
class CodeDiscriminator(Network):
    """Discriminator C (appendix A): which domain a common code comes from.

    Two fully connected layers, leaky ReLU between them. The final sigmoid is
    left to the losses, which are computed from logits.

    Args:
        code_shape: `(height, width, channels)` of the common code.
        width: relative width; 1 gives the paper's 512 units.

    Input: common code `(batch, height, width, channels)`.
    Output: logit `(batch, 1)`, positive where C takes the code for one of
    domain B; float32 under mixed precision.

    Raises:
        ValueError: on an argument outside its range.
    """

    def __init__(self, code_shape, width=1.0, **kwargs):
        code_shape = tuple(code_shape)
        if len(code_shape) != 3:
            raise ValueError(
                f"`code_shape` must be (height, width, channels). Received: code_shape={code_shape}"
            )
        units = blocks.scaled(HIDDEN_UNITS, width)
        check_memory(
            4 * math.prod(code_shape) * units,
            f"A discriminator of width {width:g}",
            "Make it narrower (width).",
        )
        code = keras.Input(code_shape, dtype=blocks.wide_dtype(), name="code")
        with weights_of(kwargs.get("name")):
            x = layers.Flatten(data_format="channels_last", name="flatten")(code)
            x = layers.Dense(units, name="hidden")(x)
            x = layers.Activation(blocks.leaky_relu, name="hidden_activation")(x)
            logits = layers.Dense(1, dtype=blocks.wide_dtype(), name="logit")(x)
        config = {"code_shape": list(code_shape), "width": width}
        super().__init__(code, logits, config, **kwargs)


@keras.saving.register_keras_serializable("mbu_tf")
class LatentDiscriminator(Network):
    """Which domain a code comes from, as Fader Networks ask (Lample et al., 2017, section 4.1).

    A convolutional block of 512 filters, dropout, and two fully connected layers,
    leaky ReLU between them. A code whose side is odd, which the block could not
    halve, goes without it.

    Args:
        code_shape: `(height, width, channels)` of the code.
        width: relative width; 1 gives the paper's 512 filters and units.
        dropout: share of the block's results that training sets to 0, from 0 to less
            than 1.

    Input, output and errors are those of `CodeDiscriminator`.
    """

    def __init__(self, code_shape, width=1.0, dropout=0.3, **kwargs):
        if not (isinstance(dropout, (int, float)) and 0.0 <= dropout < 1.0):
            raise ValueError(
                f"`dropout` must be a number from 0 to less than 1. Received: dropout={dropout!r}"
            )
        code = x = keras.Input(tuple(code_shape), dtype=blocks.wide_dtype(), name="code")
        hidden = blocks.scaled(HIDDEN_UNITS, width)
        with weights_of(kwargs.get("name")):
            if code_shape[0] % 2 == 0:
                x = blocks.downsample(x, hidden, "batch", "leaky_relu", "block")
            x = layers.Dropout(dropout, name="dropout")(x)
            x = layers.Flatten(data_format="channels_last", name="flatten")(x)
            x = layers.Dense(hidden, name="hidden")(x)
            x = layers.Activation(blocks.leaky_relu, name="hidden_activation")(x)
            logits = layers.Dense(1, dtype=blocks.wide_dtype(), name="logit")(x)
        config = {"code_shape": list(code_shape), "width": width, "dropout": dropout}
        super().__init__(code, logits, config, **kwargs)
