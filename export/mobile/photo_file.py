"""Photo files as the example reads and writes them: upright, in sRGB, with their transparency.

Needs numpy and pillow. A phone's own decoder does the same, see README.md.
"""

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps

# A file's few bytes may declare any number of pixels; they are refused before they are decoded.
MAX_PIXELS = 100_000_000


class Photo(NamedTuple):
    """A photo.

    Attributes:
        colours: uint8 `(height, width, 3)`, sRGB.
        alpha: uint8 `(height, width)`, 255 opaque; None if all is.
    """

    colours: np.ndarray
    alpha: np.ndarray | None

    @property
    def shown(self):
        """As it is seen on white, what a model is shown: uint8 `(height, width, 3)`."""
        if self.alpha is None:
            return self.colours
        alpha = self.alpha[..., None].astype(np.uint16)
        return ((self.colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)

    def edited(self, image, mask):
        """The photo with an edit of `shown`, as transparent as it was.

        Args:
            image: uint8 `(height, width, 3)`, `shown` with the edit.
            mask: `(height, width)` in [0, 1], where it was edited: elsewhere the colours
                are the photo's own.
        """
        if self.alpha is None:
            return Photo(image, None)
        rest = 1 - np.float32(mask)[..., None]
        unseen = rest * (self.colours.astype(np.float32) - self.shown)
        colours = np.clip(np.rint(image + unseen), 0, 255).astype(np.uint8)
        return Photo(np.where(mask[..., None] > 0, colours, self.colours), self.alpha)


def read(path):
    """The `Photo` in a file: turned upright, 16 bits as 8, a colour profile's colours in sRGB.

    Raises:
        ValueError: of more than `MAX_PIXELS`, or of pixels without a fixed range.
        OSError: no image, or a damaged one.
    """
    too_large = f"{path} has over {MAX_PIXELS // 10**6} megapixels. Shrink it."
    try:
        with warnings.catch_warnings():  # Of fewer pixels than are read.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise ValueError(f"{too_large} Received: {error}") from error
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{too_large} Received: {image.width} x {image.height} pixels")
    image = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # Grey of 16 bits, which `convert` would cut off.
        values = np.asarray(image).astype(np.int64)
        image = Image.fromarray(((values.clip(0, 65535) + 128) // 257).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError(f"{path} has pixels without a fixed range. Save it with 8 or 16 bits.")
    transparent = image.has_transparency_data
    alpha = np.array(image.convert("RGBA").getchannel("A")) if transparent else None
    return Photo(np.array(in_srgb(image, profile)), alpha)


def in_srgb(image, profile):
    """A picture as RGB in sRGB, by its ICC profile's bytes, if it has one that fits."""
    plain = image if image.mode in ("L", "CMYK") else image.convert("RGB")
    if profile:
        try:
            return ImageCms.profileToProfile(
                plain,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                "RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError):  # A broken one, or another kind of picture's.
            pass
    return plain.convert("RGB")


def write(path, photo):
    """Write a `Photo`, or a mask uint8 `(height, width)`, as a PNG file."""
    if isinstance(photo, Photo):
        alpha = [] if photo.alpha is None else [photo.alpha]
        photo = np.dstack([photo.colours, *alpha])
    Image.fromarray(photo).save(path, "PNG")
