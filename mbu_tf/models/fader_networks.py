"""Fader Networks of Lample et al. (2017), which the MBU paper compares with (tables 2 and 6)."""

from typing import Any

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.own_networks import in_one_pass
from mbu_tf.models.presets import FADER_PRESETS
from mbu_tf.models.translation import ATTRIBUTES, Translation
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.networks import blocks
from mbu_tf.networks.attribute_decoder import AttributeDecoder
from mbu_tf.networks.discriminator import LatentDiscriminator
from mbu_tf.networks.encoder import Encoder


@keras.saving.register_keras_serializable("mbu_tf")
class FaderNetworks(Translation, TwoDomainModel):
    """An autoencoder whose code does not tell the domain, and whose decoder is told it.

    Three networks: `common_encoder` E; `decoder` D of a code and an attribute y, 0 of A
    and 1 of B; `discriminator`, which is to find y in the code. D(E(x), y) is x (equation
    1); since E hides y (equations 2 and 3), D takes it from its second input, and another
    y translates: `translate_to_a`, `translate_to_b`, and `translate` for all in between.
    It takes no reference, and draws whole images without a mask.

    Both domains of a batch go through each network together, as the paper's batches hold
    both: normalised apart, they would lose what tells them apart. Left out is the paper's
    model selection; published code and text differ in the learning rate (2e-4 and 2e-3).

    Args:
        image_size, depth, width: as for `MaskedContentTransfer`; the paper's are 256 px
            and 7 blocks.
        normalization: `"batch"` (paper), `"instance"` or `None`, in encoder and decoder.
        encoder_activation: `"leaky_relu"` (slope 0.2, paper) or `"relu"`.
        decoder_activation: `"relu"` (paper) or `"leaky_relu"`.
        dropout: of the discriminator, 0.3 in the paper.

    Loss terms, for `compile(loss_weights=...)`: `recon_a` and `recon_b` (equation 1, mean
    squared error, 1) and `confusion` (equation 3: each code is to be called the other
    domain's; lambda_E, 1e-4, to which recipes let it rise from 0).

    Raises:
        ValueError: on an argument outside its range.
    """

    default_loss_weights = {"recon_a": 1.0, "recon_b": 1.0, "confusion": 1e-4}
    default_confusion_label = "other"
    network_names = ("common_encoder", "decoder", "discriminator")
    starting_networks = ("common_encoder", "decoder")
    presets = FADER_PRESETS

    def __init__(
        self,
        image_size: int = 256,
        depth: int | None = None,
        width: float = 1.0,
        normalization: str | None = "batch",
        encoder_activation: str = "leaky_relu",
        decoder_activation: str = "relu",
        dropout: float = 0.3,
        **kwargs: Any,
    ) -> None:
        config = {
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "normalization": normalization,
            "encoder_activation": encoder_activation,
            "decoder_activation": decoder_activation,
            "dropout": dropout,
        }
        super().__init__(config, **kwargs)
        self._make_networks()

    def build_common_encoder(self):
        """E: images to a code `(batch, s, s, 512 * width)`."""
        channels = blocks.scaled(blocks.CODE_CHANNELS, self._config["width"])
        filters = blocks.FADER_FILTERS
        return Encoder(channels, filters=filters, **self._shape("encoder"), name="common_encoder")

    def build_decoder(self):
        """D: a code and an attribute to an image."""
        return AttributeDecoder(self.code_shape[-1], **self._shape("decoder"), name="decoder")

    def build_discriminator(self):
        """Of a code to a logit `(batch, 1)`, positive where the attribute is seen in it."""
        width, dropout = self._config["width"], self._config["dropout"]
        return LatentDiscriminator(self.code_shape, width, dropout, name="discriminator")

    def decode(self, code, attribute, training=False):
        """D(code, y).

        Args:
            code: `(batch, s, s, channels)`.
            attribute: y, a number for all or `(batch, 1)`.
        """
        attribute = ops.ones_like(losses.at_least_float32(code[:, 0, 0, :1])) * attribute
        return self.decoder([code, attribute], training=training)

    def judged(self, code_a, code_b, training=False):
        return in_one_pass(self.discriminator, code_a, code_b, training)

    def updated_codes(self, a, b):
        return in_one_pass(self.common_encoder, a, b, training=True)

    def generator_losses(self, a, b, mask_b=None, training=False):
        """Equation 1: both domains reconstructed, each with its own attribute."""
        codes = self.common_code(ops.concatenate([a, b]), training)
        code_a, code_b = ops.split(codes, 2)
        of_a = ops.ones_like(losses.at_least_float32(code_a[:, 0, 0, :1]))
        attributes = ops.concatenate([ATTRIBUTES["a"] * of_a, ATTRIBUTES["b"] * of_a])
        decoded_a, decoded_b = ops.split(self.decode(codes, attributes, training), 2)
        terms = {
            "recon_a": losses.distance(decoded_a, a, "l2"),
            "recon_b": losses.distance(decoded_b, b, "l2"),
        }
        return terms, code_a, code_b, {}
