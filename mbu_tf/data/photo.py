"""A photo and what belongs to it beside its pixels."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from mbu_tf.data.colour import colour_space
from mbu_tf.types import Pixels


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
    """A photo as its file has it.

    Attributes:
        pixels: uint8 `(height, width, 3)`, in the colours of `profile`.
        profile: bytes of its ICC profile, which has a way back from sRGB; `None` is sRGB.
        alpha: uint8 `(height, width)`, 0 transparent, 255 opaque; `None` if all is opaque.
        dpi: pixels per inch `(x, y)`, or `None`.
    """

    pixels: np.ndarray
    profile: bytes | None = None
    alpha: np.ndarray | None = None
    dpi: tuple | None = None

    @functools.cached_property
    def image(self) -> Pixels:
        """The photo as it is seen on white, in sRGB: uint8 `(height, width, 3)`.

        What models look at and edit; `edited` takes it back to the photo.
        """
        space, shown = colour_space(self.profile), self._on_white()
        return shown if space is None else space.to_srgb(shown)

    def _on_white(self):
        if self.alpha is None:
            return self.pixels
        alpha = self.alpha[..., None].astype(np.uint16)
        return ((self.pixels * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)

    def edited(self, image: Pixels, mask: np.ndarray) -> Photo:
        """The photo with an edit of `image`; an `EditedPhoto` may be unpacked into it.

        Where `mask` is 0 the pixels are the photo's own, bit for bit. What the edit
        paints is laid on them with the mask for opacity, in the photo's own colours,
        and stays as transparent as the photo is there.

        Args:
            image: uint8 `(height, width, 3)`, `self.image` with the edit.
            mask: `(height, width)` in [0, 1], where it was edited.
        """
        if self.profile is None and self.alpha is None:
            return dataclasses.replace(self, pixels=image)
        inside = mask > 0
        own, rest = self.pixels[inside], 1 - np.float32(mask[inside])[:, None]
        # What sRGB and white paper have not shown of the pixels, where they shine through.
        unseen = rest * (own - self._own_colours(self.image[inside]))
        painted = self._own_colours(image[inside]) + unseen
        pixels = self.pixels.copy()
        pixels[inside] = np.clip(np.rint(painted), 0, 255)
        return dataclasses.replace(self, pixels=pixels)

    def _own_colours(self, pixels):
        """sRGB colours `(count, 3)` in the photo's space, as float32."""
        space = colour_space(self.profile)
        return np.float32(pixels if space is None else space.from_srgb(pixels[None])[0])
