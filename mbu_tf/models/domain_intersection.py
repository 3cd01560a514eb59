"""Domain intersection and domain difference (DIDD): the method of the ICCV 2019 slides."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.inference import Edit, blend, check_steps
from mbu_tf.models.own_networks import in_one_pass
from mbu_tf.models.presets import DIDD_FORMULATIONS, DIDD_PRESETS
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.models.two_way import TwoWayTransfer
from mbu_tf.networks import blocks
from mbu_tf.networks.decoder import Decoder
from mbu_tf.types import Array, Floats


@keras.saving.register_keras_serializable("mbu_tf")
class DomainIntersectionDifference(TwoWayTransfer, TwoDomainModel):
    """Splits two domains into what both share, what A alone has and what B alone has.

    Five networks: `common_encoder` Ec, `separate_encoder_a` EsA,
    `separate_encoder_b` EsB, one `decoder` G of all three codes,
    `discriminator`. a is G(Ec(a), EsA(a), 0), b is G(Ec(b), 0, EsB(b)); the
    common codes are to look alike ("common loss") and each separate encoder is to
    give zero on the other domain ("zero loss").

    It draws whole images without a mask; `MaskedDomainIntersectionDifference`
    has masks.

    Args:
        image_size, depth, width: as for `MaskedContentTransfer`.
        separate_channels: channels of each separate code, at any width.
        normalization: `"instance"` (published code), `"batch"` or `None`.
        encoder_activation: `"leaky_relu"` (slope 0.2) or `"relu"`.
        decoder_activation: `"relu"` (published code) or `"leaky_relu"`.
        common_bare_blocks: blocks of the common encoder, from 1, without
            normalisation. In the published code that of block 2 was made and
            never used.
        separate_bare_blocks: the same of both separate encoders; none in the
            published code. Normalised, the last block's output can hardly be
            zero, as the zero losses want it.
        spectral_updates: `"training"`, or `"always"` as in the published code,
            whose results therefore differ from call to call at inference; `None`
            leaves spectral normalisation out (`networks/spectral.py`).
        spectral_gradient: `"own_pass"`, or `"last_pass"` as the published code
            computes under today's PyTorch.
        share_passes: whether a network treats a and b in one pass where its
            results are the same. `False` makes every pass of the published code,
            each with its own power iteration. Batch normalisation, which
            knows its batch, always has a pass for each.

    Loss terms, for `compile(loss_weights=...)`, with the published defaults:
    `recon_a` and `recon_b` (mean absolute error, 1), `zero_a` and `zero_b` (mean
    of |EsA(b)| and of |EsB(a)|, 1), `confusion` (0.001).

    Raises:
        ValueError: on an argument outside its range.
    """

    default_loss_weights = {
        "recon_a": 1.0,
        "recon_b": 1.0,
        "zero_a": 1.0,
        "zero_b": 1.0,
        "confusion": 0.001,
    }
    # The generator wants both codes to be called B; published label 0.
    default_confusion_label = 1
    network_names = (
        "common_encoder",
        "separate_encoder_a",
        "separate_encoder_b",
        "decoder",
        "discriminator",
    )
    starting_networks = ("common_encoder", "decoder")
    separate_codes = 2
    separate_filters = blocks.COMMON_FILTERS
    presets = DIDD_PRESETS
    formulations = DIDD_FORMULATIONS

    def __init__(
        self,
        image_size: int = 128,
        depth: int | None = None,
        width: float = 1.0,
        separate_channels: int = 25,
        normalization: str | None = "instance",
        encoder_activation: str = "leaky_relu",
        decoder_activation: str = "relu",
        common_bare_blocks: Sequence[int] = (2,),
        separate_bare_blocks: Sequence[int] = (),
        spectral_updates: str = "training",
        spectral_gradient: str = "own_pass",
        share_passes: bool = True,
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
            "common_bare_blocks": list(common_bare_blocks),
            "separate_bare_blocks": list(separate_bare_blocks),
            "spectral_updates": spectral_updates,
            "spectral_gradient": spectral_gradient,
            "share_passes": share_passes,
        }
        super().__init__(config, **kwargs)
        self._make_networks()

    def build_decoder(self):
        """G: all three codes, one beside the other, to an image."""
        channels = self.code_shape[-1] + 2 * self._config["separate_channels"]
        return Decoder(channels, **self._shape("decoder"), name="decoder")

    def _shape(self, kind):
        spectral = ("spectral_updates", "spectral_gradient")
        return {**super()._shape(kind), **{name: self._config[name] for name in spectral}}

    def decode(self, common, separate_a, separate_b, training=False):
        """G(common, separate_a, separate_b): an image; `None` stands for zeros."""
        codes = self._with_zeros(common, separate_a, separate_b)
        return self.decoder(ops.concatenate(codes, axis=-1), training=training)

    def _with_zeros(self, common, separate_a, separate_b):
        """The three codes, zeros in place of those that are `None`."""
        channels = self._config["separate_channels"]
        given = next(code for code in (common, separate_a, separate_b) if code is not None)
        widths = (self.code_shape[-1], channels, channels)
        codes = (common, separate_a, separate_b)
        return [
            blocks.zero_code(given, width) if code is None else code
            for code, width in zip(codes, widths, strict=True)
        ]

    def generator_losses(self, a, b, mask_b=None, training=False):
        """Reconstruction and zero losses on one batch."""
        common_a, common_b = self._of_both(self.common_encoder, a, b, training)
        own_a, foreign_a = self._of_both(self.separate_encoder_a, a, b, training)
        foreign_b, own_b = self._of_both(self.separate_encoder_b, a, b, training)
        codes_a = ops.concatenate(self._with_zeros(common_a, own_a, None), axis=-1)
        codes_b = ops.concatenate(self._with_zeros(common_b, None, own_b), axis=-1)
        decoded_a, decoded_b = self._of_both(self.decoder, codes_a, codes_b, training)
        terms = {
            "recon_a": losses.distance(decoded_a, a),
            "recon_b": losses.distance(decoded_b, b),
            "zero_a": losses.zero_loss(foreign_a),
            "zero_b": losses.zero_loss(foreign_b),
        }
        return terms, common_a, common_b, {}

    def updated_codes(self, a, b):
        """The discriminator's step, a first as in the published code, whose u and v show it."""
        return self._of_both(self.common_encoder, a, b, training=True)

    def _of_both(self, network, a, b, training):
        """`network` of a batch of each domain, in one pass where that is the same."""
        if self._config["share_passes"] and self._config["normalization"] != "batch":
            return in_one_pass(network, a, b, training)
        return network(a, training=training), network(b, training=training)

    def compute_combination(self, common=None, separate_a=None, separate_b=None):
        """G of the codes of images, tensors of one batch; zeros for those left out."""
        codes = [
            None if images is None else encoder(images, training=False)
            for images, encoder in (
                (common, self.common_encoder),
                (separate_a, self.separate_encoder_a),
                (separate_b, self.separate_encoder_b),
            )
        ]
        return losses.at_least_float32(self.decode(*codes))

    def compute_layers_to_b(self, target, reference):
        """G(Ec(a), 0, EsB(b)) over the whole picture."""
        return [_whole_picture(self.compute_combination(target, separate_b=reference))]

    def compute_layers_to_a(self, target, reference):
        """G(Ec(b), EsA(a), 0) over the whole picture."""
        return [_whole_picture(self.compute_combination(target, separate_a=reference))]

    def combine(
        self,
        common: Array | None = None,
        separate_a: Array | None = None,
        separate_b: Array | None = None,
        batch_size: int = 32,
    ) -> Floats:
        """An image of any of the three codes: intersection, differences and union.

        With one of them alone it shows what that code holds: `common` the
        intersection of A and B, `separate_a` what A alone has. All three give
        the union, e.g. glasses and smile.

        Args:
            common: images whose common code is taken, `(batch, image_size,
                image_size, 3)` in [-1, 1], or `None` for zeros.
            separate_a: images of A whose separate code is taken, or `None`.
            separate_b: images of B likewise.
            batch_size: images computed at once.

        Returns:
            Images as many as the first one given has; the others hold as many,
            or one for all. float32 in [-1, 1].

        Raises:
            ValueError: if none is given, or on a wrong shape, dtype, value range
                or number of images.
        """
        given = {"common": common, "separate_a": separate_a, "separate_b": separate_b}
        given = {name: images for name, images in given.items() if images is not None}
        if not given:
            raise ValueError(
                "`combine` needs images for one code at least. Received: None for `common`, "
                "`separate_a` and `separate_b`"
            )
        images = self._checked_together(**given)

        def compute(*batch):
            return self.compute_combination(**dict(zip(given, batch, strict=True)))

        return self._in_batches(compute, batch_size, *images)

    def interpolate(
        self,
        common: Array,
        references_a: Array,
        references_b: Array,
        steps: int,
        batch_size: int = 32,
    ) -> Floats:
        """The grid of separate A x separate B codes between two references of each domain.

        Args:
            common: images whose common code every picture of their grid has,
                `(batch, image_size, image_size, 3)` in [-1, 1].
            references_a: two images of A, `(2, image_size, image_size, 3)`; the
                code goes from EsA of the first to that of the second down the
                rows, both included.
            references_b: two images of B, likewise along the columns.
            steps: rows and columns, at least 2.
            batch_size: grids computed at once.

        Returns:
            Images `(batch, steps, steps, image_size, image_size, 3)`.

        Raises:
            ValueError: on a wrong shape, dtype, value range or number.
        """
        check_steps(steps)
        common = self._checked("common", common)
        ends = []
        for name, images, encoder in (
            ("references_a", references_a, self.separate_encoder_a),
            ("references_b", references_b, self.separate_encoder_b),
        ):
            images = self._checked(name, images)
            if len(images) != 2:
                raise ValueError(
                    f"`{name}` must hold two images, the ends. Received: {len(images)}"
                )
            ends.append(encoder(images, training=False))

        def compute(images):
            code = self.common_code(images)
            rows, columns = (blend(*ops.split(end, 2), steps) for end in ends)
            pictures = []
            for row in rows:
                for column in columns:
                    separate = (ops.repeat(x, len(images), axis=0) for x in (row, column))
                    pictures.append(losses.at_least_float32(self.decode(code, *separate)))
            grid = ops.stack(pictures, axis=1)
            return ops.reshape(grid, (len(images), steps, steps, *grid.shape[2:]))

        return self._in_batches(compute, batch_size, common)


def _whole_picture(image):
    return Edit(image, ops.ones_like(image[..., :1]))
