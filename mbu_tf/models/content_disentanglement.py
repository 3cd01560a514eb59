"""Content disentanglement (CD) of Press et al. (2019), which MBU and DIDD build on."""

from typing import Any

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.mask_editing import add_mask_threshold
from mbu_tf.models.one_way import OneWayTransfer
from mbu_tf.models.presets import CD_FORMULATIONS, CD_PRESETS
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.networks import blocks
from mbu_tf.networks.decoder import Decoder


@keras.saving.register_keras_serializable("mbu_tf")
class ContentDisentanglement(OneWayTransfer, TwoDomainModel):
    """Learns what domain B has that A lacks, as a code; it draws whole images, without a mask.

    Four networks: `common_encoder`, `separate_encoder`, one `decoder` of both
    codes, `discriminator`. An image of A is decoded from its common code and
    zeros, so that the separate code has to hold what B alone has.

    `transfer` and `remove` repaint the whole picture: their mask is 1
    everywhere. `segment` is what the MBU paper derives for this method (section
    4): the removed image subtracted from the image itself, here the mean
    absolute difference over the channels, halved into [0, 1].

    Args:
        image_size, depth, width: as for `MaskedContentTransfer`.
        separate_channels: channels of the separate code, at any width.
        normalization: `"instance"` (published code), `"batch"` or `None`.
        encoder_activation: `"leaky_relu"` (slope 0.2) or `"relu"`.
        decoder_activation: `"relu"` (published code) or `"leaky_relu"`.
        reconstruction_norm: `"l2"` (published code) or `"l1"`.

    Loss terms, for `compile(loss_weights=...)`, with the published defaults:
    `recon_a` and `recon_b` (1), `confusion` (0.001).

    Raises:
        ValueError: on an argument outside its range.
    """

    default_loss_weights = {"recon_a": 1.0, "recon_b": 1.0, "confusion": 0.001}
    network_names = ("common_encoder", "separate_encoder", "decoder", "discriminator")
    starting_networks = ("common_encoder", "decoder")
    presets = CD_PRESETS
    formulations = CD_FORMULATIONS
    has_masks = False

    def __init__(
        self,
        image_size: int = 128,
        depth: int | None = None,
        width: float = 1.0,
        separate_channels: int = 25,
        normalization: str | None = "instance",
        encoder_activation: str = "leaky_relu",
        decoder_activation: str = "relu",
        reconstruction_norm: str = "l2",
        **kwargs: Any,
    ) -> None:
        blocks.check_choice("reconstruction_norm", reconstruction_norm, losses.NORMS)
        config = {
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "separate_channels": separate_channels,
            "normalization": normalization,
            "encoder_activation": encoder_activation,
            "decoder_activation": decoder_activation,
            "reconstruction_norm": reconstruction_norm,
        }
        super().__init__(config, **kwargs)
        self._make_networks()
        self._mask_threshold = add_mask_threshold(self)

    def build_decoder(self):
        """Both codes, one beside the other, to an image."""
        channels = self.code_shape[-1] + self._config["separate_channels"]
        return Decoder(channels, **self._shape("decoder"), name="decoder")

    def decode(self, common, separate, training=False):
        """The image of a common and a separate code."""
        return self.decoder(ops.concatenate([common, separate], axis=-1), training=training)

    def decode_a(self, common, training=False):
        """The image without B's content: zeros in place of its separate code."""
        zeros = blocks.zero_code(common, self._config["separate_channels"])
        return self.decode(common, zeros, training)

    def decode_b(self, common, separate, training=False):
        """The whole picture and a mask of ones, for `MaskEditing`."""
        image = self.decode(common, separate, training)
        return ops.ones_like(image[..., :1]), image

    def compute_segmentation(self, image):
        """Difference of an image and itself without the content, `(batch, height, width, 1)`."""
        removed = losses.at_least_float32(self.decode_a(self.common_code(image)))
        difference = ops.abs(losses.at_least_float32(image) - removed)
        return ops.mean(difference, axis=-1, keepdims=True) / 2.0

    def generator_losses(self, a, b, mask_b=None, training=False):
        """Reconstruction of both domains."""
        norm = self._config["reconstruction_norm"]
        common_b, separate_b = self.common_code(b, training), self.separate_code(b, training)
        decoded_b = self.decode(common_b, separate_b, training)
        common_a = self.common_code(a, training)
        decoded_a = self.decode_a(common_a, training)
        terms = {
            "recon_a": losses.distance(decoded_a, a, norm),
            "recon_b": losses.distance(decoded_b, b, norm),
        }
        return terms, common_a, common_b, {}
