"""Edits of images larger than the model's own, as sharp as the images are."""

import functools

from keras import ops

from mbu_tf import losses
from mbu_tf.detail import layers, splitting
from mbu_tf.detail.filters import enlarge, shrink
from mbu_tf.models.inference import Edit, ImageInference, checked_images
from mbu_tf.networks.refiner import hints


class DetailedInference(ImageInference):
    """What all edits of larger images share; a mixin over `ImageInference`.

    Images are `(batch, side, side, 3)`, `side` being `image_size` times 1, 2, 4, 8, …

    Attributes:
        has_masks: whether content can be cut out by a mask, so that edits of larger images
            have detail; else they are enlarged.
    """

    has_masks = False

    def _shrunk(self, images):
        return shrink(images, images.shape[1] // self.image_size)

    def _enlarged(self, layer, side):
        if side == self.image_size:
            return layer
        return Edit(*layers.enlarged_layer(layer.image, layer.mask, side))

    def _side(self, name, images):
        """Side of `images`, if it is one that detail is made at."""
        shape = ops.shape(images)
        side = shape[1] if len(shape) == 4 else None
        factor, rest = divmod(side or 0, self.image_size)
        if rest or factor < 1 or factor & (factor - 1):
            raise ValueError(
                f"`{name}` must be a batch of square images whose side is {self.image_size} times "
                f"1, 2, 4, 8, …; resize them. Received: shape {tuple(shape)}"
            )
        return side


class DetailedEditing(DetailedInference):
    """Transfer, removal and segmentation of images of a multiple of the model's size; a mixin.

    Its subclass states what `MaskEditing` asks for. Images are in [-1, 1]; at the
    model's own size all is as `MaskEditing` has it. Models whose mask is everything
    (`has_masks` false) have no content to cut out: what they paint is enlarged.
    """

    has_masks = True
    refiner = None

    def compute_detailed_transfer_layer(self, target, reference):
        """Paint and matte that put b's content on a, of one batch of tensors.

        Returns:
            `Edit`: the colour of what is laid on, and a matte that is 0 wherever
            nothing is; where the content cannot be cut out, z_raw(a, b) and m(a, b)
            enlarged.
        """
        target, reference = map(losses.at_least_float32, (target, reference))
        side = target.shape[1]
        if not self._is_detailed(side):
            small = self._shrunk(target), self._shrunk(reference)
            return self._enlarged(self.compute_transfer_layer(*small), side)
        return self.compute_cutout_layer(target, *self.compute_cutout(reference))

    def compute_cutout(self, reference, whole=False):
        """All that detailed transfers need of their references, of one batch of tensors.

        Args:
            reference: images b.
            whole: whether what a refiner outlines is cut out though its image still has it
                (`mbu_tf.detail.splitting.image_from_around`): to teach it that (`Refinement`).

        Returns:
            `separate`, the code Es(b); `own` and `small`, a `mbu_tf.detail.splitting.Cutout`.
        """
        reference = losses.at_least_float32(reference)
        small = self._shrunk(reference)
        common, separate = self.common_code(small), self.separate_code(small)
        content = self._content(common, separate)
        removed = losses.at_least_float32(self.decode_a(common))
        if self.refiner is None:
            split = splitting.split_for_transfer(reference, removed, content.mask)
            cutout = splitting.cut_out(reference, split, content.mask)
        else:
            mask, image = self._refined(reference, removed, content)
            if whole:
                image = splitting.image_from_around(reference, mask, image)
            cutout = splitting.cut_out_by_refiner(reference, mask, image, content.mask)
        return losses.at_least_float32(separate), *cutout

    def compute_cutout_layer(self, target, separate, own, small):
        """What `compute_detailed_transfer_layer` gives, of what `compute_cutout` gave."""
        target = self._shrunk(losses.at_least_float32(target))
        of_target = self._content(self.common_code(target), separate)
        cutout, by_refiner = splitting.Cutout(own, small), self.refiner is not None
        return self._framed(*layers.transfer_layer(target, cutout, of_target, by_refiner))

    def compute_detailed_removal_layer(self, image, threshold=None):
        """Paint and matte that take the content off b, of one batch of tensors."""
        image = losses.at_least_float32(image)
        side, small = image.shape[1], self._shrunk(image)
        if not self._is_detailed(side):
            return self._enlarged(self.compute_removal_layer(small, threshold), side)
        if threshold is None:
            threshold = ops.convert_to_tensor(self._mask_threshold)
        removed, content = self._removed(small)
        if self.refiner is None:
            return self._framed(*layers.removal_layer(image, removed, content, threshold))
        refined = self._refined(image, removed, content)
        layer = layers.refined_removal_layer(image, *refined, content.mask, threshold)
        return self._framed(*layer)

    def compute_detailed_segmentation(self, image):
        """Matte of b's content, `(batch, side, side, 1)` in [0, 1], of one batch of tensors."""
        image = losses.at_least_float32(image)
        side, small = image.shape[1], self._shrunk(image)
        if not self._is_detailed(side):
            return enlarge(self.compute_segmentation(small), side)
        removed, content = self._removed(small)
        if self.refiner is not None:
            mask, image_without = self._refined(image, removed, content)
            if side == mask.shape[1]:
                return mask
            # Between the refiner's pixels colours decide.
            return layers.matte(image, *splitting.split_by_refiner(image, mask, image_without))
        split = splitting.split_for_removal(image, removed, content, beside=0.0)
        return layers.matte(image, *split)

    def compute_hints(self, photo):
        """What a refiner is told beside photos, see `Refiner`, of one batch of tensors.

        Args:
            photo: images b, twice the model's size.
        """
        removed, content = self._removed(self._shrunk(photo))
        return hints(removed, *content)

    def detailed_transfer_layer(self, target, reference, batch_size=8):
        """What puts the references' content on the targets, as sharp as the images.

        Args:
            target: images a.
            reference: images b, as many as targets, or one for all.
            batch_size: images computed at once.

        Returns:
            `Edit` as NumPy arrays, see `compute_detailed_transfer_layer`.

        Raises:
            ValueError: on a wrong shape, size, dtype, value range or number of images.
        """
        side = self._side("target", target)
        images = self._checked_together(side, target=target, reference=reference)
        return self._in_batches(self.compute_detailed_transfer_layer, batch_size, *images)

    def detailed_removal_layer(self, image, threshold=None, batch_size=8):
        """What takes the content off the images; as `detailed_transfer_layer`."""
        image = checked_images("image", image, self._side("image", image))
        compute = functools.partial(
            self.compute_detailed_removal_layer, threshold=self.checked_threshold(threshold)
        )
        return self._in_batches(compute, batch_size, image)

    def detailed_segmentation(self, image, batch_size=8):
        """Mattes of the images' content, `(batch, side, side, 1)` float32 in [0, 1]."""
        image = checked_images("image", image, self._side("image", image))
        return self._in_batches(self.compute_detailed_segmentation, batch_size, image)

    def _is_detailed(self, side):
        return self.has_masks and side > self.image_size

    def _framed(self, paint, matte):
        """`Edit` of a layer; a face's square is a part of a photo, and its matte ends softly."""
        faces = self.framing.kind == "face"
        return Edit(paint, layers.faded(matte) if faces else matte)

    def _content(self, common, separate):
        mask, paint = self.decode_b(common, separate)
        return splitting.Content(losses.at_least_float32(mask), losses.at_least_float32(paint))

    def _refined(self, photo, removed, content):
        """What the refiner gives of photos, at twice the model's size, which it sees."""
        sight = shrink(photo, photo.shape[1] // (2 * self.image_size))
        return self.refiner([sight, hints(removed, *content)])

    def _removed(self, small):
        """DA(Ec(b)), and the content of (b, b)."""
        common = self.common_code(small)
        content = self._content(common, self.separate_code(small))
        return losses.at_least_float32(self.decode_a(common)), content
