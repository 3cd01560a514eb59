"""Inference of methods whose domain B alone has a part of its own."""

import warnings

import numpy as np

from mbu_tf.models.mask_editing import MaskEditing, otsu_threshold

# Of what masks cover of B's images they cover such a share of A's where they show no part of B's
# own (docs/learning.md has what was measured), unless they are as wide as those of a model that has
# hardly learned yet. So many images of each are looked at.
SHARED, WIDE, SEEN = 0.9, 0.25, 128
MASK_SHARED = (
    "The masks mark what both domains have: those of domain A's images, each with its own separate "
    "code, cover {shared:.0%} of what B's do, where a part that B alone has leaves four fifths or "
    "less. Outlines and removals will be wrong. A part of a few pixels is lost among the outlines "
    "of all else: crop closer or take a larger image_size; else train longer, or look whether the "
    "domains differ in it."
)


class OneWayTransfer(MaskEditing):
    """`MaskEditing` as a Keras model has it; a mixin over a `TwoDomainModel`.

    Its subclass states `separate_encoder` and what `MaskEditing` asks for besides.
    """

    def separate_code(self, images, training=False):
        """Es(images): `(batch, s, s, separate_channels)`."""
        return self.separate_encoder(images, training=training)

    def call(self, inputs, training=False):
        """z(a, b) and m(a, b) as a dict, of `inputs = (target, reference)`."""
        return self.compute_transfer(*inputs)._asdict()

    def calibrate(self, a, b):
        """Find the mask threshold, and say whether masks show what B alone has.

        Args:
            a, b: training images of either domain, a few hundred are enough.

        Returns:
            `mask_threshold`, see `find_mask_threshold`; of a model with masks also
            `mask_shared`, the mean of m(a, a) over that of m(b, b): A's images have no
            content, so that their masks would be empty if they showed it alone. A
            warning is given above 0.9, unless masks are wider than a quarter.
        """
        masks = self.segment(b)
        self.mask_threshold = otsu_threshold(masks)
        found = {"mask_threshold": self.mask_threshold}
        if self.has_masks:
            of_a, of_b = (float(np.mean(x)) for x in (self.segment(a[:SEEN]), masks[:SEEN]))
            found["mask_shared"] = shared = of_a / max(of_b, 1e-9)
            if shared > SHARED and of_b < WIDE:
                warnings.warn(MASK_SHARED.format(shared=shared), stacklevel=2)
        return found
