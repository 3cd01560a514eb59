"""Inference of mask based methods: transfer, removal, segmentation, interpolation."""

import functools

import keras
import numpy as np
from keras import ops

from mbu_tf import losses
from mbu_tf.detail.filters import grow
from mbu_tf.models.detailed_editing import DetailedEditing
from mbu_tf.models.inference import Edit, blend, check_steps
from mbu_tf.types import Array, Floats

# The published code's threshold for removal, until one is found or set.
DEFAULT_THRESHOLD = 0.1


class MaskEditing(DetailedEditing):
    """What a trained model does to images with one mask; a mixin.

    Its subclass states `common_code`, `separate_code`, `decode_a`, `decode_b`,
    `image_size` and `_mask_threshold` (`add_mask_threshold`), and where it is not 0
    `removal_border`.
    The `compute_*` methods work on tensors of one batch, for use in graphs and
    exports; the others check their arguments, run in batches and return NumPy
    arrays. Images are `(batch, image_size, image_size, 3)` in [-1, 1], arrays or
    tensors.

    Attributes:
        removal_border: pixels by which M(b, b) grows where content is taken off.
    """

    removal_border = 0

    @property
    def mask_threshold(self):
        """Mask value from which a pixel belongs to the content, a float in (0, 1).

        Saved with the model: the published 0.1 until `find_mask_threshold` or
        an assignment sets it.
        """
        return float(ops.convert_to_numpy(self._mask_threshold))

    @mask_threshold.setter
    def mask_threshold(self, value):
        self._mask_threshold.assign(checked_mask_threshold(value))

    def compute_transfer_layer(self, target, reference):
        """z_raw(a, b) and m(a, b), equation 1, of one batch of tensors."""
        mask, raw = self.decode_b(self.common_code(target), self.separate_code(reference))
        return _layer(mask, raw)

    def compute_removal_layer(self, image, threshold=None):
        """DA(Ec(b)) and the binarised mask M(b, b) of one batch, `removal_border` around it.

        Args:
            image: b, tensors.
            threshold: of the mask; `None` is the stored one.
        """
        if threshold is None:
            threshold = ops.convert_to_tensor(self._mask_threshold)
        common = self.common_code(image)
        mask, _ = self.decode_b(common, self.separate_code(image))
        binary = ops.cast(losses.at_least_float32(mask) >= threshold, "float32")
        return _layer(grow(binary, self.removal_border), self.decode_a(common))

    def compute_interpolation_layers(self, target, reference_1, reference_2, steps):
        """Equation 1 for `steps` blends of two separate codes, stacked on axis 1."""
        common = self.common_code(target)
        first, second = (self.separate_code(x) for x in (reference_1, reference_2))
        blends = blend(first, second, steps)
        layers = [_layer(*self.decode_b(common, code)) for code in blends]
        return Edit(*(ops.stack(column, axis=1) for column in zip(*layers, strict=True)))

    def compute_transfer(self, target, reference):
        """z(a, b) and m(a, b), equations 1 and 2, of one batch of tensors."""
        return composite_edit(self.compute_transfer_layer(target, reference), target)

    def compute_removal(self, image, threshold=None):
        """DA(Ec(b)) inside M(b, b), b outside it (section 3, inference), of one batch."""
        return composite_edit(self.compute_removal_layer(image, threshold), image)

    def compute_segmentation(self, image):
        """Soft mask m(b, b) of one batch of tensors (section 3, inference)."""
        return self.compute_transfer_layer(image, image).mask

    def transfer(self, target: Array, reference: Array, batch_size: int = 32) -> Edit:
        """Put the references' content on the targets (equations 1 and 2).

        Args:
            target: images a.
            reference: images b, as many as targets, or one for all.
            batch_size: images computed at once.

        Returns:
            `Edit` of z(a, b) and the soft mask m(a, b).

        Raises:
            ValueError: on a wrong shape, dtype, value range or number of images.
        """
        target, reference = self._checked_together(target=target, reference=reference)
        return self._in_batches(self.compute_transfer, batch_size, target, reference)

    def transfer_layer(self, target: Array, reference: Array, batch_size: int = 32) -> Edit:
        """What `transfer` lays on the targets: `Edit` of z_raw(a, b) and m(a, b)."""
        target, reference = self._checked_together(target=target, reference=reference)
        return self._in_batches(self.compute_transfer_layer, batch_size, target, reference)

    def remove(self, image: Array, threshold: float | None = None, batch_size: int = 32) -> Edit:
        """Take the content off the images (section 3, inference).

        Args:
            image: images b.
            threshold: binarises the mask; `None` is `mask_threshold`.
            batch_size: images computed at once.

        Returns:
            `Edit` of the images without the content and the mask used, which
            holds 0 and 1 alone.

        Raises:
            ValueError: on a wrong shape, dtype or value range.
        """
        compute = functools.partial(
            self.compute_removal, threshold=self.checked_threshold(threshold)
        )
        return self._in_batches(compute, batch_size, self._checked("image", image))

    def removal_layer(
        self, image: Array, threshold: float | None = None, batch_size: int = 32
    ) -> Edit:
        """What `remove` lays on the images: `Edit` of DA(Ec(b)) and the binarised mask."""
        compute = functools.partial(
            self.compute_removal_layer, threshold=self.checked_threshold(threshold)
        )
        return self._in_batches(compute, batch_size, self._checked("image", image))

    def segment(
        self, image: Array, threshold: float | str | None = None, batch_size: int = 32
    ) -> Floats:
        """Outline the content (section 3, inference).

        Args:
            image: images b.
            threshold: `None` gives the soft mask m(b, b); a number in (0, 1)
                binarises it; `"stored"` binarises it at `mask_threshold`.
            batch_size: images computed at once.

        Returns:
            Masks `(batch, height, width, 1)` float32, in [0, 1] if soft, 0 and
            1 alone if binarised.

        Raises:
            ValueError: on a wrong shape, dtype, value range or threshold.
        """
        image = self._checked("image", image)
        mask = self._in_batches(self.compute_segmentation, batch_size, image)
        if threshold is None:
            return mask
        threshold = self.checked_threshold(None if threshold == "stored" else threshold)
        return (mask >= threshold).astype(np.float32)

    def interpolate(
        self,
        target: Array,
        reference_1: Array,
        reference_2: Array,
        steps: int,
        batch_size: int = 32,
    ) -> Edit:
        """Blend two references' content on each target (figure 4).

        The separate code goes from Es(b1) to Es(b2) in equal steps, both ends
        included.

        Args:
            target: images a.
            reference_1, reference_2: images b1 and b2, as many as targets, or
                one for all.
            steps: pictures of each row, at least 2.
            batch_size: rows computed at once.

        Returns:
            `Edit` with image `(batch, steps, height, width, 3)` and mask
            `(batch, steps, height, width, 1)`.

        Raises:
            ValueError: on a wrong shape, dtype, value range or number of steps.
        """
        layers = self.interpolation_layers(target, reference_1, reference_2, steps, batch_size)
        background = self._checked("target", target)[:, None]
        return Edit(*map(ops.convert_to_numpy, composite_edit(layers, background)))

    def interpolation_layers(
        self,
        target: Array,
        reference_1: Array,
        reference_2: Array,
        steps: int,
        batch_size: int = 32,
    ) -> Edit:
        """What `interpolate` lays on the targets: `Edit` of z_raw and m of each step."""
        check_steps(steps)
        images = self._checked_together(
            target=target, reference_1=reference_1, reference_2=reference_2
        )
        compute = functools.partial(self.compute_interpolation_layers, steps=steps)
        return self._in_batches(compute, batch_size, *images)

    def find_mask_threshold(self, images: Array, batch_size: int = 32) -> float:
        """Find `mask_threshold` without labels: Otsu's split of the masks of `images`.

        See `otsu_threshold`.

        Args:
            images: images b of training, a few hundred are enough.
            batch_size: images computed at once.

        Returns:
            The threshold, also stored with the model.
        """
        self.mask_threshold = otsu_threshold(self.segment(images, batch_size=batch_size))
        return self.mask_threshold

    def checked_threshold(self, threshold: float | None = None) -> float:
        """`threshold` as a float, or the stored one for `None`.

        Raises:
            ValueError: unless it lies between 0 and 1.
        """
        if threshold is None:
            return self.mask_threshold
        return checked_mask_threshold(threshold)


def add_mask_threshold(model, name="mask_threshold"):
    """A weight of `model` that holds a mask threshold and is saved with it."""
    return model.add_weight(
        name=name,
        shape=(),
        initializer=keras.initializers.Constant(DEFAULT_THRESHOLD),
        trainable=False,
        dtype="float32",
        autocast=False,
    )


def _layer(mask, raw):
    return Edit(losses.at_least_float32(raw), losses.at_least_float32(mask))


def composite_edit(layer, background):
    """`layer` laid on `background` (equation 2); where its mask is 0, `background` itself."""
    background = losses.at_least_float32(background)
    image = losses.composite(layer.mask, layer.image, background)
    # 0 * raw + 1 * background loses the sign of a zero, and a pixel beside a
    # raw value that is not finite.
    return Edit(ops.where(layer.mask == 0.0, background, image), layer.mask)


def checked_mask_threshold(value):
    """`value` as a float; `ValueError` unless it lies between 0 and 1."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "A mask threshold must be a number between 0 and 1; Otsu's is found by "
            f'`find_mask_threshold`, and `segment(..., "stored")` uses it. Received: {value!r}'
        ) from error
    if not 0.0 < number < 1.0:
        raise ValueError(f"A mask threshold must lie between 0 and 1. Received: {value!r}")
    return number


def otsu_threshold(masks, bins=256):
    """The mask value that splits `masks` best into two classes (Otsu, 1979), on a log scale.

    Between-class variance is taken of log(mask), values below 1/255 counting as
    1/255. A mask is a factor, and thin structures are anti-aliased: a pixel that
    a frame covers by a fifth belongs to the frame, which a split of the plain
    values, near 0.5 whatever the masks, would deny.

    Args:
        masks: array of any shape in [0, 1].
        bins: histogram bins; the result is the border between two of them.

    Returns:
        Threshold in (0, 1): the upper class is `masks >= threshold`.
    """
    floor = np.log(1.0 / 255.0)
    logs = np.log(np.clip(masks, 1.0 / 255.0, 1.0))
    counts, edges = np.histogram(logs, bins=bins, range=(floor, 0.0))
    centers = (edges[1:] + edges[:-1]) / 2.0
    lower = np.cumsum(counts)[:-1].astype(np.float64)
    upper = counts.sum() - lower
    lower_sum = np.cumsum(counts * centers)[:-1]
    upper_sum = (counts * centers).sum() - lower_sum
    with np.errstate(divide="ignore", invalid="ignore"):
        between = lower * upper * (lower_sum / lower - upper_sum / upper) ** 2
    return float(np.exp(edges[1 + int(np.argmax(np.nan_to_num(between)))]))
