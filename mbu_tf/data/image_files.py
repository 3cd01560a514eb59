"""Many encoded images as one collection: in memory, decoded on disk, or read anew each time."""

import concurrent.futures
import errno
import functools
import hashlib
import itertools
import logging
import os
import pathlib
import shutil
import warnings
import zlib

import numpy as np

from mbu_tf.data.domains import ImageArray
from mbu_tf.data.images import (
    ImageReadError,
    check_preparation,
    prepare_image,
    read_source,
    source_name,
)
from mbu_tf.system.files import make_folder, remove, replacing
from mbu_tf.system.reading import open_file

NAMES_SHOWN = 5
# Images that are being read or wait to be taken on, at most.
BLOCK = 256
CHECKSUM_BYTES = 4
CHECKED_AT_ONCE = 2**24

logger = logging.getLogger(__name__)


def _load(source, prepare):
    image = read_source(source)
    try:
        return prepare(image)
    except ValueError as error:
        raise ImageReadError(f"Cannot prepare the image {source_name(source)}: {error}") from error


def each_image(sources, prepare, workers=None, report=warnings.warn):
    """Reads many images, in order; unreadable ones are left out.

    Args:
        sources: sequence of what `read_source` takes.
        prepare: function from uint8 `(height, width, 3)` to uint8 of one common shape.
        workers: number of reading threads; `None` takes one per core.
        report: function called once with a summary if any image was unreadable:
            how many, and the first 5 by name. The others are logged by name.

    Yields:
        What `prepare` gives, of each readable image.

    Raises:
        ValueError: there is no readable image.
    """
    failed, shown = 0, ""

    def load(index):
        try:
            return _load(sources[index], prepare)
        except ImageReadError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for start in range(0, len(sources), BLOCK):
            for image in pool.map(load, range(start, min(start + BLOCK, len(sources)))):
                if not isinstance(image, ImageReadError):
                    yield image
                    continue
                failed += 1
                if failed <= NAMES_SHOWN:
                    shown += f" {image}"
                else:
                    logger.warning("%s", image)
    if failed == len(sources):
        raise ValueError(f"None of {len(sources)} images can be read.{shown}")
    if failed:
        report(f"{failed} of {len(sources)} images are left out as unreadable:{shown}")


def load_images(sources, prepare, **options):
    """Many images as one array, uint8 `(readable images, size, size, 3)`; see `each_image`."""
    images, count = None, 0
    for count, image in enumerate(each_image(sources, prepare, **options), start=1):
        if images is None:
            images = np.empty((len(sources), *image.shape), np.uint8)
        images[count - 1] = image
    return images[:count]


def cache_images(sources, image_size, crop, folder):
    """Many images decoded into one file, which is then read as if it were in memory.

    The file is written at the first call, one image at a time, and found again
    at later ones: its name tells of the sources, their sizes and times of
    change, of `image_size` and of `crop`. It appears whole or not at all, and
    holds the pixels, `image_size`² · 3 bytes for each readable image, and their
    checksum, which is compared at every call: of a second or so for each GB. A damaged
    file is warned about and made anew.

    Args:
        sources: sequence of what `read_source` takes, see `sources_stamp`.
        image_size, crop: see `prepare_image`.
        folder: where the file lies, made if missing; best on a local disk.

    Returns:
        `ImageArray` over the file; the operating system keeps of it in memory
        what there is room for.

    Raises:
        OSError: the disk lacks the room, or the folder cannot be written to.
        ValueError: there is no readable image.
    """
    folder = make_folder(pathlib.Path(folder).expanduser())
    stamp = sources_stamp(sources, image_size, crop)
    path = folder / f"{len(sources)}-images-{image_size}px-{stamp}.uint8"
    image_bytes = image_size**2 * 3
    if path.exists() and not _is_whole(path, image_bytes):
        warnings.warn(f"{path} is damaged, and is made anew.", stacklevel=2)
        remove(path)
    if not path.exists():
        needed = len(sources) * image_bytes + CHECKSUM_BYTES
        free = shutil.disk_usage(folder).free
        if needed > free:
            sizes = f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB free"
            problem = f"Cannot write: {sizes}; choose another folder or smaller images"
            raise OSError(errno.ENOSPC, problem, str(path))
        prepare = functools.partial(prepare_image, size=image_size, crop=crop)
        _write_cache(path, each_image(sources, prepare))
    pixels = np.memmap(path, np.uint8, "r")[:-CHECKSUM_BYTES]
    return ImageArray(pixels.reshape(-1, image_size, image_size, 3), stamp.encode())


def _write_cache(path, images):
    """Write images one after another, and the checksum of them all."""
    checksum = 0
    # Written, not mapped: a full disk is then an error and no dead process.
    with replacing(path) as beside, open(beside, "wb") as file:
        for image in images:
            pixels = np.ascontiguousarray(image)
            checksum = zlib.crc32(pixels, checksum)
            file.write(pixels)
        file.write(checksum.to_bytes(CHECKSUM_BYTES, "big"))


def _is_whole(path, image_bytes):
    """Whether a file is one of `_write_cache` as it was written; read in full."""
    with open_file(path) as file:
        left = os.fstat(file.fileno()).st_size - CHECKSUM_BYTES
        if left <= 0 or left % image_bytes:
            return False
        checksum = 0
        while left:
            block = file.read(min(left, CHECKED_AT_ONCE))
            if not block:
                return False
            left -= len(block)
            checksum = zlib.crc32(block, checksum)
        return file.read() == checksum.to_bytes(CHECKSUM_BYTES, "big")


def sources_stamp(sources, *options):
    """32 letters that are others when any image of `sources` changes, or an option.

    A sequence that has `stamp()`, bytes that change when any of its images does, is
    not asked for each.
    """
    stamp = hashlib.sha256(repr((len(sources), *options)).encode())
    for part in [sources.stamp()] if hasattr(sources, "stamp") else map(_stamp, sources):
        stamp.update(part)
    return stamp.hexdigest()[:32]


def _stamp(source):
    """Bytes that change when the image does."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return hashlib.sha256(source).digest()
    try:
        found = os.stat(source)
    except OSError:  # Reading it will tell.
        found = os.stat_result([0] * 10)
    return repr((os.path.abspath(source), found.st_size, found.st_mtime_ns)).encode()


class ImageFiles:
    """Images read anew whenever they are taken, for sets too large for memory.

    An image that turns out unreadable is warned about once, by name; the next
    readable one stands in for it, always the same.

    Args:
        sources: sequence of what `read_source` takes.
        image_size: height and width of the images taken.
        crop: see `prepare_image`.
    """

    def __init__(self, sources, image_size, crop=None):
        check_preparation(image_size, crop)
        self._sources = sources
        self._size = image_size
        self._prepare = functools.partial(prepare_image, size=image_size, crop=crop)
        self._unreadable = {}

    def __len__(self):
        return len(self._sources)

    def stamp(self):
        """Bytes that are others when any image's file is, see `ImageArray`."""
        return sources_stamp(self._sources).encode()

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
