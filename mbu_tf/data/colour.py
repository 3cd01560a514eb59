"""Colours by ICC profiles, to sRGB and back."""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

# A space whose colours all come back within this, in 8 bits, is sRGB by another file.
TOLERANCE = 1
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


@functools.lru_cache(maxsize=32)
def colour_space(profile):
    """The `ColourSpace` of an ICC profile's bytes; `None` of none, or of one that is of no use."""
    if not profile:
        return None
    try:
        return ColourSpace(profile)
    except (ImageCms.PyCMSError, OSError, KeyError):  # Broken, or of Lab, say.
        return None


class ColourSpace:
    """What the numbers of an RGB, grey or CMYK picture mean.

    White is sRGB's white, and black its black (relative colorimetric, with black
    point compensation). Colours that sRGB has not are the nearest that it has.

    Args:
        profile: bytes of an ICC profile.

    Attributes:
        mode: Pillow's mode of such pictures, `"RGB"`, `"L"` or `"CMYK"`.
        is_srgb: whether it is sRGB itself.
        returns: whether there is a way back from sRGB.

    Raises:
        ImageCms.PyCMSError, OSError, KeyError: if `profile` is none of such a space.
    """

    def __init__(self, profile):
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        self.mode = _MODES[own.profile.xcolor_space.strip()]
        self._to = _transform(own, srgb, self.mode, "RGB")
        self._back = None
        if self.mode == "RGB":
            try:
                self._back = _transform(srgb, own, "RGB", "RGB")
            except ImageCms.PyCMSError:  # A scanner's, say.
                self._back = None
        cube = np.stack(np.meshgrid(*[np.arange(0, 256, 15, np.uint8)] * 3), -1).reshape(1, -1, 3)
        self.is_srgb = self.returns and (
            np.abs(_applied(self._to, cube).astype(int) - cube).max() <= TOLERANCE
        )

    @property
    def returns(self):
        return self._back is not None

    def to_srgb(self, pixels):
        """uint8 `(height, width, 3)`, or with 4 channels of CMYK, or none of grey, in sRGB."""
        return pixels if self.is_srgb else _applied(self._to, pixels, self.mode)

    def from_srgb(self, pixels):
        """uint8 `(height, width, 3)` in sRGB as the same colours in this space."""
        return pixels if self.is_srgb else _applied(self._back, pixels)


def _transform(source, target, mode, target_mode):
    return ImageCms.buildTransform(
        source,
        target,
        mode,
        target_mode,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _applied(transform, pixels, mode="RGB"):
    height, width = pixels.shape[:2]
    image = Image.frombytes(mode, (width, height), pixels.tobytes())
    return np.array(ImageCms.applyTransform(image, transform))
