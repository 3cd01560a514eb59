"""Teaching a refiner: a model's transfers are pairs of photos, with the content and without."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mbu_tf import losses
from mbu_tf.detail.filters import box_mean, ramp
from mbu_tf.detail.matting import reach
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.networks.refiner import Refiner

# Content is where a channel differs by so much, 10 levels of 255.
VISIBLE = 10 / 127.5
# The change that a transfer makes is made this much stronger or weaker, and that of each channel
# besides, as logarithms; and left out altogether of a share of the images: where there is
# nothing, nothing is to be taken off.
STRENGTH, COLOUR, BARE = 0.5, 0.3, 0.1
# Such a share of changes grows faint to one side, as frames do whose lower rims are clear: from so
# far before a line through them to as far behind it, in standard deviations of where they are.
# There, such shares of a change are left, and of what differs in it from the mean over FINE around.
FADED, FADING, FAINT, EDGES = 0.5, 0.7, (-0.3, 0.5), (-0.7, 0.7)
# Every other image is sharpened (unsharp masking) by up to so many times what differs from the
# mean over so far around, as a share of the side: folds as deep as an old face's are rare, and are
# no content.
SHARPER, FINE = 2.0, 1 / 80
# Both images are seen in another light: each channel's gain, and how far colours lie from grey, as
# logarithms. Skin in a warm light is as rare as its folds.
GAIN, SATURATION = 0.2, 0.6
# What the error of the image counts away from the content, beside 1 inside; and how much more
# a pixel of the content counts in the outline, of which there are few.
AWAY, CONTENT = 0.02, 8.0
# A stain is seen sooner than a blur: errors of colour count so many times more beside the whole.
STAINED = 2.0
# Of images a square of such a share of the side is learned from at a time, where the network
# can halve it as often as it does.
CROP, STRIDE = 0.75, 32
CHANNELS = 24
LOSS_WEIGHTS = {"outline": 1.0, "inside": 1.0, "edited": 5.0}


class Refinement(keras.Model):
    """Trains a `Refiner` on pairs that a trained model makes of unpaired images.

    A transfer with detail puts b's very content on a (docs/detail.md), and a is what
    it looks like without, so that both outline and removal have a truth at each
    pixel, though nobody drew a mask and no person was seen twice. `fit` it on batches
    `((a, b),)` of images twice the model's size; then `refined` is the model that has
    the refiner.

    Args:
        model: a trained model; it stays as it is. If it has a refiner, its transfers are
            by it, and the refiner is taught further.
        channels: see `Refiner`; `None` is 24, or those of the refiner that the model has.
        seed: of the pairs.

    Raises:
        ValueError: if the model is of another method, or its refiner of other channels.
    """

    def __init__(
        self,
        model: MaskedContentTransfer,
        channels: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, MaskedContentTransfer):
            raise ValueError(
                "A refiner learns from the transfers of a MaskedContentTransfer. Received: "
                f"{type(model).__name__}"
            )
        super().__init__(**{"autocast": False, **kwargs})
        had = model.refiner
        if channels is None:
            channels = CHANNELS if had is None else had.channels
        self.refiner = Refiner(channels, name="refiner")
        if had is not None:
            if had.channels != channels:
                raise ValueError(
                    f"The model's refiner has {had.channels} channels already; it goes "
                    f"on learning with these. Received: channels={channels!r}"
                )
            self.refiner.set_weights(had.get_weights())
        self._seeds = keras.random.SeedGenerator(seed)
        self._means = {x: keras.metrics.Mean(x) for x in LOSS_WEIGHTS}
        # Out of Keras's sight: its weights are none of this model's.
        object.__setattr__(self, "teacher", model)
        self.built = True

    def refined(self) -> MaskedContentTransfer:
        """The trained model with the refiner as it is now; a new one, not compiled."""
        return self.teacher.refined_by(self.refiner)

    def pairs(self, a, b):
        """`(photo, without)`: images a, changed a little, with the content of b and without it."""
        a, b = map(losses.at_least_float32, (a, b))
        cutout = self.teacher.compute_cutout(b, whole=True)
        layer = self.teacher.compute_cutout_layer(a, *cutout)
        sharper = SHARPER * ops.maximum(2.0 * self._draws(a) - 1.0, 0.0)
        a = ops.clip(a + sharper * _fine(a), -1.0, 1.0)
        strength, colour = (self._draws(a, channels) for channels in (1, 3))
        strength = ops.exp(STRENGTH * (2.0 * strength - 1.0) + COLOUR * (2.0 * colour - 1.0))
        there = ops.cast(self._draws(a) >= BARE, a.dtype)
        change = self._faded(layer.mask * (layer.image - a))
        photo = ops.clip(a + there * strength * change, -1.0, 1.0)
        return tuple(self._relit(photo, a))

    def _faded(self, change):
        """Changes, of some of which little is left on one side, or their edges alone."""
        angle = 2.0 * np.pi * self._draws(change)
        axis = ops.arange(change.shape[1], dtype=change.dtype)
        position = ops.cos(angle) * axis[None, None, :, None] + ops.sin(angle) * axis[:, None, None]
        weight = ops.sum(ops.abs(change), -1, keepdims=True) + 1e-6
        weight = weight / ops.sum(weight, (1, 2), keepdims=True)
        position = position - ops.sum(weight * position, (1, 2), keepdims=True)
        spread = ops.sqrt(ops.sum(weight * ops.square(position), (1, 2), keepdims=True))
        middle = 2.0 * self._draws(change) - 1.0
        share = ramp(position / spread - middle, -FADING, FADING)
        share = share * ops.cast(self._draws(change) < FADED, change.dtype)
        left, sharp = (low + (high - low) * self._draws(change) for low, high in (FAINT, EDGES))
        return change + share * (left * change + sharp * _fine(change) - change)

    def _relit(self, *images):
        """Images in another light, the same for all."""
        gain = ops.exp(GAIN * (2.0 * self._draws(images[0], 3) - 1.0))
        saturation = ops.exp(SATURATION * (2.0 * self._draws(images[0]) - 1.0))
        for image in images:
            image = gain * image + (gain - 1.0)
            yield ops.clip(image + (saturation - 1.0) * _colour(image), -1.0, 1.0)

    def _draws(self, images, channels=1):
        """Random numbers in [0, 1), `(batch, 1, 1, channels)`."""
        return keras.random.uniform((ops.shape(images)[0], 1, 1, channels), seed=self._seeds)

    def call(self, inputs, training=False):
        """Loss terms of a batch `(a, b)`, by name."""
        photo, without = self.pairs(*inputs)
        told = self.teacher.compute_hints(photo)
        photo, without, told = self._cropped(*map(ops.stop_gradient, (photo, without, told)))
        mask, image = self.refiner([photo, told], training=training)
        return refinement_losses(mask, image, photo, without)

    def _cropped(self, photo, without, told):
        """The same square of all images, most of them; all of it where they are small."""
        side = photo.shape[1]
        part = int(CROP * side)
        if part % STRIDE:
            return photo, without, told
        corner = keras.random.randint((2,), 0, (side - part) // 2 + 1, seed=self._seeds)
        # Of each axis; on the first and last there is nothing to choose.
        corner = ops.pad(corner, (1, 1))

        def square(x, factor):
            shape = (ops.shape(x)[0], *(factor * part // 2,) * 2, x.shape[-1])
            return ops.slice(x, factor * corner, shape)

        return square(photo, 2), square(without, 2), square(told, 1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        for name, mean in self._means.items():
            mean.update_state(y_pred[name])
        return sum(weight * y_pred[name] for name, weight in LOSS_WEIGHTS.items())

    @property
    def metrics(self):
        return [*super().metrics, *self._means.values()]

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()


def _fine(images):
    """What differs from the mean over `FINE` of the side around."""
    return images - box_mean(images, reach(images, FINE))


def _colour(images):
    """What differs from the mean over the channels, grey."""
    return images - ops.mean(images, axis=-1, keepdims=True)


def refinement_losses(mask, image, photo, without):
    """How far a refiner's outline and image are from the truth; scalars by name.

    Args:
        mask, image: what the refiner gives of `photo`.
        photo, without: images with the content and without it, `(batch, side, side, 3)`.

    Returns:
        `outline`, the mean binary cross entropy against where both differ by 10 levels of
        255, pixels of which count 8 times; `inside`, the error of the image there: the mean
        absolute one, and twice that of colours less their mean over the channels; `edited`, that
        of the image laid on the photo by the mask, everywhere.
    """
    change = ops.max(ops.abs(photo - without), axis=-1, keepdims=True)
    truth = ops.cast(change >= VISIBLE, mask.dtype)
    mask = ops.clip(mask, 1e-6, 1.0 - 1e-6)
    entropy = -(CONTENT * truth * ops.log(mask) + (1.0 - truth) * ops.log(1.0 - mask))
    weight = truth + AWAY
    edited = losses.composite(mask, image, photo)
    return {
        "outline": ops.mean(entropy),
        "inside": ops.sum(weight * _error(image, without)) / ops.sum(weight),
        "edited": ops.mean(_error(edited, without)),
    }


def _error(image, truth):
    """Mean absolute errors of pixels, and `STAINED` times those of their colours."""
    difference = image - truth
    error = ops.abs(difference) + STAINED * ops.abs(_colour(difference))
    return ops.mean(error, axis=-1, keepdims=True)
