"""The files of a CelebA folder, in the layouts in which people have it.

The official download; Kaggle's, whose lists are CSV files and whose photos lie one
folder deeper; PNG files in place of JPEG; and CelebAMask-HQ.
"""

import os
import pathlib
from typing import NamedTuple

import numpy as np

from mbu_tf.data.formats import image_endings
from mbu_tf.data.paths import PathList
from mbu_tf.data.search import contents
from mbu_tf.system.reading import read_text

ATTRIBUTES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
HQ_ATTRIBUTES = ("CelebAMask-HQ-attribute-anno.txt",)
PARTITIONS = ("list_eval_partition.txt", "list_eval_partition.csv")
IMAGES = ("img_align_celeba", "img_align_celeba_png")
HQ_IMAGES = ("CelebA-HQ-img",)
HQ_MAPPING = ("CelebA-HQ-to-CelebA-mapping.txt",)


class CelebAFiles(NamedTuple):
    """What a CelebA folder holds, image by image.

    Attributes:
        names: array of the names in the attribute file, `(images,)`.
        table: dictionary from attribute names to boolean arrays `(images,)`.
        partition: 0 train, 1 validation, 2 test, -1 not listed, `(images,)`.
        there: whether the image's file is there, `(images,)`.
        folder: where the photos lie.
        files: dictionary from names without endings to those of files in `folder`.
        hq: whether these are CelebAMask-HQ's photos, not the aligned ones.
    """

    names: np.ndarray
    table: dict
    partition: np.ndarray
    there: np.ndarray
    folder: pathlib.Path
    files: dict
    hq: bool

    def paths(self, positions):
        """Paths of the images at `positions`, whose files must be there."""
        return PathList(self.folder, (self.files[_stem(name)] for name in self.names[positions]))


def read_celeba_files(path):
    """The lists in a CelebA folder and the names of its photos, as `CelebAFiles`.

    Each file is looked for in the folder and in those one level down. An image is
    the same in all of them if its name without the ending is.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a list is malformed.
    """
    root = pathlib.Path(path).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"CelebA's folder must be an existing folder. Received: {path}")
    hq = _look(root, ATTRIBUTES) is None and _look(root, HQ_ATTRIBUTES) is not None
    names, table = read_attributes(_find(root, HQ_ATTRIBUTES if hq else ATTRIBUTES))
    folder, files = _photos(_find(root, HQ_IMAGES if hq else IMAGES))
    numbers = read_partition(_find(root, PARTITIONS))
    if hq:
        numbers = {
            _stem(name): numbers[_stem(original)]
            for name, original in _read_mapping(_find(root, HQ_MAPPING))
            if _stem(original) in numbers
        }
    stems = [_stem(name) for name in names]
    partition = np.array([numbers.get(stem, -1) for stem in stems])
    there = np.array([stem in files for stem in stems])
    return CelebAFiles(names, table, partition, there, folder, files, hq)


def _stem(name):
    return os.path.splitext(name)[0]


def _look(root, names):
    """The first of `names` in the folder itself, or in one of its folders, or `None`."""
    folders = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    places = (pathlib.Path(folder) / name for folder in (root, *folders) for name in names)
    return next((place for place in places if place.exists()), None)


def _find(root, names):
    found = _look(root, names)
    if found is None:
        raise FileNotFoundError(
            f"CelebA's {names[0]} is missing. Its folder, or those in it, must hold the photos "
            f"({'/, '.join(IMAGES)}/), {' or '.join(ATTRIBUTES)}, and {' or '.join(PARTITIONS)}, "
            f"all unpacked; or CelebAMask-HQ's {HQ_IMAGES[0]}/, {HQ_ATTRIBUTES[0]} and "
            f"{HQ_MAPPING[0]} beside CelebA's {PARTITIONS[0]}. "
            f"Received: {root} with {contents(root)}"
        )
    return found


def _photos(folder):
    """The folder that holds the photos, this one or one in it, and their names by their stems."""
    inner = sorted(pathlib.Path(entry.path) for entry in os.scandir(folder) if entry.is_dir())
    for place in (folder, *inner):
        names = [entry.name for entry in os.scandir(place)]
        photos = [name for name in names if name.lower().endswith(image_endings())]
        if photos:
            # Of two endings, the first of the alphabet.
            return place, {_stem(name): name for name in sorted(photos, reverse=True)}
    raise FileNotFoundError(
        f"CelebA's photos are missing: {folder} must hold them, unpacked. "
        f"Received: {folder} with {contents(folder)}"
    )


def _text(path):
    return read_text(path, "list of CelebA's", "Download it again.")


def read_attributes(path):
    """CelebA's attribute file.

    Args:
        path: text file that names the attributes in its first line, or in its second
            below a count of the images, and gives in every other one an image's file
            name and, for each attribute, 1 or -1; or a CSV file of the same, whose
            first column are the names.

    Returns:
        `(names, table)`: array of file names, and a dictionary from attribute names
        to boolean arrays, both `(images,)`.

    Raises:
        ValueError: the file is not of this form.
    """
    lines = _text(path).rstrip().split("\n")
    counted = lines[0].strip().isdecimal()
    header, rows = "".join(lines[counted : counted + 1]), lines[counted + 1 :]
    if "," in header:
        attributes = header.strip().split(",")[1:]
        rows = [row.replace(",", " ") for row in rows]
    else:
        attributes = header.split()
    parts = [row.strip().partition(" ") for row in rows]
    # One character per value and one per line end: numpy takes all lines at once,
    # which is several times faster than word by word.
    digits = "".join(values + "\n" for _, _, values in parts).replace("-1", "0").replace(" ", "")
    cells = np.frombuffer(digits.encode("ascii", "replace"), np.uint8)
    if cells.size == len(rows) * (len(attributes) + 1) > 0:
        values, ends = np.split(cells.reshape(len(rows), -1), [-1], axis=1)
        if np.isin(values, (ord("0"), ord("1"))).all() and (ends == ord("\n")).all():
            names = np.array([name for name, _, _ in parts], dtype=object)
            return names, dict(zip(attributes, values.T == ord("1"), strict=True))
    raise ValueError(_malformed(path, rows, len(attributes), first=counted + 2))


def _malformed(path, rows, count, first):
    wrong = (
        f"line {number}: {row[:60]!r}"
        for number, row in enumerate(rows, start=first)
        if len(row.split()) != count + 1 or {*row.split()[1:]} - {"1", "-1"}
    )
    return (
        f"{path} is no CelebA attribute file: after a count and the attributes' names, each line "
        "must give a file name and 1 or -1 for each attribute. Download it again. "
        f"Received {next(wrong, 'no attributes, or no images')}"
    )


def read_partition(path):
    """CelebA's partition: dictionary from names without endings to 0, 1 or 2.

    Args:
        path: text file of a name and a number in each line, or a CSV file of the same
            below a header.

    Raises:
        ValueError: the file is not of this form.
    """
    text = _text(path)
    header = text.partition("\n")[0] if "," in text else ""
    words = text.removeprefix(header).replace(",", " ").split()
    try:
        pairs = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    except ValueError:
        raise ValueError(
            f"{path} must give a file name and 0, 1 or 2 in each line. Download it again. "
            f"Received: {' '.join(words[:4])!r} and so on, {len(words)} words"
        ) from None
    return {_stem(name): number for name, number in pairs.items()}


def _read_mapping(path):
    """Which photo of CelebA each one of CelebAMask-HQ is: pairs of names.

    Its lines are an index, the original's index and the original's file, below a header.
    """
    rows = [line.split() for line in _text(path).splitlines()[1:]]
    wrong = next((row for row in rows if row and len(row) != 3), None)
    if wrong is not None:
        raise ValueError(
            f"{path} must give an index, the original's index and its file in each line. "
            f"Download it again. Received: {' '.join(wrong)[:60]!r}"
        )
    return [(row[0], row[2]) for row in rows if row]
