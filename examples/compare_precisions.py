"""The same training in float32, bfloat16 and float16: is quality within what seeds make of it?

python examples/compare_precisions.py --output precisions

Trains avatars' glasses once for each precision and seed. A run that `--output` already
holds is not made again, so that an interrupted comparison goes on. Prints a table, mean and
standard deviation over seeds, and writes it to `precisions.md` and, with every run's
figures, to `precisions.json`.
"""

import argparse
import json
import pathlib

import keras
import numpy as np

from mbu_tf import load_source
from mbu_tf.runs.training import train_preset
from mbu_tf.system.files import write_json

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# Figure to its column: errors are mean absolute differences of images in [-1, 1].
COLUMNS = {
    "segment_iou": "IoU",
    "remove_error": "removal error",
    "transfer_error": "transfer error",
    "transfer_follows_reference": "follows reference",
    "skipped_steps": "skipped steps",
    "seconds_per_step": "seconds per step",
}

parser = argparse.ArgumentParser()
parser.add_argument("--output", type=pathlib.Path, default="precisions")
parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
parser.add_argument("--seeds", type=int, default=3, help="runs in each precision (default: 3)")
parser.add_argument("--steps", type=int, help="of each run (default: the preset's 3,000)")
parser.add_argument("--image-size", type=int, default=64, help="default: 64")
parser.add_argument("--width", type=float, default=0.5, help="of the networks (default: 0.5)")
arguments = parser.parse_args()


def figures(precision, seed):
    """What one run reached; it is made if it is not there."""
    folder = arguments.output / f"{precision}-{seed}"
    if not (folder / "figures.json").exists():
        keras.backend.clear_session()
        keras.config.set_dtype_policy(precision)
        model, metrics = train_preset(
            "avatars",
            train,
            folder,
            held_out=test,
            steps=arguments.steps,
            seed=seed,
            resume=True,
            width=arguments.width,
        )
        steps = metrics["steps"]
        found = {
            **metrics["truth"],
            "skipped_steps": steps - int(model.optimizer.iterations),
            "seconds_per_step": metrics["training_seconds"] / steps,
        }
        write_json(folder / "figures.json", {name: found[name] for name in COLUMNS})
    return json.loads((folder / "figures.json").read_text())


def table(runs):
    """Rows of precisions, each cell mean and standard deviation over seeds."""
    lines = ["| precision | " + " | ".join(COLUMNS.values()) + " |", "|---" * 7 + "|"]
    for precision, of_seeds in runs.items():
        if not of_seeds:
            continue
        cells = []
        for name in COLUMNS:
            values = [run[name] for run in of_seeds]
            spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
            cells.append(f"{np.mean(values):.3f} ± {spread:.3f}")
        lines.append(f"| {precision} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


train, test = (
    load_source("avatars:glasses", split, arguments.image_size) for split in ("train", "test")
)
runs = {precision: [] for precision in arguments.precisions}
for seed in range(arguments.seeds):  # Of each precision one, then one more of each.
    for precision in arguments.precisions:
        runs[precision].append(figures(precision, seed))
        write_json(arguments.output / "precisions.json", runs)
        (arguments.output / "precisions.md").write_text(table(runs), "utf-8")
print(table(runs))
