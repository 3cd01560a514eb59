"""Masks of the glasses that CelebAMask-HQ's label maps show, for `mbu-tf evaluate --masks`.

    mbu-tf train --preset photos --data celeba:CelebA:glasses --crop 14,39,164,189 --output run
    python examples/celebamask_masks.py CelebAMask --output glasses_masks
    mbu-tf evaluate run/model.keras --data celeba:CelebA:glasses --crop 14,39,164,189 \\
        --masks CelebAMask/images glasses_masks --output report

The folder holds `images/NAME.jpg`, `masks/NAME.png` (label maps) and `eyeglasses_worn.txt`, the
names of the faces that wear glasses. The crop above gives aligned CelebA photos the framing of
CelebAMask-HQ.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

from mbu_tf.data import write_png

GLASSES, EYES = 3, (4, 5)

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--output", type=pathlib.Path, default="glasses_masks")
arguments = parser.parse_args()


def glasses_mask(labels):
    """Glasses with their lenses: lenses are labelled as eyes, so eyes count within the frame."""
    frame = labels == GLASSES
    rows, columns = np.where(frame.any(1))[0], np.where(frame.any(0))[0]
    within = np.zeros_like(frame)
    within[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return frame | (np.isin(labels, EYES) & within)


arguments.output.mkdir(parents=True, exist_ok=True)
names = (arguments.folder / "eyeglasses_worn.txt").read_text().split()
for name in names:
    labels = np.asarray(Image.open(arguments.folder / "masks" / f"{name}.png"))
    write_png(arguments.output / f"{name}.png", glasses_mask(labels).astype(np.uint8) * 255)
print(f"{len(names)} masks in {arguments.output}")
