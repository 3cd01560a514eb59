"""DIDD with masks, which its slides name as the next step: each domain's part in its place."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.mask_editing import MaskEditing, add_mask_threshold
from mbu_tf.models.presets import MASKED_DIDD_PRESETS
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.models.two_way import TwoWayTransfer
from mbu_tf.networks.decoder import Decoder, MaskDecoder


class OwnPart(MaskEditing):
    """What a domain alone has, added, removed and outlined as MBU does B's content.

    `model.part_a` and `model.part_b` have every method of `MaskEditing`; its
    "images b" are those of this part's domain.
    """

    def __init__(self, model, separate_encoder, mask_decoder, mask_threshold):
        self._model = model
        self._separate_encoder, self._mask_decoder = separate_encoder, mask_decoder
        self._mask_threshold = mask_threshold
        self.image_size, self.framing = model.image_size, model.framing

    def common_code(self, images, training=False):
        """Ec(images)."""
        return self._model.common_code(images, training)

    def separate_code(self, images, training=False):
        """Es of the part's domain, of images: `(batch, s, s, separate_channels)`."""
        return self._separate_encoder(images, training=training)

    def decode_a(self, common, training=False):
        """The image without either part."""
        return self._model.decode(common, training)

    def decode_b(self, common, separate, training=False):
        """Soft mask and raw image of the part (equation 1)."""
        codes = ops.concatenate([common, separate], axis=-1)
        return self._mask_decoder(codes, training=training)


@keras.saving.register_keras_serializable("mbu_tf")
class MaskedDomainIntersectionDifference(TwoWayTransfer, TwoDomainModel):
    """Both domains have a part of their own; each edit stays in a mask of its own.

    Seven networks: `common_encoder` Ec; `decoder` D, which draws what both
    domains share; for each domain a separate encoder Es and a mask decoder that
    draws its part and where it sits (equation 1): `separate_encoder_a`,
    `mask_decoder_a`, `separate_encoder_b`, `mask_decoder_b`; `discriminator`.

    It is MBU made symmetrical. a is D(Ec(a)) with A's part laid on it (equation
    6), b likewise; each part laid on the very image that wears it changes nothing
    (equation 8), which keeps its mask small. D never sees an image without
    both parts; it learns to draw a face without A's part from b's, and the other
    way round, since the common codes tell nothing of the domain (equation 3).

    Edit one part with `model.part_a` and `model.part_b`, which have `transfer`,
    `remove`, `segment`, `interpolate` and a mask threshold each (`MaskEditing`);
    translate with `transfer_to_b` and `transfer_to_a`: the target's own part
    off, the reference's on, all else untouched.

    Args:
        image_size, depth, width, normalization: as for `MaskedContentTransfer`.
        encoder_activation, decoder_activation: as there.
        separate_channels: channels of each separate code, at any width.
        separate_bare_blocks: blocks of both separate encoders, from 1, without
            normalisation. The zero losses need the last one among them, since a
            normalised code is never zero.

    Loss terms, for `compile(loss_weights=...)`:
        `recon1_a`, `recon1_b` (equation 6 for both domains), `recon2_a`,
        `recon2_b` (equation 8), `zero_a`, `zero_b` (DIDD's zero losses, of
        |EsA(b)| and |EsB(a)|), `cycle_separate_a`, `cycle_separate_b` (equation
        9: the separate code of a translated image against its reference's),
        `confusion` (equation 3).

    Raises:
        ValueError: on an argument outside its range.
    """

    default_loss_weights = {
        "recon1_a": 6.0,
        "recon1_b": 6.0,
        "recon2_a": 0.7,
        "recon2_b": 0.7,
        "zero_a": 0.0,
        "zero_b": 0.0,
        "cycle_separate_a": 0.001,
        "cycle_separate_b": 0.001,
        "confusion": 0.005,
    }
    network_names = (
        "common_encoder",
        "decoder",
        "separate_encoder_a",
        "separate_encoder_b",
        "mask_decoder_a",
        "mask_decoder_b",
        "discriminator",
    )
    starting_networks = ("common_encoder", "decoder")
    has_masks = True
    presets = MASKED_DIDD_PRESETS

    def __init__(
        self,
        image_size: int = 128,
        depth: int | None = None,
        width: float = 1.0,
        separate_channels: int = 25,
        normalization: str | None = "batch",
        encoder_activation: str = "leaky_relu",
        decoder_activation: str = "leaky_relu",
        separate_bare_blocks: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        config = {
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "separate_channels": separate_channels,
            "normalization": normalization,
            "encoder_activation": encoder_activation,
            "decoder_activation": decoder_activation,
            "separate_bare_blocks": list(separate_bare_blocks),
        }
        super().__init__(config, **kwargs)
        self._make_networks()
        self._mask_threshold_a = add_mask_threshold(self, "mask_threshold_a")
        self._mask_threshold_b = add_mask_threshold(self, "mask_threshold_b")

    def build_decoder(self):
        """D: the common code to an image."""
        return Decoder(self.code_shape[-1], **self._shape("decoder"), name="decoder")

    def build_mask_decoder_a(self):
        """The common and A's separate code, one beside the other, to a mask and a raw image."""
        return self._mask_decoder("mask_decoder_a")

    def build_mask_decoder_b(self):
        """The same of B's."""
        return self._mask_decoder("mask_decoder_b")

    def _mask_decoder(self, name):
        channels = self.code_shape[-1] + self._config["separate_channels"]
        return MaskDecoder(channels, **self._shape("decoder"), name=name)

    @property
    def part_a(self):
        """A's part."""
        return OwnPart(self, self.separate_encoder_a, self.mask_decoder_a, self._mask_threshold_a)

    @property
    def part_b(self):
        """B's part."""
        return OwnPart(self, self.separate_encoder_b, self.mask_decoder_b, self._mask_threshold_b)

    @property
    def generator_networks(self):
        return (
            self.common_encoder,
            self.decoder,
            self.separate_encoder_a,
            self.mask_decoder_a,
            self.separate_encoder_b,
            self.mask_decoder_b,
        )

    @property
    def monitor_names(self):
        return ["mask_coverage_a", "mask_coverage_b"]

    def calibrate(self, a, b):
        """Find both mask thresholds, see `MaskEditing.find_mask_threshold`."""
        return {
            "mask_threshold_a": self.part_a.find_mask_threshold(a),
            "mask_threshold_b": self.part_b.find_mask_threshold(b),
        }

    def decode(self, common, training=False):
        """D(common): the image without either part."""
        return self.decoder(common, training=training)

    def generator_losses(self, a, b, mask_b=None, training=False):
        """Equations 6, 8 and 9 for either part, and the zero losses."""
        active = set(self.active_losses)
        part_a, part_b = self.part_a, self.part_b
        common_a, common_b = self.common_code(a, training), self.common_code(b, training)
        shared_a, shared_b = self.decode(common_a, training), self.decode(common_b, training)
        terms, monitors, own = {}, {}, {}
        for name, part, image, common, shared in (
            ("a", part_a, a, common_a, shared_a),
            ("b", part_b, b, common_b, shared_b),
        ):
            code = part.separate_code(image, training)
            mask, raw = part.decode_b(common, code, training)
            own[name] = code, mask
            terms[f"recon1_{name}"] = losses.reconstruction_1_b(mask, raw, shared, image)
            terms[f"recon2_{name}"] = losses.reconstruction_2(mask, raw, image)
            monitors[f"mask_coverage_{name}"] = ops.mean(mask)

        for name, part, image, common, shared, (_, worn) in (
            ("a", part_a, b, common_b, shared_b, own["b"]),
            ("b", part_b, a, common_a, shared_a, own["a"]),
        ):
            if f"zero_{name}" in active:
                terms[f"zero_{name}"] = losses.zero_loss(part.separate_code(image, training))
            if f"cycle_separate_{name}" in active:
                code, _ = own[name]
                bare = losses.composite(worn, shared, image)
                translated = losses.composite(*part.decode_b(common, code, training), bare)
                terms[f"cycle_separate_{name}"] = losses.cycle_separate_loss(
                    part.separate_code(translated, training), code
                )
        return terms, common_a, common_b, monitors

    def compute_layers_to_b(self, target, reference):
        """A's part off a, where its binarised mask is; b's part on, where its mask is."""
        return [
            self.part_a.compute_removal_layer(target),
            self.part_b.compute_transfer_layer(target, reference),
        ]

    def compute_layers_to_a(self, target, reference):
        """B's part off b; a's part on."""
        return [
            self.part_b.compute_removal_layer(target),
            self.part_a.compute_transfer_layer(target, reference),
        ]

    def compute_detailed_layers_to_b(self, target, reference):
        """`compute_layers_to_b` at the images' size."""
        return [
            self.part_a.compute_detailed_removal_layer(target),
            self.part_b.compute_detailed_transfer_layer(target, reference),
        ]

    def compute_detailed_layers_to_a(self, target, reference):
        """`compute_layers_to_a` at the images' size."""
        return [
            self.part_b.compute_detailed_removal_layer(target),
            self.part_a.compute_detailed_transfer_layer(target, reference),
        ]
