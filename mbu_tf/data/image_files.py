"""Many image files as one collection, in memory or read anew each time."""

import concurrent.futures
import functools
import itertools
import logging
import warnings

import numpy as np

from mbu_tf.data.images import (
    ImageReadError,
    check_preparation,
    prepare_image,
    read_image,
    source_name,
)

NAMES_SHOWN = 5

logger = logging.getLogger(__name__)


def _load(source, prepare):
    image = read_image(source)
    try:
        return prepare(image)
    except ValueError as error:
        raise ImageReadError(f"Cannot prepare the image {source_name(source)}: {error}") from error


def load_images(paths, prepare, workers=2, report=warnings.warn):
    """Reads many images into one array, in order; unreadable ones are left out.

    Args:
        paths: sequence of what `read_image` takes.
        prepare: function from uint8 `(height, width, 3)` to uint8 of one common shape.
        workers: number of reading threads.
        report: function called once with a summary if any image was unreadable:
            how many, and the first 5 by name. The others are logged by name.

    Returns:
        `(images, kept, failures)`: uint8 `(count, size, size, 3)`, the paths that
        were read, and the `ImageReadError`s of the others.

    Raises:
        ValueError: there is no readable image.
    """
    images, kept, failures = None, [], []

    def load(path):
        try:
            return _load(path, prepare)
        except ImageReadError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for path, image in zip(paths, pool.map(load, paths), strict=True):
            if isinstance(image, ImageReadError):
                failures.append(image)
                continue
            if images is None:
                images = np.empty((len(paths), *image.shape), np.uint8)
            images[len(kept)] = image
            kept.append(path)
    shown = " ".join(map(str, failures[:NAMES_SHOWN]))
    if not kept:
        raise ValueError(f"None of {len(paths)} images can be read. {shown}")
    if failures:
        for failure in failures[NAMES_SHOWN:]:
            logger.warning("%s", failure)
        report(f"{len(failures)} of {len(paths)} images are left out as unreadable: {shown}")
    return images[: len(kept)], kept, failures


class ImageFiles:
    """Images read anew whenever they are taken, for sets too large for memory.

    An image that turns out unreadable is warned about once, by name; the next
    readable one stands in for it, always the same.

    Args:
        sources: sequence of what `read_image` takes.
        image_size: height and width of the images taken.
        crop: see `prepare_image`.
    """

    def __init__(self, sources, image_size, crop=None):
        check_preparation(image_size, crop)
        self._sources = list(sources)
        self._size = image_size
        self._prepare = functools.partial(prepare_image, size=image_size, crop=crop)
        self._unreadable = {}

    def __len__(self):
        return len(self._sources)

    def take(self, indices):
        """The images at `indices`, uint8 `(len(indices), image_size, image_size, 3)`.

        Raises:
            ValueError: no image of the collection can be read.
        """
        images = np.empty((len(indices), self._size, self._size, 3), np.uint8)
        for image, index in zip(images, indices, strict=True):
            image[:] = self._read(range(len(self))[index])
        return images

    def _read(self, index):
        for position in itertools.chain(range(index, len(self)), range(index)):
            if position in self._unreadable:
                continue
            try:
                return _load(self._sources[position], self._prepare)
            except ImageReadError as error:
                # setdefault is atomic: of several threads only one warns.
                if self._unreadable.setdefault(position, error) is error:
                    warnings.warn(f"{error} The next image stands in for it.", stacklevel=3)
        raise ValueError(f"None of {len(self)} images can be read. {self._unreadable[index]}")
