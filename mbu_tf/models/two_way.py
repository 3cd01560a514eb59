"""Inference of methods whose domains both have a part of their own."""

from keras import ops

from mbu_tf.models.detailed_editing import DetailedInference
from mbu_tf.models.inference import Edit
from mbu_tf.models.mask_editing import MaskEditing, composite_edit
from mbu_tf.types import Array


class TwoWayTransfer(DetailedInference):
    """Translation from A to B and back, each guided by a reference; a mixin.

    Its subclass states `image_size`, `compute_layers_to_b` and
    `compute_layers_to_a`. They take a target of the other domain and a reference,
    tensors of one batch, and give a list of `Edit`s to be laid on the target one
    after another.
    """

    def compute_detailed_layers_to_b(self, target, reference):
        """`compute_layers_to_b` for images of a larger side: here, what it paints enlarged."""
        return self._enlarged_layers(self.compute_layers_to_b, target, reference)

    def compute_detailed_layers_to_a(self, target, reference):
        """`compute_layers_to_a` for images of a larger side: here, what it paints enlarged."""
        return self._enlarged_layers(self.compute_layers_to_a, target, reference)

    def compute_transfer_to_b(self, target, reference):
        """a without A's part and with b's, of one batch of tensors."""
        return _laid_on(target, self.compute_layers_to_b(target, reference))

    def compute_transfer_to_a(self, target, reference):
        """b without B's part and with a's, of one batch of tensors."""
        return _laid_on(target, self.compute_layers_to_a(target, reference))

    def transfer_to_b(self, target: Array, reference: Array, batch_size: int = 32) -> Edit:
        """Targets of A translated to B: without A's part, with the references' part.

        Args:
            target: images a, `(batch, image_size, image_size, 3)` in [-1, 1].
            reference: images b, as many as targets, or one for all.
            batch_size: images computed at once.

        Returns:
            `Edit` of the translated images and the mask of all that was
            repainted.

        Raises:
            ValueError: on a wrong shape, dtype, value range or number of images.
        """
        return self._guided(self.compute_transfer_to_b, target, reference, batch_size)

    def transfer_to_a(self, target: Array, reference: Array, batch_size: int = 32) -> Edit:
        """Targets of B translated to A; as `transfer_to_b`, the domains exchanged."""
        return self._guided(self.compute_transfer_to_a, target, reference, batch_size)

    def layers_to_b(self, target: Array, reference: Array, batch_size: int = 32) -> list[Edit]:
        """What `transfer_to_b` lays on the targets, a list of `Edit`s."""
        return self._guided(self.compute_layers_to_b, target, reference, batch_size)

    def layers_to_a(self, target: Array, reference: Array, batch_size: int = 32) -> list[Edit]:
        """What `transfer_to_a` lays on the targets, a list of `Edit`s."""
        return self._guided(self.compute_layers_to_a, target, reference, batch_size)

    def detailed_layers_to_b(self, target, reference, batch_size=8):
        """`layers_to_b` of images of a larger side, see `DetailedInference`."""
        side = self._side("target", target)
        return self._guided(self.compute_detailed_layers_to_b, target, reference, batch_size, side)

    def detailed_layers_to_a(self, target, reference, batch_size=8):
        """`layers_to_a` of images of a larger side, see `DetailedInference`."""
        side = self._side("target", target)
        return self._guided(self.compute_detailed_layers_to_a, target, reference, batch_size, side)

    def _guided(self, compute, target, reference, batch_size, side=None):
        images = self._checked_together(side, target=target, reference=reference)
        return self._in_batches(compute, batch_size, *images)

    def _enlarged_layers(self, compute, target, reference):
        side = target.shape[1]
        layers = compute(self._shrunk(target), self._shrunk(reference))
        return [self._enlarged(layer, side) for layer in layers]

    def call(self, inputs, training=False):
        """`(a, b)` translated to each other's domain: dicts `to_b` (of a) and `to_a` (of b)."""
        a, b = inputs
        return {
            "to_b": self.compute_transfer_to_b(a, b)._asdict(),
            "to_a": self.compute_transfer_to_a(b, a)._asdict(),
        }


class InSequence(TwoWayTransfer):
    """Two one-way models of one size as a two-way one: a removal, then a transfer.

    Args:
        model_a: a `MaskEditing` model that knows A's part as its content.
        model_b: one that knows B's.

    Raises:
        ValueError: if their image sizes or framings differ.
    """

    def __init__(self, model_a: MaskEditing, model_b: MaskEditing) -> None:
        if model_a.image_size != model_b.image_size:
            raise ValueError(
                "Both models must have one image size. "
                f"Received: {model_a.image_size} and {model_b.image_size}"
            )
        self.model_a, self.model_b = model_a, model_b
        if model_a.framing != model_b.framing:
            raise ValueError(
                "Both models must have one framing. "
                f"Received: {model_a.framing} and {model_b.framing}"
            )
        self.image_size, self.framing = model_a.image_size, model_a.framing
        self.has_masks = model_a.has_masks and model_b.has_masks

    def compute_layers_to_b(self, target, reference):
        """A's part off the target; b's part on what is left."""
        return _exchange(self.model_a, self.model_b, target, reference)

    def compute_layers_to_a(self, target, reference):
        """B's part off the target; a's part on what is left."""
        return _exchange(self.model_b, self.model_a, target, reference)

    def compute_detailed_layers_to_b(self, target, reference):
        """The same at the images' size."""
        return _detailed_exchange(self.model_a, self.model_b, target, reference)

    def compute_detailed_layers_to_a(self, target, reference):
        """The same at the images' size."""
        return _detailed_exchange(self.model_b, self.model_a, target, reference)


def _exchange(own, wanted, target, reference):
    removal = own.compute_removal_layer(target)
    removed = composite_edit(removal, target).image
    return [removal, wanted.compute_transfer_layer(removed, reference)]


def _detailed_exchange(own, wanted, target, reference):
    removal = own.compute_detailed_removal_layer(target)
    removed = composite_edit(removal, target).image
    return [removal, wanted.compute_detailed_transfer_layer(removed, reference)]


def _laid_on(image, layers):
    mask = ops.zeros_like(layers[0].mask)
    for layer in layers:
        image = composite_edit(layer, image).image
        mask = ops.maximum(mask, layer.mask)
    return Edit(image, mask)
