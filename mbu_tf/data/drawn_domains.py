"""Faces with drawn glasses as image domains, with the exact truth that drawing gives."""

import dataclasses
import functools
import hashlib
import math
import os

import numpy as np

from mbu_tf.data.domains import ImageArray, TwoDomains, digest
from mbu_tf.data.drawn_glasses import draw_glasses
from mbu_tf.data.face_images import find_face_images
from mbu_tf.data.folders import MEMORY_LIMIT, SPLITS, image_paths
from mbu_tf.data.glasses_styles import random_glasses
from mbu_tf.data.image_files import load_images
from mbu_tf.data.images import check_preparation, prepare_image
from mbu_tf.faces import Framing

# Of ten faces of a folder, how many are of the test and of the validation split.
TEST, VALIDATION = 1, 1


@dataclasses.dataclass(frozen=True)
class AlignedFaces:
    """Faces without glasses, framed alike, in memory.

    Attributes:
        images: uint8 `(count, size, size, 3)`.
        framing: `Framing` of kind `"face"`, which says where their eyes are.
        yaws: `(count,)`, where their noses' tips lie, see `draw_glasses`.
        softness: `(count,)`, the standard deviation of their own blur, in pixels.
    """

    images: np.ndarray
    framing: Framing
    yaws: np.ndarray
    softness: np.ndarray

    @classmethod
    def load(cls, sources, size, framing, yaws=None):
        """The faces of a sequence of `FaceImage`s, all of which must be readable.

        Raises:
            ValueError: if one is not.
        """

        def fail(message):
            raise ValueError(message)

        prepare = functools.partial(prepare_image, size=size)
        images = load_images(sources, prepare, report=fail)
        sides = np.array([source.placement.side for source in sources])
        yaws = np.zeros(len(images)) if yaws is None else np.asarray(yaws, np.float64)
        # Scaling down blurs a little, enlarging shows the photo's own blur.
        return cls(images, framing, yaws, np.hypot(0.4, 0.45 * size / sides))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, indices):
        """Some of the faces, as an array of integers says."""
        return AlignedFaces(
            self.images[indices], self.framing, self.yaws[indices], self.softness[indices]
        )

    def draw(self, index, style):
        """`(picture, mask)` of one face with the glasses of a seed, see `draw_glasses`."""
        eyes = np.array(self.framing.eyes) * self.images.shape[1]
        yaw, softness = float(self.yaws[index]), float(self.softness[index])
        return draw_glasses(self.images[index], random_glasses(style), eyes, yaw, softness)


class DrawnGlasses:
    """Faces with glasses, drawn whenever they are taken.

    Picture i is face i, counted round, with the glasses of `styles[i]`, and depends on
    these alone.

    Args:
        faces: `AlignedFaces`.
        styles: sequence of seeds for `random_glasses`, one for each picture.
        masks: whether the pictures' masks are taken in their place.
    """

    def __init__(self, faces, styles, masks=False):
        self._faces, self._styles, self._masks = faces, styles, masks

    def __len__(self):
        return len(self._styles)

    def stamp(self):
        """Bytes that are others when any image is, see `ImageArray`."""
        return digest(self._faces.images) + repr(list(self._styles)).encode()

    def take(self, indices):
        """uint8 `(len(indices), size, size, 3)`, of masks one channel."""
        numbers = [range(len(self))[i] for i in indices]
        drawn = [self._faces.draw(i % len(self._faces), self._styles[i]) for i in numbers]
        return np.stack([each[self._masks] for each in drawn])


class Kept:
    """Images of a collection, each kept in memory from when it is first taken.

    Args:
        images: image collection.
        shape: of each image, `(size, size, channels)`.
    """

    def __init__(self, images, shape):
        self._images = images
        # Memory that is not written to is not used.
        self._kept = np.empty((len(images), *shape), np.uint8)
        self._there = np.zeros(len(images), bool)

    def __len__(self):
        return len(self._images)

    def take(self, indices):
        """uint8 `(len(indices), *shape)`."""
        indices = np.arange(len(self))[np.asarray(indices)]
        new = np.unique(indices[~self._there[indices]])
        if len(new):
            self._kept[new] = self._images.take(new)
            self._there[new] = True
        return self._kept[indices]

    def stamp(self):
        """Bytes that are others when any image is, see `ImageArray`."""
        return self._images.stamp()


class Mixture:
    """Two collections as one, the first repeated until it makes up a share of the whole.

    Args:
        first, second: image collections.
        share: of the first one's images, in [0, 1).
    """

    def __init__(self, first, second, share):
        self._first, self._second = first, second
        self._repeated = round(len(second) * share / (1 - share))

    def __len__(self):
        return self._repeated + len(self._second)

    def stamp(self):
        """Bytes that are others when any image is, see `ImageArray`."""
        return self._first.stamp() + self._second.stamp()

    def take(self, indices):
        """uint8 `(len(indices), size, size, channels)`."""
        images = [
            self._first.take([i % len(self._first)])
            if i < self._repeated
            else self._second.take([i - self._repeated])
            for i in (range(len(self))[index] for index in indices)
        ]
        return np.concatenate(images)


def drawn_domains(bare, worn, variants=1, seed=0):
    """Domain A bare, domain B with drawn glasses, drawn when taken, and kept if all fit into 2 GiB.

    Args:
        bare, worn: `AlignedFaces` of A, and of B as they are before.
        variants: pairs of glasses that each face of B is seen with.
        seed: integer that decides which.

    Returns:
        `TwoDomains` without truth.
    """
    b = DrawnGlasses(worn, _styles(seed, len(worn) * variants))
    shape = bare.images.shape[1:]
    if len(b) * math.prod(shape) <= MEMORY_LIMIT:
        b = Kept(b, shape)
    return TwoDomains(ImageArray(bare.images), b, bare.images.shape[1], framing=bare.framing)


def drawn_truth(bare, worn, seed=0):
    """The same with one pair of glasses for each face, and all truth of `TwoDomains`.

    Face i of A and of B are one pair: the longer domain is cut to the shorter one.

    Returns:
        `TwoDomains` in memory; `b_variants` are the glasses' `kind`s.
    """
    numbers = np.arange(min(len(bare), len(worn)))
    bare, worn, styles = bare[numbers], worn[numbers], _styles(seed, len(numbers))

    def drawn(faces, styles, masks=False):
        return ImageArray(DrawnGlasses(faces, styles, masks).take(numbers))

    return TwoDomains(
        ImageArray(bare.images),
        drawn(worn, styles),
        bare.images.shape[1],
        b_mask=drawn(worn, styles, masks=True),
        b_without=ImageArray(worn.images),
        a_with=drawn(bare, styles),
        a_with_next=drawn(bare, [*styles[1:], styles[0]]),
        b_variants=[random_glasses(style).kind for style in styles],
        framing=bare.framing,
    )


def _styles(seed, count):
    return [(seed, i) for i in range(count)]


def load_drawn_glasses(path, split="train", image_size=128, framing="face", variants=16, seed=0):
    """Domains A and B, with drawn glasses, from photos of people without glasses.

    The photos are split by their names: a tenth is the test split, a tenth the
    validation split, and half of each is A. Of a person in several photos some may
    be in one part and some in another.

    Args:
        path: folder of photos, or list of them, see `image_paths`.
        split: "train", "validation" or "test"; the last two carry the exact truth.
        image_size: height and width of the images.
        framing: what `Framing.of` takes, of kind `"face"`.
        variants: pairs of glasses that each face of B is seen with in an epoch of
            "train".
        seed: integer that decides what is drawn.

    Raises:
        FileNotFoundError: there is no such folder or list.
        ValueError: an argument is out of range, or too few photos show a face.
    """
    framing = check_drawing(split, framing, variants)
    check_preparation(image_size, "center")
    faces = find_face_images(image_paths(path), framing)
    halves = [], []
    for i in range(len(faces)):
        name = os.path.basename(faces[i].source).encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:4], "big")
        tenth, half = number % 10, number // 10 % 2
        part = "test" if tenth < TEST else "validation" if tenth < TEST + VALIDATION else "train"
        if part == split:
            halves[half].append(faces[i])
    if not all(halves):
        raise ValueError(
            f"Too few photos show one face for the split {split!r} to have both domains: "
            f"{len(faces)}. Add photos. Received: {path}"
        )
    bare, worn = (AlignedFaces.load(half, image_size, framing) for half in halves)
    if split == "train":
        return drawn_domains(bare, worn, variants, seed)
    return drawn_truth(bare, worn, seed)


def check_drawing(split, framing, variants):
    """The `Framing` to draw in; raises ValueError for arguments that are out of range."""
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {tuple(SPLITS)}. Received: {split!r}")
    framing = Framing.of(framing)
    if framing.kind != "face":
        raise ValueError(
            f"Glasses are drawn where a face framing has the eyes. Received: framing={framing}"
        )
    if variants < 1:
        raise ValueError(f"`variants` must be at least 1. Received: {variants!r}")
    return framing
