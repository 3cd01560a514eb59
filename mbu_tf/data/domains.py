"""Two image domains and the stream of random (a, b) batches that training reads."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from mbu_tf.data.stream import EXIT, Stream, shard_rows
from mbu_tf.data.value_range import to_model_range, to_uint8
from mbu_tf.faces.framing import CENTRE, Framing
from mbu_tf.types import Array, Floats, ImageCollection, Pixels

if TYPE_CHECKING:
    import tensorflow as tf


class ImageArray:
    """Images held in memory, or in a file that NumPy maps into it.

    Args:
        images: uint8 array `(count, size, size, channels)`.
        stamp: bytes that tell these images from others; `None` is a digest of them all.
    """

    def __init__(self, images: Array, stamp: bytes | None = None) -> None:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise ValueError(
                "Images must be a uint8 array (count, height, width, channels). "
                f"Received: {images.dtype} {images.shape}"
            )
        self._images, self._stamp = images, stamp

    def __len__(self) -> int:
        return len(self._images)

    def take(self, indices: Array) -> Pixels:
        """The images at `indices`, uint8 `(len(indices), size, size, channels)`."""
        return self._images[np.asarray(indices)]

    def stamp(self) -> bytes:
        """Bytes that are others when any image is."""
        if self._stamp is None:
            self._stamp = digest(self._images)
        return self._stamp


@dataclasses.dataclass
class TwoDomains:
    """Domain A (without the content) and domain B (with it) of one data source.

    Attributes:
        a, b: image collections with `len()` and `take(indices)` returning uint8
            `(k, image_size, image_size, 3)`.
        image_size: height and width in pixels.
        b_mask: like `b` with one channel, 255 where b shows the content, if known.
        b_without: like `b`, the same pictures without the content, if known.
        a_with: like `a`, picture i with the content of picture i of `b`, if known.
        a_with_next: the same with the content of picture i + 1 of `b`.
        a_without: like `a`, the same pictures without what A has of its own, if known.
        a_translated: like `a`, picture i with the own part of picture i of `b`
            in place of its own; `b_translated` likewise.
        b_variants: a word for each picture of `b` that names its content, if known.
        framing: how the images were cut out of photos, a `Framing`.
    """

    a: ImageCollection
    b: ImageCollection
    image_size: int
    b_mask: ImageCollection | None = None
    b_without: ImageCollection | None = None
    a_with: ImageCollection | None = None
    a_with_next: ImageCollection | None = None
    a_without: ImageCollection | None = None
    a_translated: ImageCollection | None = None
    b_translated: ImageCollection | None = None
    b_variants: list[str] | None = None
    framing: Framing = CENTRE

    def __post_init__(self):
        for name, images in (("A", self.a), ("B", self.b)):
            if not len(images):
                raise ValueError(
                    f"Domain {name} holds no image; both domains need at least one. "
                    f"Received: A of {len(self.a)}, B of {len(self.b)}"
                )

    @classmethod
    def from_arrays(
        cls,
        a: Array,
        b: Array,
        masks: Array | None = None,
        framing: Framing | dict[str, Any] | str | None = CENTRE,
    ) -> TwoDomains:
        """Two domains from images in memory, of different counts if need be.

        `batches` then gives random pairs of them to train on without end, and `pairs`
        every (a_i, b_i) once, with the masks, for `validation_data`.

        Args:
            a, b: images without and with the content, `(count, size, size, 3)`: uint8, or
                float in [-1, 1], which are kept rounded to 8 bits.
            masks: where each of `b` shows the content, `(count of b, size, size, 1)` or
                without the last axis: bool, float in [0, 1], or uint8 with 255 for 1.
            framing: how the images were cut out of photos, what `Framing.of` takes.

        Raises:
            ValueError: an array is of another shape, kind or range.
        """
        a, b = _eight_bits("a", a), _eight_bits("b", b)
        if a.shape[1:] != b.shape[1:]:
            raise ValueError(
                "The images of both domains must be of one size. "
                f"Received: a of {a.shape}, b of {b.shape}"
            )
        if masks is not None:
            masks = ImageArray(_eight_bit_masks(masks, b.shape))
        return cls(ImageArray(a), ImageArray(b), a.shape[1], masks, framing=Framing.of(framing))

    def exchanged(self) -> TwoDomains:
        """The same images with A and B exchanged; of the truth, only what is of both domains."""
        return TwoDomains(
            self.b,
            self.a,
            self.image_size,
            a_without=self.b_without,
            b_without=self.a_without,
            a_translated=self.b_translated,
            b_translated=self.a_translated,
            framing=self.framing,
        )

    def first(self, count: int) -> TwoDomains:
        """The first `count` images of each domain and their truth, in memory."""
        changes = {
            field.name: (
                images[:count] if isinstance(images, list) else ImageArray(_first(images, count))
            )
            for field in dataclasses.fields(self)
            if (images := getattr(self, field.name)) is not None
            and field.name not in ("image_size", "framing")
        }
        return dataclasses.replace(self, **changes)

    def arrays(self, count: int | None = None) -> tuple[Floats, Floats]:
        """`(a, b)`: the first `count` images of each domain, or all, as models take them.

        Float32 in [-1, 1]; of a domain that holds fewer, all of them.
        """
        return tuple(to_model_range(_first(images, count)) for images in (self.a, self.b))

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches in one epoch: once through the larger domain; the smaller one repeats."""
        return math.ceil(max(len(self.a), len(self.b)) / batch_size)

    def batches(
        self,
        batch_size: int,
        seed: int = 0,
        flip: bool = False,
        augment: bool = False,
        first_step: int = 0,
        shards: int = 1,
        shard: int = 0,
    ) -> tf.data.Dataset:
        """Endless random training batches as a `tf.data.Dataset`.

        Each domain is shuffled on its own, anew at every pass through it, so
        that pairs are random and every image comes as often as any other of
        its domain. Batch number t depends on `(seed, t)` alone: the same seed
        gives the same batches, and `first_step=t` goes on where a run stopped.

        Args:
            batch_size: images of each domain per batch.
            seed: integer seed of order and flips.
            flip: whether each image is mirrored left to right half of the time.
            augment: whether each image is moved and its light changed, a little and in
                both domains alike, see `augmented`.
            first_step: number of the first batch.
            shards, shard: one of several processes that train together reads part
                `shard` (from 0) of `shards` equal parts of each batch, and no
                other image; all parts in their order are the batch.

        Returns:
            Infinite data set of `(a, b)`, float32 `(batch_size / shards,
            image_size, image_size, 3)` in [-1, 1]. Pass `steps_per_epoch` to `fit`.

        Raises:
            ValueError: there is no such shard, or the shards would be unequal.
        """
        import tensorflow as tf

        rows = shard_rows(batch_size, shards, shard)
        stream_a = Stream(len(self.a), batch_size, [seed, 0], flip, augment, rows)
        stream_b = Stream(len(self.b), batch_size, [seed, 1], flip, augment, rows)

        def load(step):
            with EXIT.reading():
                return stream_a.load(self.a, int(step)), stream_b.load(self.b, int(step))

        shape = (len(rows), self.image_size, self.image_size, 3)

        def read(step):
            images = tf.numpy_function(load, [step], (tf.float32, tf.float32))
            return tuple(tf.ensure_shape(x, shape) for x in images)

        steps = tf.data.Dataset.counter(start=first_step)
        # Threads: reading and decoding images let go of Python's lock.
        threads = max(2, os.cpu_count() or 1)
        return steps.map(read, num_parallel_calls=threads, deterministic=True).prefetch(2)

    def distributed_batches(
        self, strategy: tf.distribute.Strategy, batch_size: int, **options: Any
    ) -> tf.distribute.DistributedDataset:
        """The batches of `batches` for the devices of a `tf.distribute` strategy.

        Each device gets an equal part of every batch, and each worker reads the
        parts of its own devices alone; together they are the batch that one
        device would get.

        Args:
            strategy: `tf.distribute.Strategy`.
            batch_size: images of each domain per batch, over all devices.
            **options: `seed`, `flip`, `augment` and `first_step` of `batches`.

        Returns:
            `tf.distribute.DistributedDataset`, which `fit` takes.

        Raises:
            ValueError: `batch_size` is no multiple of the number of devices.
        """
        size = len(shard_rows(batch_size, strategy.num_replicas_in_sync, 0))

        def part(context):
            shards, shard = context.num_input_pipelines, context.input_pipeline_id
            return self.batches(batch_size, shards=shards, shard=shard, **options).rebatch(size)

        return strategy.distribute_datasets_from_function(part)

    def pairs(self, batch_size: int, limit: int | None = None) -> tf.data.Dataset:
        """Every (a_i, b_i) once, in order, as a finite `tf.data.Dataset` for evaluation.

        The longer domain is cut to the shorter one and both to `limit`; the
        last batch may be smaller. Batches are `(a, b)`, or `(a, b, mask_b)` with
        masks `(batch, image_size, image_size, 1)` in [0, 1] where they are known.
        """
        import tensorflow as tf

        count = min(len(self.a), len(self.b), limit or len(self.b))
        size = self.image_size

        def generate():
            for start in range(0, count, batch_size):
                indices = range(start, min(start + batch_size, count))
                batch = [to_model_range(images.take(indices)) for images in (self.a, self.b)]
                if self.b_mask is not None:
                    batch.append(np.float32(self.b_mask.take(indices)) / 255.0)
                yield tuple(batch)

        spec = [tf.TensorSpec((None, size, size, 3), tf.float32)] * 2
        if self.b_mask is not None:
            spec.append(tf.TensorSpec((None, size, size, 1), tf.float32))
        data = tf.data.Dataset.from_generator(generate, output_signature=tuple(spec))
        return data.apply(tf.data.experimental.assert_cardinality(math.ceil(count / batch_size)))


def digest(images):
    """The digest of an array, bytes."""
    found = hashlib.blake2b(repr(images.shape).encode(), digest_size=16)
    found.update(np.ascontiguousarray(images))
    return found.digest()


def _first(images, count):
    """The first `count` images of a collection, or all, uint8."""
    return images.take(np.arange(len(images))[:count])


def _eight_bits(name, images):
    """Images as models or files have them, as uint8 `(count, size, size, 3)`."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise ValueError(
            f"`{name}` must be images (count, size, size, 3). Received: shape {images.shape}"
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f" or (images.size and not np.abs(images).max() <= 1):
        values = f" in [{images.min():g}, {images.max():g}]" if images.size else ""
        raise ValueError(
            f"`{name}` must be uint8, or float in [-1, 1] (8 bits x are x / 127.5 - 1). "
            f"Received: {images.dtype}{values}"
        )
    return to_uint8(images)


def _eight_bit_masks(masks, shape):
    """Masks of images of `shape` as uint8 `(count, size, size, 1)`, 255 for 1."""
    masks = np.asarray(masks)
    if masks.shape not in (shape[:3], (*shape[:3], 1)):
        raise ValueError(
            f"`masks` must be {(*shape[:3], 1)}, one for each image of b. "
            f"Received: shape {masks.shape}"
        )
    top = masks.max(initial=0)
    if masks.dtype == bool or (masks.dtype.kind == "f" and masks.min(initial=0) >= 0 and top <= 1):
        masks = np.rint(masks * np.float32(255)).astype(np.uint8)
    elif masks.dtype != np.uint8 or top == 1:
        raise ValueError(
            "`masks` must be bool, float in [0, 1], or uint8 with 255 for 1. "
            f"Received: {masks.dtype} in [{masks.min(initial=0):g}, {top:g}]"
        )
    return masks.reshape(*shape[:3], 1)
