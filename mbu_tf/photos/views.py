"""Squares of a photo: what a model is shown of it, and how what it paints is laid on."""

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import resize_image
from mbu_tf.faces import choose_faces, find_faces
from mbu_tf.faces.detection import check_photo

# Soft masks fade out slowly; what is fainter than this is left untouched.
MASK_FLOOR = 0.05


class EditedPhoto(NamedTuple):
    """An edited photo and the mask that says where it was edited.

    Attributes:
        image: uint8 `(height, width, 3)`, the photo's own size; where `mask` is
            0, the photo's own pixels.
        mask: float32 `(height, width)` in [0, 1].
    """

    image: np.ndarray
    mask: np.ndarray


def unedited(photo):
    """`photo` as an `EditedPhoto` with nothing done yet; its pixels are copied."""
    return EditedPhoto(np.array(photo), np.zeros(np.shape(photo)[:2], np.float32))


def views(photo, framing, face="largest"):
    """The squares of a photo that a model looks at, as `View`s.

    Args:
        photo: uint8 `(height, width, 3)`; a `View` is its own.
        framing: `Framing`. The centre is one square; of faces there is one each.
        face: of a face framing, which faces: what `choose_faces` takes, or the faces
            themselves, a list of `Face`s or of eyes ((x, y), (x, y)) in pixels of the photo.

    Raises:
        NoFaceError: if no face is found.
        ValueError: if `photo` is no photo, or there are fewer faces than asked for.
    """
    if isinstance(photo, View):
        return [photo]
    check_photo(photo)
    photo = np.asarray(photo)
    if framing.kind == "centre":
        if face != "largest":
            raise ValueError(
                "This model looks at the centre square and knows no faces; leave out the face, or "
                f"frame faces (`framing='face'`). Received: face={face!r}"
            )
        return [View(photo, framing.placement(*photo.shape[:2]))]
    faces = face if isinstance(face, (list, tuple)) else choose_faces(find_faces(photo), face)
    eyes = [getattr(each, "eyes", each) for each in faces]
    return [View(photo, framing.placement(*photo.shape[:2], each)) for each in eyes]


class View:
    """One square of a photo.

    Args:
        photo: uint8 `(height, width, 3)`.
        placement: `Placement` of the square in it.
    """

    def __init__(self, photo, placement):
        self.placement = placement
        self._height, self._width = photo.shape[:2]
        upright = functools.cache(lambda: placement.upright(photo))
        self._at = functools.cache(lambda size: to_model_range(resize_image(upright(), size))[None])

    def at(self, size):
        """The square as a model takes it: float32 `(1, size, size, 3)` in [-1, 1]."""
        return self._at(size)

    def enlarged(self, channel):
        """A channel of the square, float32 `(size, size)`, as it lies in the photo.

        Returns:
            `(rows, columns, values)`, see `Placement.back`.
        """
        pixels = self.placement.pixels
        picture = Image.fromarray(np.asarray(channel, np.float32))
        resized = np.asarray(picture.resize((pixels, pixels), Image.Resampling.BILINEAR))
        return self.placement.back(resized, self._height, self._width)

    def lay(self, edited, layer, mask_floor=MASK_FLOOR):
        """A layer of this square laid on an edited photo, in place; a mask of 0 and 1 stays so.

        Paint is enlarged times its mask and divided by the enlarged mask, so that
        what the model paints outside the mask, which nothing has trained, does not
        bleed into its edge.

        Args:
            edited: `EditedPhoto` of the photo.
            layer: `Edit` of one image, of any size.
            mask_floor: smaller mask values count as 0.
        """
        paint, mask = (layer.image[0] + 1.0) * 127.5, layer.mask[0, ..., 0]
        rows, columns, share = self.enlarged(mask)
        # Shrunk, a mask of 1 may come out as the next number above it.
        opacity = np.where(share >= mask_floor, np.minimum(share, 1), np.float32(0))
        if np.isin(mask, (0, 1)).all():
            opacity = np.ceil(opacity)
        inside = opacity > 0
        opaque = opacity[inside]
        image, whole = edited.image[rows, columns], edited.mask[rows, columns]
        for c in range(3):  # One by one, for photos of many megapixels.
            _, _, painted = self.enlarged(paint[..., c] * mask)
            colour = painted[inside] / share[inside]
            blended = opaque * colour + (1.0 - opaque) * image[inside, c]
            image[inside, c] = np.clip(np.rint(blended), 0, 255)
        np.maximum(whole, opacity, out=whole)
