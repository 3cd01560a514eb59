"""Portraits with a table of labels: those that are not part of the project, and made ones."""

import csv
import os
import pathlib

import numpy as np
import pytest

from mbu_tf.data.images import write_png
from mbu_tf.data.portraits import load_portraits

HERE = pathlib.Path(__file__).parents[2] / "shared" / "data" / "public_faces"
PORTRAITS = pathlib.Path(os.environ.get("MBU_TF_PORTRAITS_DIR", HERE))
needs_portraits = pytest.mark.skipif(
    not (PORTRAITS / "labels.csv").is_file(),
    reason=f"no portraits in {PORTRAITS}; set MBU_TF_PORTRAITS_DIR to their folder",
)
COLUMNS = {
    "split": "train",
    "source": "studio",
    "licence_grade": "A",
    "width": 40,
    "height": 60,
    "left_eye_x": 15,
    "left_eye_y": 24,
    "right_eye_x": 29,
    "right_eye_y": 24,
    "yaw": 0,
    "grey": 0,
    "cutout": 0.0,
    "eyeglasses": 0,
    "facial_hair": 0,
    "smile_teeth": 0,
    "sex": "m",
}


class Set:
    """A set of plain portraits, each of its own level."""

    def __init__(self, root):
        self.root, self.rows = root, []

    def add(self, level, **changes):
        row = {"file": f"{level}.png", "person": f"person {level}", **COLUMNS, **changes}
        write_png(self.root / row["file"], np.full((60, 40, 3), level, np.uint8))
        self.rows.append(row)
        self.write()

    def write(self):
        with open(self.root / "labels.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)

    def levels(self, task="glasses", split="train", **options):
        """The levels of the pictures of A and of B; their corners show no glasses."""
        domains = load_portraits(self.root, task, split, 16, **options)
        return [
            x.take(range(len(x)))[:, 0, 0, 0].astype(int).tolist() for x in (domains.a, domains.b)
        ]
