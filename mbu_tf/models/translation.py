"""Inference of methods that translate between the domains without a reference."""

import functools
import math

from keras import ops

from mbu_tf import losses
from mbu_tf.models.detailed_editing import DetailedInference
from mbu_tf.models.inference import Edit, checked_images
from mbu_tf.types import Array

# The attribute of images of each domain.
ATTRIBUTES = {"a": 0.0, "b": 1.0}


class Translation(DetailedInference):
    """Translation from A to B and back by an attribute alone; a mixin.

    Its subclass states `image_size`, `common_code` and `decode(code, attribute)`,
    which draws whole images: the mask of its edits is 1 everywhere.
    """

    def compute_translation(self, image, attribute):
        """D(E(x), y) and a mask of ones, of one batch of tensors; y as in `translate`."""
        image = losses.at_least_float32(self.decode(self.common_code(image), attribute))
        return Edit(image, ops.ones_like(image[..., :1]))

    def compute_detailed_translation(self, image, attribute):
        """`compute_translation` for images of a larger side: what it paints, enlarged."""
        layer = self.compute_translation(self._shrunk(image), attribute)
        return self._enlarged(layer, image.shape[1])

    def translate(self, image: Array, attribute: float, batch_size: int = 32) -> Edit:
        """Images as they would be with an attribute of 0 (A) to 1 (B).

        Args:
            image: images of either domain, `(batch, image_size, image_size, 3)` in [-1, 1].
            attribute: y. Values in between blend, values beyond exaggerate.
            batch_size: images computed at once.

        Returns:
            `Edit` of the translated images and a mask of ones.

        Raises:
            ValueError: on a wrong shape, dtype, value range or attribute.
        """
        image = self._checked("image", image)
        return self._translated(self.compute_translation, image, attribute, batch_size)

    def translate_to_a(self, image: Array, batch_size: int = 32) -> Edit:
        """Images without what B alone has; see `translate`."""
        return self.translate(image, ATTRIBUTES["a"], batch_size)

    def translate_to_b(self, image: Array, batch_size: int = 32) -> Edit:
        """Images with what B alone has, as the model imagines it; see `translate`."""
        return self.translate(image, ATTRIBUTES["b"], batch_size)

    def detailed_translation(self, image, attribute, batch_size=8):
        """`translate` of images of a larger side, see `DetailedInference`."""
        image = checked_images("image", image, self._side("image", image))
        return self._translated(self.compute_detailed_translation, image, attribute, batch_size)

    def _translated(self, compute, image, attribute, batch_size):
        if not (isinstance(attribute, (int, float)) and math.isfinite(attribute)):
            raise ValueError(
                "`attribute` must be a number, 0 for domain A and 1 for B. "
                f"Received: attribute={attribute!r}"
            )
        compute = functools.partial(compute, attribute=float(attribute))
        return self._in_batches(compute, batch_size, image)

    def call(self, inputs, training=False):
        """`(a, b)` translated to each other's domain: dicts `to_b` (of a) and `to_a` (of b)."""
        a, b = inputs
        return {
            "to_b": self.compute_translation(a, ATTRIBUTES["b"])._asdict(),
            "to_a": self.compute_translation(b, ATTRIBUTES["a"])._asdict(),
        }
