"""Collections of faces with drawn glasses, and the two domains with exact truth made of them."""

import dataclasses

import numpy as np

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.drawn_glasses import draw_glasses
from mbu_tf.data.glasses_styles import random_glasses
from mbu_tf.faces.framing import Framing


@dataclasses.dataclass(frozen=True)
class AlignedFaces:
    """Faces without glasses, framed alike.

    Attributes:
        images: uint8 `(count, size, size, 3)`.
        framing: `Framing` of kind `"face"`, which says where their eyes are.
        yaws: of each where its nose's tip lies, see `draw_glasses`.
        softness: of each the standard deviation of its blur, in pixels.
    """

    images: np.ndarray
    framing: Framing
    yaws: np.ndarray
    softness: np.ndarray

    def __len__(self):
        return len(self.images)

    def __getitem__(self, indices):
        """Some of the faces."""
        return AlignedFaces(
            self.images[indices], self.framing, self.yaws[indices], self.softness[indices]
        )

    def draw(self, index, style):
        """`(picture, mask)` of a face with the glasses that a seed gives."""
        eyes = np.array(self.framing.eyes) * self.images.shape[1]
        return draw_glasses(
            self.images[index],
            random_glasses(style),
            eyes,
            float(self.yaws[index]),
            float(self.softness[index]),
        )


class DrawnGlasses:
    """Faces with glasses, drawn whenever they are taken.

    Picture i is face i, counted round, with the glasses of the seed `styles[i]`: of
    as many pairs as there are styles. What is drawn depends on these alone.

    Args:
        faces: `AlignedFaces`.
        styles: sequence of seeds for `random_glasses`, one for each picture.
        masks: whether the pictures' masks are taken in their place.
    """

    def __init__(self, faces, styles, masks=False):
        self._faces, self._styles, self._masks = faces, styles, masks

    def __len__(self):
        return len(self._styles)

    def take(self, indices):
        """uint8 `(len(indices), size, size, 3)`, of masks one channel."""
        return np.stack(
            [
                self._faces.draw(i % len(self._faces), self._styles[i])[self._masks]
                for i in np.asarray(indices).tolist()
            ]
        )


class Mixture:
    """Two collections as one, of which the first is repeated to make up a share of it.

    Args:
        first, second: image collections; the second is the larger one.
        share: of the first one's images in the whole, at least.
    """

    def __init__(self, first, second, share):
        self._first, self._second = first, second
        self._repeated = int(np.ceil(len(second) * share / (1 - share)))

    def __len__(self):
        return self._repeated + len(self._second)

    def take(self, indices):
        """uint8 `(len(indices), size, size, channels)`."""
        indices = np.asarray(indices)
        is_first = indices < self._repeated
        images = [None] * len(indices)
        for positions, collection, numbers in (
            (np.flatnonzero(is_first), self._first, indices[is_first] % len(self._first)),
            (np.flatnonzero(~is_first), self._second, indices[~is_first] - self._repeated),
        ):
            if len(positions):
                for position, image in zip(positions, collection.take(numbers), strict=True):
                    images[position] = image
        return np.stack(images)


def drawn_domains(bare, worn, variants, seed=0, truth=False):
    """Domain A bare, domain B with drawn glasses.

    Args:
        bare, worn: `AlignedFaces` of A, and of B before they get their glasses.
        variants: pairs of glasses that each face of B is seen with.
        seed: integer that decides which.
        truth: whether the domains carry their truth, see `TwoDomains`: all then are
            drawn at once and kept in memory.

    Returns:
        `TwoDomains`.
    """
    styles = [(seed, i) for i in range(len(worn) * variants)]
    drawn = DrawnGlasses(worn, styles)
    domains = TwoDomains(ImageArray(bare.images), drawn, bare.images.shape[1], framing=bare.framing)
    if not truth:
        return domains
    count = min(len(bare), len(drawn))
    own, following = styles[:count], [*styles[1:count], styles[0]]
    faces = bare[np.arange(count)]
    numbers = np.arange(count)
    without = ImageArray(worn.images[numbers % len(worn)])
    kept = {
        "b": drawn,
        "b_mask": DrawnGlasses(worn, styles, masks=True),
        "a_with": DrawnGlasses(faces, own),
        "a_with_next": DrawnGlasses(faces, following),
    }
    kept = {name: ImageArray(images.take(numbers)) for name, images in kept.items()}
    variants = [random_glasses(style).shape for style in own]
    return dataclasses.replace(
        domains, a=ImageArray(faces.images), b_without=without, b_variants=variants, **kept
    )
