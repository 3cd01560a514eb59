"""Features of images, from any Keras model, for the distances of distributions."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from mbu_tf.models.inference import checked_images
from mbu_tf.networks.convolution import LAYOUT
from mbu_tf.system.backend import channels_last
from mbu_tf.types import Array


class WeightsUnavailableError(RuntimeError):
    """Pretrained weights cannot be fetched. The message names the alternatives."""


class FeatureExtractor:
    """Features that a Keras model gives of images; call it on images.

    Images of another size are resized bicubically (Keys, a = -0.5), the filter
    widened when shrinking so that fine patterns average out (anti-aliased), in
    floats without rounding to 8 bits, and clipped to [-1, 1]: Pillow's filter,
    channel by channel. The aspect is not kept. Another rule gives other
    distances: compare only what one rule has given.

    Args:
        model: `keras.Model` from images `(batch, *input_size, 3)` to `(batch, d)`, or
            to maps `(batch, height, width, d)`.
        input_size: height and width that it takes, an integer or a pair.
        preprocess: function from float tensors in [-1, 1] to what it takes; `None` if
            that is [-1, 1].
        batch_size: images computed at once.
        average: whether maps are averaged over their places; else each place counts
            as features of its own.
    """

    def __init__(
        self,
        model: Any,
        input_size: int | tuple[int, int],
        preprocess: Any = None,
        batch_size: int = 32,
        average: bool = True,
    ) -> None:
        self.model = model
        self.input_size = (input_size, input_size) if np.isscalar(input_size) else input_size
        self.preprocess = preprocess
        self.batch_size = batch_size
        self.average = average

    @property
    def dimension(self) -> int:
        """Features of each image, d."""
        shape = (1, *self.input_size, 3)
        return self.compute(keras.KerasTensor(shape, "float32")).shape[-1]

    def compute(self, images: Any) -> Any:
        """Features of one batch of tensors in [-1, 1], float64 `(batch, d)`; for graphs."""
        if tuple(images.shape[1:3]) != tuple(self.input_size):
            images = ops.image.resize(
                images, self.input_size, interpolation="bicubic", antialias=True, **LAYOUT
            )
            images = ops.clip(images, -1.0, 1.0)
        if self.preprocess is not None:
            images = self.preprocess(images)
        features = self.model(images, training=False)
        if len(features.shape) == 4 and self.average:
            features = ops.mean(features, axis=(1, 2))
        count = np.prod(features.shape[1:], dtype=int)
        return ops.cast(ops.reshape(features, (-1, int(count))), "float64")

    def __call__(self, images: Array) -> npt.NDArray[np.float64]:
        """Features of images of any number.

        Args:
            images: float `(count, height, width, 3)` in [-1, 1].

        Returns:
            float64 array `(count, d)`.

        Raises:
            ValueError: on a wrong shape, dtype or value range.
        """
        images = checked_images("images", images)
        starts = range(0, len(images), self.batch_size)
        batches = (ops.convert_to_tensor(images[i : i + self.batch_size]) for i in starts)
        return np.concatenate([ops.convert_to_numpy(self.compute(x)) for x in batches])


class InceptionFeatures(FeatureExtractor):
    """The 2048 pooled features of `keras.applications.InceptionV3` at 299 px.

    They are not the features of the network that FID was first computed with:
    compare distances only with distances from these.

    Args:
        weights: `None` for ImageNet's, which Keras fetches once and keeps; or the path
            of a file of this network's weights without its top.
        batch_size: images computed at once.

    Raises:
        WeightsUnavailableError: the weights cannot be fetched or read.
    """

    def __init__(self, weights: Any = None, batch_size: int = 32) -> None:
        try:
            with channels_last():
                model = keras.applications.InceptionV3(
                    include_top=False, weights=weights or "imagenet", pooling="avg"
                )
        except Exception as error:  # Keras raises many kinds, a plain Exception when offline.
            source = f"read from {weights}" if weights else "fetched"
            reason = " ".join(str(error).split())
            raise WeightsUnavailableError(
                f"InceptionV3's weights cannot be {source} ({reason}). Give the path of "
                "`inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5`, downloaded "
                "elsewhere, as `weights`, or take another Keras model's features: "
                "FeatureExtractor(model, input_size)."
            ) from error
        super().__init__(model, 299, batch_size=batch_size)


def checked_features(*arrays):
    """Each of `arrays` as float64 `(count, d)`, d the same for all.

    Raises:
        ValueError: on a wrong shape, fewer than two rows, or values that are not finite.
    """
    arrays = [np.asarray(x, np.float64) for x in arrays]
    shapes = [x.shape for x in arrays]
    if any(len(s) != 2 or s[0] < 2 or s[1] != shapes[0][1] for s in shapes):
        raise ValueError(
            "Features must be arrays (count, d) of at least two images each and the same d. "
            f"Received: shapes {', '.join(map(str, shapes))}"
        )
    if not all(np.isfinite(x).all() for x in arrays):
        raise ValueError("Features must be finite numbers. Received: some that are not")
    return arrays
