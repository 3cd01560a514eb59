"""Image files as uint8 arrays: read, crop, resize, write, and whole lists of them."""

import io
import numbers
import os
import re
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from mbu_tf.files import replacing

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 100_000_000

_PLAIN_MODES = {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"}
_ALPHA_MODES = {"LA", "PA", "RGBA", "RGBa"}
_ORIENTATION_TAG = 0x0112
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PROBLEMS = {
    FileNotFoundError: "there is no such file. Mend the path.",
    IsADirectoryError: "it is a folder. Name an image file.",
    PermissionError: "reading it is not permitted. Mend its permissions.",
    UnidentifiedImageError: (
        f"it is none of {', '.join(FORMATS)}, or damaged. Convert it, copy it again, or remove it."
    ),
    Image.DecompressionBombError: f"it has over {MAX_PIXELS // 10**6} megapixels. Shrink it.",
}
_PILLOW_FILTER = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


class ImageReadError(ValueError):
    """An image cannot be read. The message names it, the reason and the mend."""


def read_image(source):
    """One picture as uint8 RGB `(height, width, 3)`.

    JPEG, PNG, WebP, BMP, TIFF and GIF (the first frame) are read. EXIF orientation is
    applied, transparency is laid on white, 16-bit grey is scaled to 8 bits.

    Args:
        source: a path, the file's bytes, or a file object opened in binary mode.

    Raises:
        ImageReadError: the file is missing, empty, broken, no such image, of a
            pixel kind without a fixed range, or of more than 100 megapixels.
        TypeError: `source` is none of the three.
    """
    name = source_name(source)
    try:
        with _opened(source) as file:
            return _decode(file)
    except MemoryError:
        raise
    except ImageReadError as error:
        problem = error
    except Exception as error:  # Pillow's decoders raise anything on broken files.
        damaged = f"it is damaged or cut off ({error}). Copy it again, or remove it."
        problem = _PROBLEMS.get(type(error), damaged)
    raise ImageReadError(f"Cannot read the image {name}: {problem}")


class FaceImage(NamedTuple):
    """The square of a photo in which a face is framed, as a source of one image.

    Attributes:
        source: the photo, what `read_image` takes.
        placement: `mbu_tf.faces.Placement` of the square in it.
    """

    source: object
    placement: object


def read_source(source):
    """`read_image` of a photo; of a `FaceImage` its square at the photo's own scale."""
    if isinstance(source, FaceImage):
        return source.placement.upright(read_image(source.source))
    return read_image(source)


def source_name(source):
    if isinstance(source, FaceImage):
        return source_name(source.source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"given as {len(source)} bytes"
    if hasattr(source, "read"):
        return str(getattr(source, "name", "given as a file object"))
    try:
        return os.fsdecode(source)
    except TypeError:
        raise TypeError(
            "An image is read from a path, bytes or a file object opened in binary mode. "
            f"Received: {source!r}"
        ) from None


def _opened(source):
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    return io.BytesIO(source.read()) if hasattr(source, "read") else open(source, "rb")


def _decode(file):
    if not file.read(1):
        raise ImageReadError("it is empty. Copy it again, or remove it.")
    # Pillow warns of large pictures and broken metadata; what matters of it is
    # checked here. A filter for Pillow's modules alone stays set, because
    # `catch_warnings` is not safe in the threads that read images.
    if warnings.filters[:1] != [_PILLOW_FILTER]:
        warnings.filterwarnings("ignore", module=r"PIL\.")
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise ImageReadError(
            f"{_PROBLEMS[Image.DecompressionBombError]} "
            f"Received: {image.width} x {image.height} pixels"
        )
    image.load()  # Before the EXIF data are read: loading a TIFF applies them.
    rgb = _to_rgb(image)
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # Broken metadata do not make the picture unreadable.
        orientation = None
    if orientation in _ORIENTATIONS:
        rgb = np.array(Image.fromarray(rgb).transpose(_ORIENTATIONS[orientation]))
    return rgb


def _to_rgb(image):
    transparent = image.info.get("transparency")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _grey16_to_rgb(np.asarray(image), transparent)
    if image.mode in _ALPHA_MODES or (image.mode in _PLAIN_MODES and transparent is not None):
        rgba = np.asarray(image.convert("RGBA"))
        rgb, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)
        return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if image.mode in _PLAIN_MODES:
        return np.array(image.convert("RGB"))
    raise ImageReadError(
        "its pixels have no fixed range or a colour space that is not read. Save it as RGB or "
        f"grey of 8 or 16 bits. Received: Pillow mode {image.mode!r}"
    )


def _grey16_to_rgb(values, transparent):
    if values.min() < 0 or values.max() > 65535:
        raise ImageReadError(
            "its pixels do not fit 16 bits. Save it with 8 or 16 bits. "
            f"Received: values from {values.min()} to {values.max()}"
        )
    grey = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if transparent is not None:
        grey[values == transparent] = 255
    return np.repeat(grey[..., None], 3, axis=-1)


def center_square(image):
    """The largest centred square of `image` `(height, width, channels)`."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def crop_box(image, box):
    """The part `box` = (left, upper, right, lower) of `image` `(height, width, channels)`.

    Raises:
        ValueError: the box is empty or reaches beyond the picture.
    """
    height, width = image.shape[:2]
    left, upper, right, lower = box
    if not (0 <= left < right <= width and 0 <= upper < lower <= height):
        raise ValueError(
            f"The crop box must lie within the picture of {width} x {height} pixels. "
            f"Choose another crop, or None for the whole picture. Received: {tuple(box)}"
        )
    return image[upper:lower, left:right]


def resize_image(image, size):
    """`image`, uint8 `(height, width, 3)`, resized to uint8 `(size, size, 3)`.

    Bicubic, widened when shrinking so that fine patterns average out
    (anti-aliased); the aspect is not kept.
    """
    resized = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
    return np.array(resized)


def prepare_image(image, size, crop=None):
    """`image`, uint8 `(height, width, 3)`, cropped, then resized to uint8 `(size, size, 3)`.

    `crop` is None for the whole picture, `"center"` for its centred square, or a
    box (left, upper, right, lower).
    """
    if crop is not None:
        image = center_square(image) if crop == "center" else crop_box(image, crop)
    return resize_image(image, size)


def check_preparation(size, crop):
    """Raises ValueError for arguments that `prepare_image` cannot take."""
    if not isinstance(size, numbers.Integral) or size < 1:
        raise ValueError(f"The image size must be a positive integer. Received: {size!r}")
    if isinstance(crop, (tuple, list)):
        valid = len(crop) == 4 and all(isinstance(x, numbers.Integral) for x in crop)
    else:
        valid = crop is None or crop == "center"
    if not valid:
        raise ValueError(
            "`crop` must be None, 'center' or four integers (left, upper, right, lower). "
            f"Received: {crop!r}"
        )


def write_png(path, array):
    """Writes uint8 `(height, width, 3)` or `(height, width)` as a PNG file.

    The file appears whole or not at all.

    Raises:
        ValueError: `array` is none of the two.
        OSError: the file cannot be written; see `mbu_tf.files.replacing`.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.ndim == 3 == array.shape[-1]):
        raise ValueError(
            "A PNG is written from uint8 (height, width, 3) or (height, width). "
            f"Received: {array.dtype} {array.shape}"
        )
    with replacing(path) as beside:
        Image.fromarray(array).save(beside, "PNG")
