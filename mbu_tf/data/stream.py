"""Which image stands where in the endless stream of a domain's random batches."""

import atexit
import contextlib
import functools
import threading

import numpy as np

from mbu_tf.data.augmentation import DRAWS, augmented
from mbu_tf.data.value_range import to_model_range


class Exit:
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


EXIT = Exit()


def shard_rows(batch_size, shards, shard):
    """Which rows of each batch a shard has."""
    if not 0 <= shard < shards or batch_size % shards:
        raise ValueError(
            "`shard` must be one of 0 ... `shards` - 1, and `batch_size` a multiple of `shards`. "
            f"Received: batch_size={batch_size}, shards={shards}, shard={shard}"
        )
    size = batch_size // shards
    return np.arange(shard * size, (shard + 1) * size)


class Stream:
    """The endless stream of one domain's batches, or of some rows of each.

    Args:
        count: images of the domain.
        batch_size: images of the domain per batch.
        seed: list of integers.
        flip: whether each image is mirrored left to right half of the time.
        augment: whether each image is changed a little, see `augmented`.
        rows: which of the batch are read, integers.
    """

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
        """The rows of batch `step` of a collection with `take`, float32 in [-1, 1]."""
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
