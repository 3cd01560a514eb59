"""Two image domains and the stream of random (a, b) batches that training reads.

The one value range of the library: images are float32 in [-1, 1], RGB, channels
last; masks are float32 in [0, 1].
"""

import atexit
import contextlib
import dataclasses
import functools
import math
import os
import threading

import numpy as np

from mbu_tf.data.augmentation import DRAWS, augmented
from mbu_tf.faces.framing import CENTRE, Framing


def to_model_range(images):
    """uint8 images in [0, 255] as float32 in [-1, 1]."""
    return np.asarray(images, np.float32) / 127.5 - 1.0


def to_uint8(images):
    """Images in [-1, 1] as uint8 in [0, 255], rounded; the inverse of `to_model_range`."""
    scaled = np.rint((np.asarray(images, np.float32) + 1.0) * 127.5)
    return np.clip(scaled, 0, 255).astype(np.uint8)


class ImageArray:
    """Images held in memory, or in a file that NumPy maps into it.

    Args:
        images: uint8 array `(count, size, size, channels)`.
    """

    def __init__(self, images):
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise ValueError(
                "Images must be a uint8 array (count, height, width, channels). "
                f"Received: {images.dtype} {images.shape}"
            )
        self._images = images

    def __len__(self):
        return len(self._images)

    def take(self, indices):
        """The images at `indices`, uint8 `(len(indices), size, size, channels)`."""
        return self._images[np.asarray(indices)]


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

    a: object
    b: object
    image_size: int
    b_mask: object = None
    b_without: object = None
    a_with: object = None
    a_with_next: object = None
    a_without: object = None
    a_translated: object = None
    b_translated: object = None
    b_variants: list | None = None
    framing: Framing = CENTRE

    def __post_init__(self):
        for name, images in (("A", self.a), ("B", self.b)):
            if not len(images):
                raise ValueError(
                    f"Domain {name} holds no image; both domains need at least one. "
                    f"Received: A of {len(self.a)}, B of {len(self.b)}"
                )

    def exchanged(self):
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

    def first(self, count):
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

    def arrays(self, count=None):
        """`(a, b)`: the first `count` images of each domain, or all, as models take them.

        Float32 in [-1, 1]; of a domain that holds fewer, all of them.
        """
        return tuple(to_model_range(_first(images, count)) for images in (self.a, self.b))

    def steps_per_epoch(self, batch_size):
        """Batches in one epoch: once through the larger domain; the smaller one repeats."""
        return math.ceil(max(len(self.a), len(self.b)) / batch_size)

    def batches(
        self, batch_size, seed=0, flip=False, augment=False, first_step=0, shards=1, shard=0
    ):
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

        rows = _shard_rows(batch_size, shards, shard)
        stream_a = _Stream(len(self.a), batch_size, [seed, 0], flip, augment, rows)
        stream_b = _Stream(len(self.b), batch_size, [seed, 1], flip, augment, rows)

        def load(step):
            with _EXIT.reading():
                return stream_a.load(self.a, int(step)), stream_b.load(self.b, int(step))

        shape = (len(rows), self.image_size, self.image_size, 3)

        def read(step):
            images = tf.numpy_function(load, [step], (tf.float32, tf.float32))
            return tuple(tf.ensure_shape(x, shape) for x in images)

        steps = tf.data.Dataset.counter(start=first_step)
        # Threads: reading and decoding images let go of Python's lock.
        threads = max(2, os.cpu_count() or 1)
        return steps.map(read, num_parallel_calls=threads, deterministic=True).prefetch(2)

    def distributed_batches(self, strategy, batch_size, **options):
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
        size = len(_shard_rows(batch_size, strategy.num_replicas_in_sync, 0))

        def part(context):
            shards, shard = context.num_input_pipelines, context.input_pipeline_id
            return self.batches(batch_size, shards=shards, shard=shard, **options).rebatch(size)

        return strategy.distribute_datasets_from_function(part)

    def pairs(self, batch_size, limit=None):
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


def _first(images, count):
    """The first `count` images of a collection, or all, uint8."""
    return images.take(np.arange(len(images))[:count])


class _Exit:
    """Keeps TensorFlow's reading threads out of an interpreter that is shutting down.

    A thread that calls into Python then never returns, and the process hangs.
    """

    def __init__(self):
        self._closing = False
        self._idle = threading.Condition()
        self._reading = 0
        atexit.register(self._close)

    @contextlib.contextmanager
    def reading(self):
        with self._idle:
            if self._closing:
                raise RuntimeError("the interpreter is shutting down")
            self._reading += 1
        try:
            yield
        finally:
            with self._idle:
                self._reading -= 1
                self._idle.notify_all()

    def _close(self):
        with self._idle:
            self._closing = True
            self._idle.wait_for(lambda: not self._reading, timeout=10)
            # What is on its way in meets the refusal above.
            self._idle.wait(timeout=0.1)


_EXIT = _Exit()


def _shard_rows(batch_size, shards, shard):
    """Which rows of each batch a shard has."""
    if not 0 <= shard < shards or batch_size % shards:
        raise ValueError(
            "`shard` must be one of 0 ... `shards` - 1, and `batch_size` a multiple of `shards`. "
            f"Received: batch_size={batch_size}, shards={shards}, shard={shard}"
        )
    size = batch_size // shards
    return np.arange(shard * size, (shard + 1) * size)


class _Stream:
    """Which image of one domain stands where in the endless stream of its batches."""

    def __init__(self, count, batch_size, seed, flip, augment, rows):
        self._count = count
        self._batch_size = batch_size
        self._seed = seed
        self._flip = flip
        self._augment = augment
        self._rows = rows
        # Batches that are read at a time lie in one pass, or in two.
        self._order = functools.lru_cache(maxsize=2)(self._order)

    def _order(self, epoch):
        # Four bytes an image: little beside its path. The order is the same in any type.
        numbers = np.arange(self._count, dtype=np.uint32)
        return np.random.default_rng([*self._seed, 0, epoch]).permutation(numbers)

    def load(self, images, step):
        positions = step * self._batch_size + self._rows
        indices = [self._order(p // self._count)[p % self._count] for p in positions]
        batch = images.take(indices)
        if self._augment:
            rng = np.random.default_rng([*self._seed, 2, step])
            batch = augmented(batch, rng.uniform(-1, 1, (self._batch_size, DRAWS))[self._rows])
        else:
            batch = to_model_range(batch)
        if self._flip:
            drawn = np.random.default_rng([*self._seed, 1, step]).random(self._batch_size)
            mirrored = drawn[self._rows] < 0.5
            batch[mirrored] = batch[mirrored, :, ::-1]
        return batch
