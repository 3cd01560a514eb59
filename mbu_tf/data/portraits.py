"""Portraits with positions and labels in a table: real glasses, drawn ones, beards, smiles."""

import collections
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

# The column that tells B from A: 0 is A.
LABELS = {
    "glasses": "eyeglasses",
    "drawn_glasses": "eyeglasses",
    "mixed_glasses": "eyeglasses",
    "facial_hair": "facial_hair",
    "smile": "smile_teeth",
}
TASKS = tuple(LABELS)
# What the table calls the splits. The set validates on the people it tests on.
SPLITS = {
    "train": ("train", "small_train"),
    "validation": ("heldout",),
    "test": ("heldout",),
}
# Sources whose people are all without glasses, and all before plain backdrops.
PLAIN = ("london", "canada")
# What is read of the table, and what each cell must be; beside it the columns of the task.
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
    """Domain A, faces without glasses, a beard or a smile, and domain B, faces with it.

    `path` holds the photos and `labels.csv`, a line for each photo, whose columns
    `file, split, source, licence_grade, person, width, height, left_eye_x,
    left_eye_y, right_eye_x, right_eye_y, yaw, grey, cutout, eyeglasses` are read, and
    those of the task. Grey photos and round avatars are left out.

    Tasks:

    - `"glasses"`: B are photos of people with glasses. The sources of `PLAIN` are
      left out: their backdrops alone would tell A from B.
    - `"facial_hair"`: A and B are men without facial hair and with it (column
      `facial_hair`, of those with `m` in `sex`).
    - `"smile"`: A and B are faces whose teeth are not seen and are (`smile_teeth`).
      Of these three, plain backdrops, other people's glasses and women are as common in A
      as in B: photos of A are left out for it, or repeated in "train".
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
    label = LABELS[task]
    rows = _read_table(root, label)
    rows = [row for row in rows if _is_taken(row, SPLITS[split], grades, small)]
    rows = [row for row in rows if where is None or where(row)]
    # By neither source nor name: the first few are then like all others.
    rows.sort(key=lambda row: _digest(row["file"]))
    if task == "facial_hair":
        rows = [row for row in rows if row["sex"] == "m"]
    without = [row for row in rows if row[label] == "0"]
    shown = [row for row in rows if row[label] != "0"]

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
            b = Mixture(ImageArray(load(shown).images), b, real_share)
    else:
        taken = _balanced(without, shown, label, repeated=split == "train")
        taken, again = np.unique(taken, return_inverse=True)
        bare = load([without[i] for i in taken])[again]
        b = ImageArray(load(shown).images)
    return TwoDomains(ImageArray(bare.images), b, image_size, framing=framing)


def check_task(task):
    """Raises ValueError for a task that portraits do not have."""
    if task not in TASKS:
        raise ValueError(f"The tasks of portraits are {', '.join(TASKS)}. Received: task={task!r}")


def _balanced(rows, others, label, repeated):
    """Indices of rows, ascending, so that backdrops and what the label comes with are as in others.

    Of the kind that there are most of all are taken, of the rest so many in proportion: if
    `repeated`, some of them more than once.
    """

    def kinds(rows):
        kinds = collections.defaultdict(list)
        for i, row in enumerate(rows):
            rest = () if label == "eyeglasses" else (row["eyeglasses"] != "0", row["sex"])
            kinds[(row["source"] in PLAIN, *rest)].append(i)
        return kinds

    here, there = map(kinds, (rows, others))
    here = {kind: here[kind] for kind in there if kind in here}
    most = max(here, key=lambda kind: len(here[kind]), default=None)
    counts = (round(len(here[most]) * len(there[kind]) / len(there[most])) for kind in here)
    taken = []
    for kind, count in zip(here.values(), counts, strict=True):
        taken.extend(np.resize(kind, count) if repeated else kind[:count])
    return np.sort(np.array(taken, int))


def _read_table(root, label):
    table = root / "labels.csv"
    if not table.is_file():
        raise FileNotFoundError(
            f"Portraits are a folder with the photos and their labels.csv. Received: {root}"
        )
    of_task = (label,) if label == "eyeglasses" else (label, "sex")
    columns = {**COLUMNS, **dict.fromkeys(of_task)}
    return read_table(table, columns, "table of portraits", "Mend that line, or copy it again.")


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
