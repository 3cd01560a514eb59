r"""One recipe for any data beside those that were tuned for each: what they reach, seed by seed.

python examples/compare_recipes.py --output recipes
python examples/compare_recipes.py --output recipes --celeba CelebA \
    --masks womens_hair CelebAMask/images hair_masks

Trains each task with the preset `auto` and with the task's own, as often as there are seeds. A run
that `--output` already holds is not made again, so that an interrupted comparison goes on. Drawn
faces have an exact truth; of photographs a classifier says what they show, and label maps, where
they are given (examples/celebamask_masks.py), where. Prints a table, mean and worst seed, and
writes it to `recipes.md` and, with every run's figures, to `recipes.json`.
"""

import argparse
import json
import pathlib

import keras
import numpy as np

from mbu_tf import load_source
from mbu_tf.evaluation import segmentation_iou, share_in_b, train_attribute_classifier
from mbu_tf.evaluation.report.material import read_outlined
from mbu_tf.runs.training import train_preset
from mbu_tf.system.files import write_json

# The preset that was tuned for each task.
DRAWN = {
    "avatars:glasses": "avatars",
    "avatars:facial_hair": "avatars_facial_hair",
    "avatars:hat": "avatars",
    "avatars:lorelei_glasses": "avatars",
}
PHOTOS = {
    "glasses": "photos",
    "beard": "photos_facial_hair",
    "smile": "photos",
    "womens_hair": "photos",
}
# Figure to its column, and whether the largest value is the worst: errors are.
COLUMNS = {
    "iou": ("IoU", False),
    "removal": ("removal, of undone", True),
    "transfer": ("transfer, of undone", True),
    "transfers_in_b": ("transfers seen as B", False),
    "removals_in_a": ("removals seen as A", False),
    "mask_coverage": ("mask", True),
}

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--output", type=pathlib.Path, default="recipes", help="default: recipes")
parser.add_argument("--steps", type=int, default=600, help="of each run (default: 600)")
parser.add_argument("--seeds", type=int, default=3, help="runs of each recipe (default: 3)")
parser.add_argument("--tasks", nargs="+", choices=[*DRAWN, *PHOTOS], help="default: all")
parser.add_argument("--recipes", nargs="+", choices=("auto", "tuned"), default=("auto", "tuned"))
parser.add_argument("--celeba", metavar="PATH", help="CelebA; without it, drawn faces alone")
parser.add_argument("--crop", default="14,39,164,189", help="of CelebA's photos")
parser.add_argument(
    "--masks", nargs=3, action="append", default=[], metavar=("TASK", "IMAGES", "MASKS")
)
parser.add_argument("--pairs", type=int, default=200, help="that are judged (default: 200)")
parser.add_argument("--classifier-steps", type=int, default=400, help="default: 400")
parser.add_argument("--width", type=float, help="of the networks; default: each recipe's own")
arguments = parser.parse_args()


def domains_of(task, split):
    """`TwoDomains` of a task."""
    if task in DRAWN:
        return load_source(task, split, 64)
    crop = tuple(map(int, arguments.crop.split(",")))
    return load_source(f"celeba:{arguments.celeba}:{task}", split, 64, crop=crop)


def figures(task, recipe, seed, data):
    """What one run reached; it is made if it is not there."""
    folder = arguments.output / task.replace(":", "-") / f"{recipe}-{seed}"
    if not (folder / "figures.json").exists():
        keras.backend.clear_session()
        preset = {**DRAWN, **PHOTOS}[task] if recipe == "tuned" else "auto"
        width = {"width": arguments.width} if arguments.width else {}
        model, metrics = train_preset(
            preset,
            data["train"],
            folder,
            held_out=data["held_out"],
            steps=arguments.steps,
            seed=seed,
            resume=True,
            **width,
        )
        if "truth" in metrics:
            found = of_truth(metrics["truth"])
        else:
            found = {"mask_coverage": metrics["held_out"]["mask_coverage"]}
        found |= judged(model, data)
        write_json(folder / "figures.json", found)
    return json.loads((folder / "figures.json").read_text())


def of_truth(truth):
    """The table's figures of drawn faces."""
    return {
        "iou": truth["segment_iou"],
        "removal": truth["remove_error"] / truth["remove_error_unedited"],
        "transfer": truth["transfer_error"] / truth["transfer_error_unedited"],
        "mask_coverage": truth["mask_coverage"],
    }


def judged(model, data):
    """The table's figures of photographs; none of others."""
    found = {}
    if "classifier" in data:
        held_out = data["held_out"]
        a, b = held_out.arrays(min(arguments.pairs, len(held_out.a), len(held_out.b)))
        found["transfers_in_b"] = share_in_b(data["classifier"], model.transfer(a, b).image)
        found["removals_in_a"] = 1 - share_in_b(data["classifier"], model.remove(b).image)
    if "masks" in data:
        outlined = data["masks"]
        soft = model.segment(outlined.images)
        iou = segmentation_iou(soft, outlined.masks, model.mask_threshold)
        found |= {"iou": iou["iou"], "iou_best": iou["iou_best"]}
    return found


def data_of(task):
    """What the runs of a task share."""
    data = {"train": domains_of(task, "train")}
    if task in DRAWN:
        return {**data, "held_out": domains_of(task, "test")}
    data["held_out"] = domains_of(task, "validation")
    kept = arguments.output / task / "classifier.keras"
    if not kept.exists():
        classifier, accuracy = train_attribute_classifier(
            data["train"], data["held_out"], arguments.classifier_steps
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        classifier.save(kept)
        a, b = data["held_out"].arrays(arguments.pairs)
        real = {"transfers_in_b": share_in_b(classifier, b)}
        real |= {"removals_in_a": 1 - share_in_b(classifier, a), "accuracy": accuracy}
        write_json(kept.with_name("real.json"), real)
    data["classifier"] = keras.saving.load_model(kept)
    for name, images, masks in arguments.masks:
        if name == task:
            data["masks"] = read_outlined(images, masks, 64)
    return data


def table(runs):
    """A row for each task and recipe: mean over seeds, and the worst."""
    names = [name for name in COLUMNS if any(name in x for of in runs.values() for x in of)]
    lines = ["| task, recipe | " + " | ".join(COLUMNS[name][0] for name in names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for row, of_seeds in runs.items():
        cells = []
        for name in names:
            values = [x[name] for x in of_seeds if name in x]
            worst = max if COLUMNS[name][1] else min
            cells.append(f"{np.mean(values):.3f} ({worst(values):.3f})" if values else "")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


tasks = arguments.tasks or [*DRAWN, *(PHOTOS if arguments.celeba else ())]
runs = {}
for task in tasks:
    data = data_of(task)
    for seed in range(arguments.seeds):  # Of each recipe one, then one more of each.
        for recipe in arguments.recipes:
            of_seeds = runs.setdefault(f"{task}, {recipe}", [])
            of_seeds.append(figures(task, recipe, seed, data))
            write_json(arguments.output / "recipes.json", runs)
            (arguments.output / "recipes.md").write_text(table(runs), "utf-8")
print(table(runs))
