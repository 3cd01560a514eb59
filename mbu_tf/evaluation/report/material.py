"""The images that everything is measured on: held-out pairs, and those to learn from."""

import functools
import pathlib
from typing import NamedTuple

import numpy as np

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import center_square, read_image, resize_image
from mbu_tf.data.search import images_by_stem
from mbu_tf.data.sources import load_held_out, load_source
from mbu_tf.evaluation.parts import array_digest
from mbu_tf.evaluation.report.listed_pictures import read_mask


class Outlined(NamedTuple):
    """Images of B and the true masks of their content.

    Attributes:
        images: float32 `(count, size, size, 3)` in [-1, 1].
        masks: boolean `(count, size, size, 1)`.
    """

    images: np.ndarray
    masks: np.ndarray


class Material:
    """Held-out images of a source, as many of A as of B, and what is known of them.

    Args:
        source: `avatars:…`, `folders:…` or `celeba:…`, see `load_source`.
        image_size: height and width of the images.
        split: `"test"`, `"validation"` or `"train"`; `None` is the test split, or
            the validation split where there is none.
        limit: at most so many images of each domain, the first ones.
        outlined: `None`, or folders `(images, masks)` of images of B and their
            masks, see `read_outlined`; in place of the source's own.
        **options: of the source, e.g. `crop`.

    Attributes:
        domains: the held-out `TwoDomains` with their truth.
        split: the split they are of.
        a, b: their images, float32 in [-1, 1], as many of each.
        outlined: `Outlined`, or `None` if no mask is known.
        key: what they are, for `Parts`.

    Raises:
        FileNotFoundError, ValueError: as `load_source` and `read_outlined`.
    """

    def __init__(self, source, image_size, split=None, limit=None, outlined=None, **options):
        self.source, self.image_size, self._options = source, image_size, options
        if split is None:
            self.split, domains = load_held_out(source, image_size, **options)
        else:
            self.split, domains = split, load_source(source, split, image_size, **options)
        count = min(len(domains.a), len(domains.b), limit or len(domains.b))
        self.domains = domains.first(count)
        self.a, self.b = self.domains.arrays()
        masks = self.domains.b_mask
        if outlined is not None:
            self.outlined = read_outlined(*outlined, image_size)
        elif masks is not None:
            self.outlined = Outlined(self.b, masks.take(np.arange(count)) > 0)
        else:
            self.outlined = None
        self.key = {
            "source": source,
            "split": self.split,
            "images": array_digest(self.a, self.b, *(self.outlined or ())),
        }

    def __len__(self):
        return len(self.a)

    @functools.cached_property
    def train(self):
        """The training split, which the classifier learns from.

        Raises:
            FileNotFoundError, ValueError: there is none.
        """
        return load_source(self.source, "train", self.image_size, **self._options)

    @property
    def train_key(self):
        """What the training split is, as far as can be told without reading it."""
        return {"source": self.source, "size": self.image_size, "options": repr(self._options)}


def read_outlined(images, masks, size):
    """Images of B with masks of the same names but for their endings.

    Args:
        images: folder of images; those without a mask are left out.
        masks: folder of masks, white where the content is.
        size: height and width that the centre square of both is resized to; a pixel
            belongs to the content where white covers half of it.

    Returns:
        `Outlined`.

    Raises:
        FileNotFoundError: a folder is missing.
        ValueError: no image has a mask, or one cannot be read.
    """
    masks_by_stem = images_by_stem(masks)
    pairs = [
        (path, masks_by_stem[stem])
        for stem, path in images_by_stem(images).items()
        if stem in masks_by_stem
    ]
    if not pairs:
        raise ValueError(
            "Masks are found by the names of their images, endings aside; none fits. "
            f"Received: images in {pathlib.Path(images)}, masks in {pathlib.Path(masks)}"
        )
    pictures = [resize_image(center_square(read_image(path)), size) for path, _ in pairs]
    found = [read_mask(path, size, center_square) >= 0.5 for _, path in pairs]
    return Outlined(to_model_range(np.stack(pictures)), np.stack(found))
