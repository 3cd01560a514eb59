"""The decoder of Fader Networks: a code and an attribute to an image."""

import keras
from keras import ops

from mbu_tf.networks import blocks
from mbu_tf.networks.decoder import Decoder


@keras.saving.register_keras_serializable("mbu_tf")
class AttributeDecoder(Decoder):
    """Draws an image of a code, told at every block whether it has the attribute.

    Each block sees, beside what the block before it gives, two planes that are
    constant over the map, 1 - y and y (Lample et al., 2017, section 4.1).

    Arguments, output and errors are those of `Decoder`.

    Input: `[code, y]`: the code as for `Decoder`; the attribute y `(batch, 1)`, 0 of
    domain A, 1 of B, or in between and beyond.
    """

    filters = blocks.FADER_FILTERS

    def told(self, code):
        attribute = keras.Input((1,), dtype=blocks.wide_dtype(), name="attribute")
        planes = ops.concatenate([1.0 - attribute, attribute], axis=-1)[:, None, None]

        def beside_planes(x):
            own = ops.ones_like(x[..., :1]) * ops.cast(planes, x.dtype)
            return ops.concatenate([x, own], axis=-1)

        return [code, attribute], beside_planes
