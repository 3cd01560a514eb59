"""Portraits with positions and labels in one table: real glasses, drawn ones, or both."""

import csv
import functools
import hashlib
import pathlib

import numpy as np

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.drawn_domains import AlignedFaces, DrawnGlasses, Mixture, drawn_domains
from mbu_tf.data.image_files import load_images
from mbu_tf.data.images import FaceImage, check_preparation, prepare_image
from mbu_tf.faces.framing import Framing

TASKS = ("glasses", "drawn_glasses", "mixed_glasses")
# The set validates on the people it tests on.
SPLITS = {
    "train": ("train", "small_train"),
    "validation": ("heldout",),
    "test": ("heldout",),
}
# Sources all of whose people are without glasses, before plain backdrops.
PLAIN = ("london", "canada")
# Round avatars: more of the square than this lies outside the circle.
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
):
    """Domain A, faces without glasses, and domain B, faces with them.

    `path` holds the photos and `labels.csv`, one line for each photo, with at
    least the columns `file, split, source, licence_grade, person, width, height,
    left_eye_x, left_eye_y, right_eye_x, right_eye_y, yaw, grey, cutout,
    eyeglasses` (0, 1 or `sunglasses`). Grey photos and round avatars are left out.

    Tasks:

    - `"glasses"`: B are the photos of people with glasses. The sources of `PLAIN`
      are left out: their backdrops alone would tell A from B.
    - `"drawn_glasses"`: A and B are photos without glasses, of different people in
      either, each source in equal parts; B has glasses drawn on. The splits
      `"validation"` and `"test"` carry the exact truth, see `TwoDomains`.
    - `"mixed_glasses"`, to train on: A are all photos without glasses; B are the
      photos with glasses for `real_share` of it, and the faces of A with drawn
      glasses for the rest, those of `PLAIN` more often, so that they have the
      same share in A as in B. The other splits are those of `"glasses"`.

    Args:
        path: folder.
        task: one of the three.
        split: "train", "validation" or "test"; the last two are the same people.
        image_size: height and width of the images.
        grades: the licence grades to take, such as "A" or "AB".
        small: whether the smaller photos of the split `small_train` are taken too.
        framing: what `Framing.of` takes, of kind `"face"`.
        variants: pairs of glasses that each face is seen with in an epoch of "train".
        real_share: of mixed B's images, in [0, 1).
        seed: integer that decides what is drawn.

    Raises:
        FileNotFoundError: the folder or its table is missing.
        ValueError: an argument is out of range, or no photo is left.
    """
    check_task(task)
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {tuple(SPLITS)}. Received: {split!r}")
    if Framing.of(framing).kind != "face":
        raise ValueError(f"Portraits are framed by their eyes. Received: framing={framing!r}")
    if not 0 <= real_share < 1 or variants < 1:
        raise ValueError(
            "`real_share` must be in [0, 1) and `variants` at least 1. "
            f"Received: real_share={real_share}, variants={variants}"
        )
    check_preparation(image_size, "center")
    root = pathlib.Path(path).expanduser()
    rows = [row for row in _read_table(root) if _is_taken(row, SPLITS[split], grades, small)]
    # Neither by source nor by name: the first few then are like all others.
    rows.sort(key=lambda row: hashlib.sha256(row["file"].encode()).digest())
    bare = [row for row in rows if row["eyeglasses"] == "0"]
    worn = [row for row in rows if row["eyeglasses"] != "0"]
    load = functools.partial(_load_faces, root, size=image_size, framing=Framing.of(framing))
    if task == "drawn_glasses":
        parts = _apart(bare)
        return drawn_domains(
            *map(load, parts), variants if split == "train" else 1, seed, truth=split != "train"
        )
    if task == "mixed_glasses" and split == "train":
        # Drawn are a share 1 - real_share of B, and the plain ones so much more often.
        often = round(1 / (1 - real_share))
        faces, plain = load(bare), [i for i, row in enumerate(bare) if row["source"] in PLAIN]
        drawn = faces[np.array([*range(len(bare)), *plain * (often - 1)])]
        b = DrawnGlasses(drawn, [(seed, i) for i in range(len(drawn) * variants)])
        if real_share:
            b = Mixture(ImageArray(load(worn).images), b, real_share)
        return TwoDomains(ImageArray(faces.images), b, image_size, framing=faces.framing)
    bare = load([row for row in bare if row["source"] not in PLAIN])
    worn = load(worn)
    return TwoDomains(
        ImageArray(bare.images), ImageArray(worn.images), image_size, framing=bare.framing
    )


def check_task(task):
    """Raises ValueError for a task that portraits do not have."""
    if task not in TASKS:
        raise ValueError(f"The tasks of portraits are {', '.join(TASKS)}. Received: task={task!r}")


def _read_table(root):
    table = root / "labels.csv"
    if not table.is_file():
        raise FileNotFoundError(f"Portraits need a folder with labels.csv. Received: {root}")
    with open(table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _is_taken(row, splits, grades, small):
    return (
        row["split"] in splits
        and (small or row["split"] != "small_train")
        and row["licence_grade"] in grades
        and row["grey"] == "0"
        and float(row["cutout"] or 0) <= CUT_OUT
    )


def _apart(rows):
    """The photos in two halves, no person in both, every source in equal parts."""
    halves = [], []
    people = {(row["source"], row["person"]) for row in rows}
    order = sorted(people, key=lambda p: (p[0], hashlib.sha256(p[1].encode()).digest()))
    half = {person: i % 2 for i, (_, person) in enumerate(order)}
    for row in rows:
        halves[half[row["person"]]].append(row)
    return halves


def _load_faces(root, rows, size, framing):
    """The photos of some rows as `AlignedFaces`."""
    if not rows:
        raise ValueError(
            "No portrait is left. Take other grades, or mend labels.csv. "
            f"Received: {root / 'labels.csv'}"
        )
    placements = [
        # The table has pixels' indices, of which the first one's centre is 0.
        framing.placement(
            int(row["height"]),
            int(row["width"]),
            [
                tuple(float(row[f"{side}_eye_{axis}"]) + 0.5 for axis in "xy")
                for side in ("left", "right")
            ],
        )
        for row in rows
    ]
    sources = [
        FaceImage(root / row["file"], place) for row, place in zip(rows, placements, strict=True)
    ]

    def report(message):
        raise ValueError(message)

    images = load_images(sources, functools.partial(prepare_image, size=size), report=report)
    sides = np.array([place.side for place in placements])
    return AlignedFaces(
        images,
        framing,
        np.array([float(row["yaw"]) for row in rows]),
        # A photo's own blur, and that of scaling it down.
        np.hypot(0.45, 0.6 * size / sides),
    )
