"""What every trained model does with images given to it: checks, batches, results."""

import contextlib
import functools
import io
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from PIL import Image

from mbu_tf.networks import blocks

# Pictures in a row, and rows, of what a notebook shows.
SHOWN = 8


class Edit(NamedTuple):
    """An edited image and the mask that says where it was edited.

    Attributes:
        image: `(batch, height, width, 3)` float32 in [-1, 1].
        mask: `(batch, height, width, 1)` float32 in [0, 1]. Where it is 0,
            `image` holds the very pixels it was given, bit for bit.

    Both have an axis of steps after the batch's where they are interpolations. A
    notebook shows the images above their masks, the first eight of each.
    """

    image: np.ndarray
    mask: np.ndarray

    def _repr_png_(self):
        image, mask = (ops.convert_to_numpy(x)[:SHOWN] for x in self)
        # Rows of pictures: one, or one for each interpolation.
        rows = [x if x.ndim == 5 else x[None] for x in (image, np.repeat(2 * mask - 1, 3, -1))]
        strips = [
            np.concatenate(strip[:SHOWN], axis=1)
            for pair in zip(*rows, strict=True)
            for strip in pair
        ]
        pixels = np.clip(np.rint((np.concatenate(strips) + 1.0) * 127.5), 0, 255)
        file = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
        return file.getvalue()


def checked_images(name, images, size=None):
    """`images` as float32 `(batch, size, size, 3)` in [-1, 1]; `None`: of any size.

    Raises:
        ValueError: on a wrong shape, dtype or value range.
    """
    images = ops.convert_to_numpy(images)
    expected = images.shape[1:3] if size is None else (size, size)
    if images.ndim != 4 or images.shape[1:] != (*expected, 3) or not images.size:
        shape = ("height", "width") if size is None else expected
        raise ValueError(
            f"`{name}` must be a batch of RGB images (batch, {shape[0]}, {shape[1]}, 3); "
            f"resize them and add a batch axis. Received: shape {images.shape}"
        )
    if images.dtype.kind != "f":
        raise ValueError(
            f"`{name}` must be float in [-1, 1]; for uint8 images use "
            f"`mbu_tf.data.to_model_range`. Received: dtype {images.dtype}"
        )
    low, high = float(images.min()), float(images.max())
    # Written so that NaN fails as well.
    if not (low >= -1.001 and high <= 1.001):
        raise ValueError(
            f"`{name}` must lie in [-1, 1]; for images in [0, 255] use "
            "`mbu_tf.data.to_model_range`, in tf.data `images / 127.5 - 1`. "
            f"Received: values in [{low:g}, {high:g}]"
        )
    return images.astype(np.float32, copy=False)


class ImageInference:
    """Checks images and runs a computation over them in batches; a mixin.

    Its subclass states `image_size`, and `framing` where photos are to be edited.
    """

    _graph = None

    @contextlib.contextmanager
    def in_graphs(self):
        """Within the block, each computation is traced once for each size of images.

        The first of a size takes longer, the others a fraction of the time. Results
        differ from those outside it by rounding alone.
        """
        self._graph = functools.cache(_graph)
        try:
            yield
        finally:
            self._graph = None

    def _checked(self, name, images):
        return checked_images(name, images, self.image_size)

    def _checked_together(self, side=None, **images):
        """As many images as the first has of each; the others may be one for all."""
        side = side or self.image_size
        arrays = [checked_images(name, each, side) for name, each in images.items()]
        first, *others = images
        for name, array in zip(others, arrays[1:], strict=True):
            if len(array) not in (1, len(arrays[0])):
                raise ValueError(
                    f"`{name}` must hold one image or as many as `{first}`. "
                    f"Received: {len(array)} beside {len(arrays[0])}"
                )
        return [np.broadcast_to(array, arrays[0].shape) for array in arrays]

    def _in_batches(self, compute, batch_size, *arrays):
        """`compute` over slices of `arrays`, its results joined as NumPy arrays."""
        if self._graph is not None:
            fixed = getattr(compute, "keywords", {})
            compute = self._graph(getattr(compute, "func", compute), **fixed)
        parts = []
        for start in range(0, len(arrays[0]), batch_size):
            batch = [ops.convert_to_tensor(x[start : start + batch_size]) for x in arrays]
            parts.append(keras.tree.map_structure(ops.convert_to_numpy, compute(*batch)))
        return keras.tree.map_structure(lambda *x: np.concatenate(x), *parts)


def _graph(compute, **fixed):
    """`compute`, some of its arguments fixed, as the backend's graph; eager where it has none."""
    compute = functools.partial(compute, **fixed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(compute, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(compute)
    return compute


def blend(first, second, steps):
    """`steps` codes from `first` to `second` in equal steps, both included."""
    return [(1.0 - t) * first + t * second for t in np.linspace(0.0, 1.0, steps).tolist()]


def check_steps(steps):
    """Raise `ValueError` unless `steps` is an integer of at least 2."""
    blocks.check_int("steps", steps, 2, "an integer of at least 2")
