"""Mask based unsupervised content transfer (MBU): the method of the ICLR 2020 paper."""

from typing import Any

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.mask_editing import add_mask_threshold
from mbu_tf.models.one_way import OneWayTransfer
from mbu_tf.models.presets import MBU_FORMULATIONS, MBU_PRESETS
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.networks import blocks
from mbu_tf.networks.decoder import Decoder, MaskDecoder
from mbu_tf.networks.refiner import Refiner


@keras.saving.register_keras_serializable("mbu_tf")
class MaskedContentTransfer(OneWayTransfer, TwoDomainModel):
    """Learns what domain B has that A lacks, and where, from two unpaired image sets.

    Five networks (section 3, appendix A): `common_encoder` Ec,
    `separate_encoder` Es, `decoder_a` DA, `decoder_b` DB, `discriminator` C.
    Train with `compile` and `fit` on batches `(a, b)` (`TwoDomainModel`), then
    `transfer`, `remove`, `segment` and `interpolate` (`MaskEditing`).

    Args:
        image_size: height and width in pixels.
        depth: blocks of each encoder and decoder; `None` leaves a 2x2 code,
            the paper's 6 at 128 px.
        width: relative width of every network; 1 is the paper's, 22.2 M
            parameters in all at 128 px.
        separate_channels: channels of the separate code, at any width. The
            published code has 25, on a 2x2 code 100 numbers; the paper says
            sep = 100.
        common_channels: channels of the common code. `None` is the published
            code's 512 - sep (at `width`), `"paper"` the paper's 512 - 2 sep.
        normalization: `"batch"`, `"instance"` or `None`, in all blocks.
        encoder_activation: `"leaky_relu"` (slope 0.2) or `"relu"`.
        decoder_activation: `"leaky_relu"` (published code) or `"relu"`
            (paper's text).
        decoder_a_input: what DA decodes: `"common_and_zeros"` (published code)
            or `"common"` (equation 5).
        separate_code_of_a: Es(a) in z(a, a), equation 8: `"zeros"` (published
            code, Es never sees A) or `"encoded"` (paper).
        recon1_norm, recon2_norm: `"l1"` (equations 5, 6 and 8) or `"l2"` (the
            ablation "L2 recon #1" and "#2" of table 7).
        share_passes: whether terms share what they have in common. `False`
            runs every pass of the published code, in its order: m(b, b) and
            z_raw(b, b) a second time for equation 8, and what terms of weight
            0 need. Losses and gradients are the same; only the running
            statistics of batch normalisation, which every pass moves, differ.
        cycle_images: of each training batch, images on which the terms of equation 9 and
            that of a in equation 8 are computed, which take passes of their own;
            `None` is all of it. A few are as good a mean, for a third less time.
        removal_border: pixels by which the binarised mask grows where content is taken off
            (`MaskEditing`); 0 is section 3's. Outlines are soft, and what is left of them shows.
        refiner_channels: see `Refiner`, which takes part in edits of larger images alone
            and is trained afterwards (`Refinement`); `None` is without one.

    Loss terms, for `compile(loss_weights=...)`, with the published defaults for
    glasses: `recon1_a` (equation 5, lambda_1 = 5), `recon1_b` (equation 6,
    lambda_2 = 7), `cycle_common` and `cycle_separate` (equation 9; the paper
    has one lambda_3 for both, the published recipes 0 and 0.001), `recon2_a`
    and `recon2_b` (equation 8, lambda_4 = lambda_5 = 0.7), `confusion`
    (equation 3; 1 in the paper, 0.005 published), `mask_size` (table 7's
    "L2 reg", 0), `raw_b` (`mbu_tf.losses.raw_reconstruction`, not of the
    paper, 0).

    Raises:
        ValueError: on an argument outside its range.
    """

    default_loss_weights = {
        "recon1_a": 5.0,
        "recon1_b": 7.0,
        "cycle_common": 0.0,
        "cycle_separate": 0.001,
        "recon2_a": 0.7,
        "recon2_b": 0.7,
        "confusion": 0.005,
        "mask_size": 0.0,
        "raw_b": 0.0,
    }
    network_names = (
        "common_encoder",
        "separate_encoder",
        "decoder_a",
        "decoder_b",
        "discriminator",
    )
    starting_networks = ("common_encoder", "decoder_a")
    monitors_of_masks = ("iou",)
    steering_rules = ("confusion", "recon2", "mask_size", "cycle")
    presets = MBU_PRESETS
    formulations = MBU_FORMULATIONS

    def __init__(
        self,
        image_size: int = 128,
        depth: int | None = None,
        width: float = 1.0,
        separate_channels: int = 25,
        common_channels: int | str | None = None,
        normalization: str | None = "batch",
        encoder_activation: str = "leaky_relu",
        decoder_activation: str = "leaky_relu",
        decoder_a_input: str = "common_and_zeros",
        separate_code_of_a: str = "zeros",
        recon1_norm: str = "l1",
        recon2_norm: str = "l1",
        share_passes: bool = True,
        cycle_images: int | None = None,
        removal_border: int = 0,
        refiner_channels: int | None = None,
        **kwargs: Any,
    ) -> None:
        blocks.check_choice("decoder_a_input", decoder_a_input, ("common_and_zeros", "common"))
        blocks.check_choice("separate_code_of_a", separate_code_of_a, ("zeros", "encoded"))
        blocks.check_choice("recon1_norm", recon1_norm, losses.NORMS)
        blocks.check_choice("recon2_norm", recon2_norm, losses.NORMS)
        if cycle_images is not None:
            blocks.check_positive_int("cycle_images", cycle_images)
        blocks.check_int("removal_border", removal_border, 0, "an integer from 0 on")
        config = {
            "image_size": image_size,
            "depth": depth,
            "width": width,
            "separate_channels": separate_channels,
            "common_channels": common_channels,
            "normalization": normalization,
            "encoder_activation": encoder_activation,
            "decoder_activation": decoder_activation,
            "decoder_a_input": decoder_a_input,
            "separate_code_of_a": separate_code_of_a,
            "recon1_norm": recon1_norm,
            "recon2_norm": recon2_norm,
            "share_passes": share_passes,
            "cycle_images": cycle_images,
            "removal_border": removal_border,
            "refiner_channels": refiner_channels,
        }
        super().__init__(config, **kwargs)
        self._make_networks()
        self._mask_threshold = add_mask_threshold(self)
        self.removal_border = removal_border
        if refiner_channels is not None:
            with self._precision():
                self.refiner = Refiner(refiner_channels, name="refiner")

    def build_decoder_a(self):
        """DA: a code, zeros beside it if `decoder_a_input` has them, to an image."""
        channels = self.code_shape[-1]
        if self._config["decoder_a_input"] == "common_and_zeros":
            channels += self._config["separate_channels"]
        return Decoder(channels, **self._shape("decoder"), name="decoder_a")

    def build_decoder_b(self):
        """DB: both codes, one beside the other, to a mask and a raw image."""
        channels = self.code_shape[-1] + self._config["separate_channels"]
        return MaskDecoder(channels, **self._shape("decoder"), name="decoder_b")

    def refined_by(self, refiner):
        """This model with a refiner, whose weights are copied; a new one, not compiled.

        Args:
            refiner: a trained `Refiner`.
        """
        config = {**self.get_config(), "refiner_channels": refiner.channels}
        model = type(self).from_config(config)
        for part in self.network_names:
            getattr(model, part).set_weights(getattr(self, part).get_weights())
        model.refiner.set_weights(refiner.get_weights())
        model.mask_threshold = self.mask_threshold
        return model

    @property
    def monitor_names(self):
        both = {"recon1_a", "recon1_b"} <= set(self.active_losses)
        steering = [x for x in self.measured_for_steering if x == "code_spread"]
        return ["mask_coverage", *(["mask_contrast"] if both else []), *steering, "iou"]

    def no_separate_code(self, common):
        """Zeros in place of a separate code beside the code `common`."""
        return blocks.zero_code(common, self._config["separate_channels"])

    def decode_a(self, common, training=False):
        """DA(common): the image without B's content."""
        if self._config["decoder_a_input"] == "common_and_zeros":
            common = ops.concatenate([common, self.no_separate_code(common)], axis=-1)
        return self.decoder_a(common, training=training)

    def decode_b(self, common, separate, training=False):
        """DB(common, separate), equation 1: soft mask and raw image."""
        return self.decoder_b(ops.concatenate([common, separate], axis=-1), training=training)

    def mask_losses(self, mask, image):
        """Terms of the soft mask m(b, b) of the images b, for a subclass to add to.

        Args:
            mask: m(b, b), `(batch, height, width, 1)` in [0, 1], of the pass that all
                other terms share.
            image: b, `(batch, height, width, 3)` in [-1, 1].

        Returns:
            Unweighted scalars by name, each of `default_loss_weights`.
        """
        return (
            {"mask_size": losses.mask_size_loss(mask)} if "mask_size" in self.active_losses else {}
        )

    def generator_losses(self, a, b, mask_b=None, training=False):
        """Equations 5 to 9 on one batch; every network runs once on each input.

        m(b, b) and z_raw(b, b) serve equations 6 and 8; z(a, b), equation 9
        alone. Without `share_passes` see there.
        """
        share = self._config["share_passes"]
        active = set(self.active_losses if share else self.default_loss_weights)
        norm1, norm2 = self._config["recon1_norm"], self._config["recon2_norm"]
        terms = {}

        common_b = self.common_code(b, training)
        separate_b = self.separate_code(b, training)
        mask_bb, raw_bb = self.decode_b(common_b, separate_b, training)
        common_a = self.common_code(a, training)

        if {"recon1_b", "raw_b"} & active:
            decoded_b = self.decode_a(common_b, training)
        if "recon1_b" in active:
            terms["recon1_b"] = losses.reconstruction_1_b(mask_bb, raw_bb, decoded_b, b, norm1)
        if "recon1_a" in active:
            decoded_a = self.decode_a(common_a, training)
            terms["recon1_a"] = losses.reconstruction_1_a(decoded_a, a, norm1)
        few = self._config["cycle_images"] if training else None
        if active & {"cycle_common", "cycle_separate"}:
            some_a, some_common, some_separate = (x[:few] for x in (a, common_a, separate_b))
            mask_ab, raw_ab = self.decode_b(some_common, some_separate, training)
            z_ab = losses.composite(mask_ab, raw_ab, some_a)
            if "cycle_common" in active:
                code = self.common_code(z_ab, training)
                terms["cycle_common"] = losses.cycle_common_loss(code, some_common)
            if "cycle_separate" in active:
                code = self.separate_code(z_ab, training)
                terms["cycle_separate"] = losses.cycle_separate_loss(code, some_separate)
        if "recon2_a" in active:
            # Others than above, where there are.
            others = slice(None if few is None else -few, None)
            some_a, some_common = a[others], common_a[others]
            if self._config["separate_code_of_a"] == "encoded":
                separate_a = self.separate_code(some_a, training)
            else:
                separate_a = self.no_separate_code(some_common)
            mask_aa, raw_aa = self.decode_b(some_common, separate_a, training)
            terms["recon2_a"] = losses.reconstruction_2(mask_aa, raw_aa, some_a, norm2)
        if "recon2_b" in active:
            if not share:
                mask_bb, raw_bb = self.decode_b(common_b, separate_b, training)
            terms["recon2_b"] = losses.reconstruction_2(mask_bb, raw_bb, b, norm2)
        if "raw_b" in self.active_losses:
            terms["raw_b"] = losses.raw_reconstruction(raw_bb, decoded_b, b)
        terms |= self.mask_losses(mask_bb, b)

        monitors = {"mask_coverage": ops.mean(mask_bb)}
        if "mask_contrast" in self.monitor_names:
            monitors["mask_contrast"] = mask_contrast(mask_bb, decoded_a, a, decoded_b, b)
        if "code_spread" in self.monitor_names:
            monitors["code_spread"] = code_spread(separate_b)
        if mask_b is not None:
            predicted = ops.greater_equal(mask_bb, self._mask_threshold)
            monitors["iou"] = intersection_over_union(predicted, mask_b)
        return terms, common_a, common_b, monitors


def mask_contrast(mask, decoded_a, a, decoded_b, b):
    """How much worse DA draws b than a, inside the masks m(b, b): a ratio of mean errors.

    Where a mask lies on what B alone has, DA cannot draw it, and the ratio is well
    above 1. Near 1 the mask covers what both domains have alike.

    Args:
        mask: m(b, b), `(batch, height, width, 1)` in [0, 1].
        decoded_a, decoded_b: DA(Ec(a)) and DA(Ec(b)), `(batch, height, width, 3)`.
        a, b: the images.

    Returns:
        The ratio, and its weight in a mean that is to be the ratio of all batches: the
        error of a.
    """
    mask, decoded_a, a, decoded_b, b = losses.widened(mask, decoded_a, a, decoded_b, b)
    error_a = ops.maximum(ops.mean(mask * ops.abs(decoded_a - a)), 1e-12)
    return ops.mean(mask * ops.abs(decoded_b - b)) / error_a, error_a


def code_spread(codes):
    """How much separate codes differ over a batch, of what they are: in [0, 1], 0 if all are alike.

    Args:
        codes: Es(b), `(batch, s, s, separate_channels)`.

    Returns:
        The root of the mean variance over the mean square.
    """
    (codes,) = losses.widened(codes)
    variance = ops.mean(ops.var(codes, axis=0))
    return ops.sqrt(variance / ops.maximum(ops.mean(ops.square(codes)), 1e-12))


def intersection_over_union(predicted, true):
    """Mean over a batch of |P and T| / |P or T|; 1 where both are empty.

    Args:
        predicted: boolean `(batch, height, width, 1)`.
        true: true masks of the same shape, in [0, 1].
    """
    true = ops.cast(true, "float32") >= 0.5
    axes = (1, 2, 3)
    intersection = ops.sum(ops.cast(ops.logical_and(predicted, true), "float32"), axis=axes)
    union = ops.sum(ops.cast(ops.logical_or(predicted, true), "float32"), axis=axes)
    return ops.mean(ops.where(union > 0, intersection / ops.maximum(union, 1.0), 1.0))
