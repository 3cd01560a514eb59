r"""Masks of what CelebAMask-HQ's label maps show, for `mbu-tf evaluate --masks`.

    mbu-tf train --preset photos --data celeba:CelebA:glasses --crop 14,39,164,189 --output run
    python examples/celebamask_masks.py CelebAMask --output glasses_masks
    mbu-tf evaluate run/model.keras --data celeba:CelebA:glasses --crop 14,39,164,189 \
        --masks CelebAMask/images glasses_masks --output report
    python examples/celebamask_masks.py CelebAMask --part dark_hair --output hair_masks

The folder holds `images/NAME.jpg` and `masks/NAME.png` (label maps); for glasses also
`eyeglasses_worn.txt`, the names of the faces that wear them. Dark hair is that of faces whose hair
is darker than `--darker-than` on the average. `--names` takes the faces of a list alone. The crop
above gives aligned CelebA photos the framing of CelebAMask-HQ.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

from mbu_tf.data import write_png

GLASSES, EYES, HAIR = 3, (4, 5), 13
# Of a face whose hair is hardly seen there is little to outline.
LEAST_HAIR = 0.03
# Luma of red, green and blue (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--output", type=pathlib.Path, default="glasses_masks")
parser.add_argument("--part", choices=("glasses", "dark_hair"), default="glasses")
parser.add_argument("--darker-than", type=float, default=62, help="luma of hair (default: 62)")
parser.add_argument("--names", type=pathlib.Path, help="file of names, one in a line")
arguments = parser.parse_args()


def labels_of(name):
    """The label map of a face, uint8 `(height, width)`."""
    return np.asarray(Image.open(arguments.folder / "masks" / f"{name}.png"))


def glasses_mask(labels):
    """Glasses with their lenses: lenses are labelled as eyes, so eyes count within the frame."""
    frame = labels == GLASSES
    rows, columns = np.where(frame.any(1))[0], np.where(frame.any(0))[0]
    within = np.zeros_like(frame)
    within[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return frame | (np.isin(labels, EYES) & within)


def dark_hair_mask(name):
    """The hair of a face, or `None` if it is not dark."""
    hair = labels_of(name) == HAIR
    if hair.mean() < LEAST_HAIR:
        return None
    photo = Image.open(arguments.folder / "images" / f"{name}.jpg").convert("RGB")
    luma = np.asarray(photo.resize(hair.shape[::-1])) @ np.array(LUMA)
    return hair if luma[hair].mean() < arguments.darker_than else None


if arguments.part == "glasses":
    names = (arguments.folder / "eyeglasses_worn.txt").read_text().split()
    masks = {name: glasses_mask(labels_of(name)) for name in names}
else:
    names = sorted(path.stem for path in (arguments.folder / "masks").glob("*.png"))
    masks = {name: dark_hair_mask(name) for name in names}
chosen = set(arguments.names.read_text().split()) if arguments.names else set(masks)
masks = {name: mask for name, mask in masks.items() if mask is not None and name in chosen}
arguments.output.mkdir(parents=True, exist_ok=True)
for name, mask in masks.items():
    write_png(arguments.output / f"{name}.png", mask.astype(np.uint8) * 255)
print(f"{len(masks)} masks in {arguments.output}")
