"""A system's transfers as files, for other programs and for the user study."""

import csv

from mbu_tf.data.domains import to_uint8
from mbu_tf.data.images import write_png
from mbu_tf.evaluation.parts import folder_name
from mbu_tf.evaluation.report.listed_pictures import PAIRS
from mbu_tf.system.files import make_folder, replacing


def save_material(material, folder):
    """Write the images of A to `folder`/targets and those of B to `folder`/references."""
    for name, images in (("targets", material.a), ("references", material.b)):
        _write(folder / name, images)


def save_transfers(name, transfer, folder):
    """Write a system's transfers and the list of pairs that `PictureSystem` reads.

    Args:
        name: of the system, and of its folder in `folder`.
        transfer: `Made` of the material that `save_material` has written to `folder`.
        folder: where that is.

    Returns:
        Its folder: `0000.png` and so on, numbered as the targets and references.
    """
    place = folder / folder_name(name)
    files = _write(place, transfer.image)
    with replacing(place / PAIRS) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("result", "target", "reference"))
        lines.writerows((x, f"../targets/{x}", f"../references/{x}") for x in files)
    return place


def _write(folder, images):
    make_folder(folder)
    names = [f"{number:04}.png" for number in range(len(images))]
    for name, image in zip(names, to_uint8(images), strict=True):
        write_png(folder / name, image)
    return names
