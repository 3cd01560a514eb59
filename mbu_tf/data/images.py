"""Image files as uint8 arrays: read, crop, resize, write, and whole lists of them."""

import errno
import io
import numbers
import os
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from mbu_tf.data.decoding import BOMB, ImageReadError, decode
from mbu_tf.data.formats import FORMATS
from mbu_tf.data.photo import Photo
from mbu_tf.system.files import replacing
from mbu_tf.system.reading import PATH_TOO_LONG, NoFileError, open_file
from mbu_tf.types import Array, FilePath, ImageFile, Pixels

# What a PNG file of ours says that it was made by.
SOFTWARE = "mbu_tf"

_PROBLEMS = {
    FileNotFoundError: "there is no such file. Mend the path.",
    IsADirectoryError: "it is a folder. Name an image file.",
    NoFileError: "it is a pipe or device. Name an image file.",
    PermissionError: "reading it is not permitted. Mend its permissions.",
    UnidentifiedImageError: (
        f"it is none of {', '.join(FORMATS)}, or damaged. Convert it, copy it again, or remove it."
    ),
    Image.DecompressionBombError: BOMB,
}


def read_image(source: ImageFile) -> Pixels:
    """One picture as it is seen on white, in sRGB: uint8 `(height, width, 3)`.

    `read_photo(source).image`; see there.
    """
    return read_photo(source).image


def read_photo(source: ImageFile) -> Photo:
    """One picture as its file has it, as a `Photo`.

    The `FORMATS` are read, of animations the first frame, HEIC where pillow-heif is
    installed. EXIF orientation is applied, and 16 bits become 8. Grey becomes RGB; what
    is grey or CMYK by an ICC profile becomes sRGB, and so does RGB by a profile that has
    no way back. Of the file's metadata, its profile and its density are kept.

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
            return decode(file)
    except MemoryError:
        raise
    except ImageReadError as error:
        problem = error
    except Exception as error:  # Pillow's decoders raise anything on broken files.
        damaged = f"it is damaged or cut off ({error}). Copy it again, or remove it."
        problem = _PROBLEMS.get(type(error), damaged)
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            problem = f"{PATH_TOO_LONG}."
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
    return io.BytesIO(source.read()) if hasattr(source, "read") else open_file(source)


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


def write_png(path: FilePath, picture: Array | Photo) -> None:
    """Writes uint8 `(height, width, 3)` or `(height, width)`, or a `Photo`, as a PNG file.

    A `Photo`'s profile, alpha channel and density are written with it. The file appears
    whole or not at all.

    Raises:
        ValueError: `picture` is none of these.
        OSError: the file cannot be written; see `mbu_tf.system.files.replacing`.
    """
    options = {}
    if isinstance(picture, Photo):
        options = {"icc_profile": picture.profile, "dpi": picture.dpi}
        array = picture.pixels
        if picture.alpha is not None:
            array = np.dstack([array, picture.alpha])
    else:
        array = np.asarray(picture)
    flat, channels = array.ndim == 2, array.shape[-1] if array.ndim == 3 else 0
    if array.dtype != np.uint8 or not (flat or channels == 3 or (channels == 4 and options)):
        raise ValueError(
            "A PNG is written from uint8 (height, width, 3) or (height, width). "
            f"Received: {array.dtype} {array.shape}"
        )
    save_png(path, Image.fromarray(array), **options)


def save_png(path, image, **options):
    """Writes Pillow's `image` as a PNG file, whole or not at all, which says what made it."""
    made = PngInfo()
    made.add_text("Software", SOFTWARE)
    with replacing(path) as beside:
        image.save(beside, "PNG", pnginfo=made, **options)


def is_made_here(path):
    """Whether `path` is a PNG file that `save_png` has written."""
    try:
        with _opened(path) as file, Image.open(file, formats=["PNG"]) as image:
            return image.info.get("Software") == SOFTWARE
    except (OSError, ValueError, SyntaxError):
        return False


def check_earlier_result(path, *kinds):
    """Raise `FileExistsError` if what is at `path` was not made here.

    Args:
        path: of a result to be written.
        kinds: what tells other results than PNG files, functions such as `is_made_here`.
    """
    if os.path.lexists(path) and not any(made_here(path) for made_here in (is_made_here, *kinds)):
        raise FileExistsError(
            f"{path} is there already, and is no result of mbu-tf. Choose another output."
        )
