"""One image file's bytes as a `Photo`."""

import math
import re
import warnings

import numpy as np
from PIL import Image

from mbu_tf.data.colour import colour_space
from mbu_tf.data.formats import HEIF_MEND, is_heif, readable_formats
from mbu_tf.data.photo import Photo

MAX_PIXELS = 100_000_000
BOMB = f"it has over {MAX_PIXELS // 10**6} megapixels. Shrink it."

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
_PILLOW_FILTER = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


class ImageReadError(ValueError):
    """An image cannot be read. The message names it, the reason and the mend."""


def decode(file):
    """The `Photo` in a file, see `mbu_tf.data.images.read_photo`.

    Args:
        file: opened in binary mode, at its beginning.

    Raises:
        ImageReadError: the file is empty, or of what is not read; its message says why,
            and does not name the file.
        Exception: what Pillow raises.
    """
    head = file.read(12)
    if not head:
        raise ImageReadError("it is empty. Copy it again, or remove it.")
    if is_heif(head) and "HEIF" not in readable_formats():
        raise ImageReadError(f"it is a HEIC photo. {HEIF_MEND}; or convert it.")
    # Pillow warns of large pictures and broken metadata; what matters of it is
    # checked here. A filter for Pillow's modules alone stays set, because
    # `catch_warnings` is not safe in the threads that read images.
    if warnings.filters[:1] != [_PILLOW_FILTER]:
        warnings.filterwarnings("ignore", module=r"PIL\.")
    image = Image.open(file, formats=readable_formats())
    if image.width * image.height > MAX_PIXELS:
        raise ImageReadError(f"{BOMB} Received: {image.width} x {image.height} pixels")
    image.load()  # Before the EXIF data are read: loading a TIFF applies them.
    channels, profile = _in_profile(image, _channels(image))
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # Broken metadata do not make the picture unreadable.
        orientation = None
    dpi = _density(image)
    if orientation in _ORIENTATIONS:
        channels = np.array(Image.fromarray(channels).transpose(_ORIENTATIONS[orientation]))
        dpi = dpi and (dpi[::-1] if orientation > 4 else dpi)
    if channels.shape[-1] == 3:
        return Photo(channels, profile, dpi=dpi)
    return Photo(channels[..., :3].copy(), profile, channels[..., 3].copy(), dpi)


def _channels(image):
    """uint8 `(height, width, 3)`, or with the alpha channel as a fourth."""
    transparent = image.info.get("transparency")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _grey16(np.asarray(image), transparent)
    if image.mode in _ALPHA_MODES or (image.mode in _PLAIN_MODES and transparent is not None):
        return np.array(image.convert("RGBA"))
    if image.mode in _PLAIN_MODES:
        return np.array(image.convert("RGB"))
    raise ImageReadError(
        "its pixels have no fixed range or a colour space that is not read. Save it as RGB or "
        f"grey of 8 or 16 bits. Received: Pillow mode {image.mode!r}"
    )


def _grey16(values, transparent):
    if values.min() < 0 or values.max() > 65535:
        raise ImageReadError(
            "its pixels do not fit 16 bits. Save it with 8 or 16 bits. "
            f"Received: values from {values.min()} to {values.max()}"
        )
    grey = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    alpha = [] if transparent is None else [np.uint8(255) * (values != transparent)]
    return np.stack([grey, grey, grey, *alpha], axis=-1)


def _in_profile(image, channels):
    """`channels`, and the profile that they are of; `None` of sRGB, which others become."""
    profile = image.info.get("icc_profile")
    space = colour_space(profile)
    if space is None or not _fits(space, image):  # None, or there by mistake.
        return channels, None
    if space.returns:
        return channels, profile
    if space.mode == "CMYK":
        colour = np.asarray(image)
    else:
        colour = channels[..., 0] if space.mode == "L" else channels[..., :3]
    return np.concatenate([space.to_srgb(colour), channels[..., 3:]], axis=-1), None


def _fits(space, image):
    """Whether a profile of such a space may speak of such a picture."""
    if space.mode == "L":
        return image.mode[0] in "1LI"
    return (space.mode == "CMYK") == (image.mode == "CMYK")


def _density(image):
    """Pixels per inch `(x, y)` as the file says, or `None`."""
    try:
        x, y = map(float, image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < math.inf and 0 < y < math.inf else None
