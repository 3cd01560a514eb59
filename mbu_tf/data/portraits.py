"""Portraits with positions and labels in a table: with real glasses, drawn ones, or both."""

import hashlib
import pathlib

import numpy as np

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.drawn_domains import (
    AlignedFaces,
    Mixture,
    check_drawing,
    drawn_domains,
    drawn_truth,
)
from mbu_tf.data.images import FaceImage, check_preparation
from mbu_tf.system.reading import number, positive_int, read_table

TASKS = ("glasses", "drawn_glasses", "mixed_glasses")
# What the table calls the splits. The set validates on the people it tests on.
SPLITS = {
    "train": ("train", "small_train"),
    "validation": ("heldout",),
    "test": ("heldout",),
}
# Sources whose people are all without glasses, and all before plain backdrops.
PLAIN = ("london", "canada")
# What is read of the table, and what each cell must be.
COLUMNS = {
    **dict.fromkeys(("file", "split", "source", "licence_grade", "person"), None),
    **dict.fromkeys(("width", "height"), positive_int),
    **dict.fromkeys((f"{side}_eye_{axis}" for side in ("left", "right") for axis in "xy"), number),
    "yaw": number,
    "grey": None,
    "cutout": lambda cell: number(cell or 0),
    "eyeglasses": None,
}
# The share of the square outside a round avatar that a photo may have.
CUT_OUT = 0.02


def load_portraits(
    path,
    task="glasses",
    split="train",
    image_size=128,
    grades="A",
    small=True,
    framing="face",
    variants=16,
    real_share=0.5,
    seed=0,
    where=None,
):
    """Domain A, faces without glasses, and domain B, faces with them.

    `path` holds the photos and `labels.csv`, a line for each photo, whose columns
    `file, split, source, licence_grade, person, width, height, left_eye_x,
    left_eye_y, right_eye_x, right_eye_y, yaw, grey, cutout, eyeglasses` are read.
    Grey photos and round avatars are left out.

    Tasks:

    - `"glasses"`: B are photos of people with glasses. The sources of `PLAIN` are
      left out: their backdrops alone would tell A from B.
    - `"drawn_glasses"`: A and B are photos of different people without glasses, of
      every source the half, and B gets glasses. "validation" and "test" carry the
      exact truth, see `TwoDomains`.
    - `"mixed_glasses"`, to train on: A are all photos without glasses; B are those
      with glasses, a share `real_share` of it, and for the rest the faces of A
      with drawn ones. No pair of pictures of a face is ever given as one. The faces
      of `PLAIN` are drawn so much more often that backdrops are as common in B as
      in A. The other splits are those of `"glasses"`.

    Args:
        path: folder.
        task: one of `TASKS`.
        split: "train", "validation" or "test"; the last two are the same people, none
            of whom is in the first.
        image_size: height and width of the images.
        grades: the licence grades to take, such as "A" or "AB".
        small: whether the smaller photos, of `small_train`, are trained on as well.
        framing: what `Framing.of` takes, of kind `"face"`.
        variants: pairs of glasses that each face is seen with in an epoch of "train".
        real_share: of the images of a mixed B, in [0, 1).
        seed: integer that decides what is drawn.
        where: function of a line of the table, a dict of strings by column, to whether
            its photo is taken; `None` takes all.

    Returns:
        `TwoDomains`.

    Raises:
        FileNotFoundError: the folder or its table is missing.
        ValueError: an argument is out of range, no photo is left, or one cannot be read.
    """
    check_task(task)
    framing = check_drawing(split, framing, variants)
    check_preparation(image_size, "center")
    if not 0 <= real_share < 1:
        raise ValueError(f"`real_share` must be in [0, 1). Received: {real_share!r}")
    root = pathlib.Path(path).expanduser()
    rows = [row for row in _read_table(root) if _is_taken(row, SPLITS[split], grades, small)]
    rows = [row for row in rows if where is None or where(row)]
    # By neither source nor name: the first few are then like all others.
    rows.sort(key=lambda row: _digest(row["file"]))
    without = [row for row in rows if row["eyeglasses"] == "0"]
    with_glasses = [row for row in rows if row["eyeglasses"] != "0"]

    def load(rows):
        return _load_faces(root, rows, image_size, framing)

    if task == "drawn_glasses":
        bare, worn = map(load, _halves(without))
        if split == "train":
            return drawn_domains(bare, worn, variants, seed)
        return drawn_truth(bare, worn, seed)
    if task == "mixed_glasses" and split == "train":
        bare, plain = load(without), [row["source"] in PLAIN for row in without]
        # To make up for the real ones, among which there are none.
        more = round(1 / (1 - real_share)) - 1
        drawn = bare[np.concatenate([np.arange(len(bare)), *[np.flatnonzero(plain)] * more])]
        b = drawn_domains(bare, drawn, variants, seed).b
        if real_share:
            b = Mixture(ImageArray(load(with_glasses).images), b, real_share)
    else:
        bare = load([row for row in without if row["source"] not in PLAIN])
        b = ImageArray(load(with_glasses).images)
    return TwoDomains(ImageArray(bare.images), b, image_size, framing=framing)


def check_task(task):
    """Raises ValueError for a task that portraits do not have."""
    if task not in TASKS:
        raise ValueError(f"The tasks of portraits are {', '.join(TASKS)}. Received: task={task!r}")


def _read_table(root):
    table = root / "labels.csv"
    if not table.is_file():
        raise FileNotFoundError(
            f"Portraits are a folder with the photos and their labels.csv. Received: {root}"
        )
    return read_table(table, COLUMNS, "table of portraits", "Mend that line, or copy it again.")


def _is_taken(row, splits, grades, small):
    return (
        row["split"] in splits
        and (small or row["split"] != "small_train")
        and row["licence_grade"] in grades
        and row["grey"] == "0"
        and float(row["cutout"] or 0) <= CUT_OUT
    )


def _digest(text):
    return hashlib.sha256(text.encode()).digest()


def _halves(rows):
    """The photos in two halves, no person in both, of every source the half of its people."""
    people = {(row["source"], _digest(row["person"]), row["person"]) for row in rows}
    half = {person: i % 2 for i, (_, _, person) in enumerate(sorted(people))}
    return [[row for row in rows if half[row["person"]] == i] for i in range(2)]


def _load_faces(root, rows, size, framing):
    """The photos of some rows as `AlignedFaces`."""
    if not rows:
        raise ValueError(
            "No portrait is left for a domain. Take other grades, or mend the table. "
            f"Received: {root / 'labels.csv'}"
        )
    sources = []
    for row in rows:
        # In the table the centre of the first pixel is at 0.
        eyes = [
            tuple(float(row[f"{side}_eye_{axis}"]) + 0.5 for axis in "xy")
            for side in ("left", "right")
        ]
        placement = framing.placement(int(row["height"]), int(row["width"]), eyes)
        sources.append(FaceImage(root / row["file"], placement))
    return AlignedFaces.load(sources, size, framing, [float(row["yaw"]) for row in rows])
