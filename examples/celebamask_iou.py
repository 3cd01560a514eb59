"""IoU of the glasses that a model finds with CelebAMask-HQ's label maps.

    mbu-tf train --preset photos --data celeba:CelebA:glasses --crop 14,39,164,189 --output run
    python examples/celebamask_iou.py run/model.keras CelebAMask

The folder holds `images/NAME.jpg`, `masks/NAME.png` (label maps) and
`eyeglasses_worn.txt`, the names to be scored. The crop above gives aligned
CelebA photos the framing of CelebAMask-HQ.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

from mbu_tf import load_model
from mbu_tf.data import read_image, to_model_range
from mbu_tf.data.images import resize_image
from mbu_tf.evaluation import segmentation_iou

GLASSES, EYES = 3, (4, 5)

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("folder", type=pathlib.Path)
arguments = parser.parse_args()


def glasses_mask(labels):
    """Glasses with their lenses: lenses are labelled as eyes, so eyes count within the frame."""
    frame = labels == GLASSES
    rows, columns = np.where(frame.any(1))[0], np.where(frame.any(0))[0]
    within = np.zeros_like(frame)
    within[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return frame | (np.isin(labels, EYES) & within)


model = load_model(arguments.model)
size = model.image_size
images, truth = [], []
for name in (arguments.folder / "eyeglasses_worn.txt").read_text().split():
    labels = np.asarray(Image.open(arguments.folder / "masks" / f"{name}.png"))
    mask = Image.fromarray(glasses_mask(labels).astype(np.uint8) * 255)
    truth.append(np.asarray(mask.resize((size, size), Image.Resampling.BOX)) >= 128)
    images.append(resize_image(read_image(arguments.folder / "images" / f"{name}.jpg"), size))
truth = np.stack(truth)[..., None]
soft = model.segment(to_model_range(np.stack(images)))

iou = segmentation_iou(soft, truth, model.mask_threshold)
print(f"{len(truth)} faces, true coverage {truth.mean():.3f}, soft coverage {soft.mean():.3f}")
print(f"IoU {iou['iou']:.3f} ± {iou['iou_std']:.3f} at {model.mask_threshold:.3f} (stored)")
print(f"IoU {iou['iou_best']:.3f} at {iou['best_threshold']:.2f} (best)")
