"""What data must be for training on two domains, told by their first batch.

All is done on the host: the compiled step is the same with and without.
"""

import contextlib
import itertools
import types

import keras
import numpy as np

from mbu_tf.models.inference import checked_images
from mbu_tf.system.backend import tensorflow_in_use

NO_PAIR = (
    "A batch must be a tuple (a, b) of images of both domains, or (a, b, mask_b); arrays are given "
    "as fit(a, b) and predict([a, b]). Received: {}"
)


def pair(batch):
    """`(a, b, mask_b or None)` of a batch `(a, b)` or `(a, b, mask_b)`, be it in brackets.

    Raises:
        ValueError: if it is none.
    """
    while isinstance(batch, (tuple, list)) and len(batch) == 1:
        (batch,) = batch
    if not isinstance(batch, (tuple, list)):
        raise ValueError(NO_PAIR.format(f"{type(batch).__name__} alone"))
    if len(batch) not in (2, 3) or batch[1] is None:
        raise ValueError(NO_PAIR.format(f"{type(batch).__name__} of {len(batch)}"))
    if any(isinstance(x, (tuple, list, dict)) for x in batch):
        raise ValueError(NO_PAIR.format(", ".join(type(x).__name__ for x in batch)))
    return (*batch, None)[:3]


def check_batch(a, b, mask=None, size=None):
    """Raise `ValueError` unless a batch is what models train on.

    Values that are not finite are left to the training step, which skips them.

    Args:
        a, b: images `(batch, size, size, 3)`, float in [-1, 1].
        mask: true masks of b, `(batch, size, size, 1)` in [0, 1], or `None`.
        size: height and width in pixels; `None`: any.
    """
    a, b = (_as_float(x) for x in (a, b))
    for name, images in (("a", a), ("b", b)):
        if images.ndim < 4 and images.size:
            raise ValueError(
                f"`{name}` must be a batch of images; labels have no place beside images (read "
                "each domain's images alone, label_mode=None, and zip both). "
                f"Received: {name} of shape {images.shape}"
            )
        checked_images(name, _finite(images), size)
    check_lengths(a, b, mask)
    if mask is None:
        return
    mask = _as_float(mask)
    if mask.shape != (*b.shape[:3], 1):
        raise ValueError(
            "The third element of a batch must be true masks of b, (batch, "
            f"{b.shape[1]}, {b.shape[2]}, 1) in [0, 1]; sample weights have no meaning here. "
            f"Received: shape {mask.shape}"
        )
    if not (mask.min() >= 0 and mask.max() <= 1):
        raise ValueError(
            "True masks, the third element of a batch, must lie in [0, 1]. "
            f"Received: values in [{mask.min():g}, {mask.max():g}]"
        )


def check_lengths(*arrays):
    """Raise `ValueError` unless a, b and, if given, the masks of b are equally many.

    Lengths that are not known, in a graph, are equal to any.
    """
    lengths = [x.shape[0] for x in arrays if x is not None]
    if len({n for n in lengths if n is not None}) > 1:
        raise ValueError(
            "A batch must hold as many images of A as of B, and as many masks. Batches of "
            "different last ones want drop_remainder=True, sets of different length a source that "
            f"draws pairs, such as `mbu_tf.TwoDomains.batches`. Received: {lengths} of each"
        )


def check_arrays(a, b, mask, size, batch_size):
    """`check_batch` of the first `batch_size` of arrays, and their full lengths."""
    for name, array in (("a", a), ("b", b)):
        if not hasattr(array, "shape"):
            raise ValueError(
                f"`{name}` must be an array of images. Received: {type(array).__name__}"
            )
        if not len(array.shape):
            raise ValueError(NO_PAIR.format(f"{name} of shape ()"))
    check_lengths(a, b, mask)
    check_batch(*(x if x is None else x[:batch_size] for x in (a, b, mask)), size)


def checked_source(data, size):
    """`data` to train on in place of `data`, and whether there are masks.

    Args:
        data: `tf.data.Dataset`, `tf.distribute.DistributedDataset`, `PyDataset`,
            generator, or what is iterated anew each time, such as a `DataLoader`.
        size: see `check_batch`.

    Raises:
        ValueError: see `check_batch`; of a `tf.data.Dataset`, when its first batch is read.
    """
    tf = tensorflow_in_use()
    if tf is not None and isinstance(data, tf.data.Dataset):
        elements = pair(data.element_spec)
        return _looking(data, size), elements[2] is not None
    if hasattr(data, "element_spec"):  # Distributed; reading a batch may take all workers.
        elements = pair(data.element_spec)
        for name, spec in zip("ab", elements, strict=False):
            for part in getattr(spec, "_value_specs", (spec,)):
                checked_images(name, _example(part), size)
        return data, elements[2] is not None
    if isinstance(data, types.GeneratorType):
        first = next(data, None)
        elements = pair(first)
        check_batch(*elements, size)
        return _checking_lengths(itertools.chain([first], data)), elements[2] is not None
    elements = pair(_first_of(data))
    check_batch(*elements, size)
    return data, elements[2] is not None


def _first_of(data):
    """The first batch of what may be read again."""
    if isinstance(data, keras.utils.PyDataset):
        return data[0]
    if hasattr(data, "shape") or not hasattr(data, "__iter__"):
        raise ValueError(NO_PAIR.format(f"{type(data).__name__} alone"))
    with _kept_random_state(data):
        return next(iter(data), None)


@contextlib.contextmanager
def _kept_random_state(data):
    """PyTorch draws a seed for each pass through a `DataLoader`: here it is given back."""
    if not type(data).__module__.startswith("torch"):
        yield
        return
    import torch

    own = getattr(data, "generator", None)
    state = own.get_state() if own is not None else None
    with torch.random.fork_rng(devices=[]):
        yield
    if own is not None:
        own.set_state(state)


def _checking_lengths(batches):
    for batch in batches:
        check_lengths(*pair(batch))
        yield batch


def _looking(data, size):
    """`data` whose first batch, and any of unequal lengths, is checked as it is read."""
    import tensorflow as tf

    def check(*arrays):
        check_batch(*arrays, *[None] * (3 - len(arrays)), size)
        return True

    def look(number, batch):
        parts = tf.nest.flatten(batch)
        lengths = [tf.shape(x)[:1] for x in parts]
        unequal = [tf.reduce_any(tf.not_equal(lengths[0], n)) for n in lengths[1:]]
        doubtful = tf.reduce_any([number == 0, *unequal])
        checked = tf.cond(doubtful, lambda: tf.numpy_function(check, parts, tf.bool), lambda: True)
        with tf.control_dependencies([checked]):
            return tf.nest.map_structure(tf.identity, batch)

    return data.enumerate().map(look)


def _example(spec):
    """Zeros of the shape and dtype of a `tf.TensorSpec`."""
    return np.zeros([1 if n is None else n for n in spec.shape], spec.dtype.as_numpy_dtype)


def _as_float(array):
    """As a NumPy array; bfloat16, which NumPy does not take for a float, as float32."""
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind in "Vb" else array


def _finite(images):
    return np.where(np.isfinite(images), images, 0) if images.dtype.kind == "f" else images
