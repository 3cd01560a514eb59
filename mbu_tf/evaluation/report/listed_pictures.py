"""Pictures that another program made, listed with what they were made from."""

import functools
import pathlib

import numpy as np
from PIL import Image

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import read_image, resize_image
from mbu_tf.evaluation.parts import array_digest
from mbu_tf.evaluation.report.made import Made
from mbu_tf.faces import CENTRE
from mbu_tf.system.reading import read_rows

PAIRS = "pairs.csv"


class PictureSystem:
    """Pictures that another program made, listed with what they were made from.

    Args:
        name: what the report calls it.
        folder: holds `pairs.csv`, whose lines give the file of a result, of its
            target, of its reference and, if there is one, of its mask: names
            relative to the folder, or absolute. A line without a reference is a
            removal: its target is an image of B.
        image_size: height and width that all are resized to, whole.

    Raises:
        FileNotFoundError: the list, or a file that it names, is missing.
        ValueError: a line of the list is of another form, or an image cannot be read.
    """

    method = "pictures"
    editor = two_way = translator = None
    framing = CENTRE

    def __init__(self, name, folder, image_size):
        self.name, self.image_size = name, image_size
        self._made = {}
        for way, rows in read_pairs(folder).items():
            columns = [None if row[0] is None else row for row in zip(*rows, strict=True)]
            result, source, reference = (
                None if paths is None else _load_all(paths, image_size) for paths in columns[:3]
            )
            mask = None if None in columns[3:] else _load_masks(columns[3], image_size)
            self._made[way] = Made(source, reference, result, mask)
        arrays = [array for made in self._made.values() for array in made]
        self.key = {"pictures": array_digest(*arrays)}

    def make(self, a, b):
        """The pictures by their way, whatever the images of the data are."""
        return self._made


def read_pairs(folder):
    """The list `pairs.csv` of a folder.

    Returns:
        For each way, `"transfer"` and `"removal"`, if there is one: tuples of
        paths of result, target, reference and mask, `None` for what a way
        lacks. A mask is kept only if every line of the way gives one.

    Raises:
        FileNotFoundError: there is no list.
        ValueError: a line is of another form, or there is none.
    """
    folder = pathlib.Path(folder)
    path = folder / PAIRS
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} must hold {PAIRS}, whose lines are: result,target,reference (and, if there "
            "is one, the mask), file names relative to the folder."
        )
    found = {}
    for number, line in read_rows(path, "list of pictures", "Write it again."):
        names = [name.strip() for name in line]
        if names[:2] == ["result", "target"] or not any(names):
            continue
        if not 2 <= len(names) <= 4 or not all(names[:2]):
            raise ValueError(
                f"Line {number} of {path} must be: result,target,reference or "
                f"result,target,reference,mask. Received: {','.join(line)[:200]}"
            )
        names += [""] * (4 - len(names))
        row = [folder / name if name else None for name in names]
        found.setdefault("transfer" if row[2] else "removal", []).append(row)
    if not found:
        raise ValueError(f"{path} lists no picture.")
    for rows in found.values():
        if any(row[3] is None for row in rows):
            rows[:] = [[*row[:3], None] for row in rows]
    return found


def _load_all(paths, size):
    load = functools.lru_cache(maxsize=256)(lambda path: resize_image(read_image(path), size))
    return to_model_range(np.stack([load(path) for path in paths]))


def _load_masks(paths, size):
    return np.stack([read_mask(path, size) for path in paths])


def read_mask(path, size, crop=lambda picture: picture):
    """A mask file, white where the content is, as float32 `(size, size, 1)` in [0, 1].

    Args:
        path: any image; its channels are averaged.
        size: height and width that it is resized to, by averaging.
        crop: function of the `(height, width, 3)` picture before resizing.
    """
    grey = crop(read_image(path)).mean(axis=-1).astype(np.float32)
    resized = Image.fromarray(grey).resize((size, size), Image.Resampling.BOX)
    return np.asarray(resized)[..., None] / np.float32(255)
