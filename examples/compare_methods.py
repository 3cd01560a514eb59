"""Every method on avatars whose domains both have a part: glasses in A, facial hair in B.

python examples/compare_methods.py --output comparison

One-way methods are trained twice, once for each part, and used in sequence. A model
that `--output` already holds is not trained again. Prints a table of errors against exact
truth (mean absolute differences of images in [-1, 1]) and writes a picture of each method.
"""

import argparse
import json
import pathlib

from mbu_tf import InSequence, load_model, load_source
from mbu_tf.data import write_png
from mbu_tf.evaluation import evaluate_two_way, two_way_grid
from mbu_tf.models.methods import METHODS
from mbu_tf.runs.training import train_preset

PRESETS = {"mbu": "avatars_facial_hair"}

parser = argparse.ArgumentParser()
parser.add_argument("--output", type=pathlib.Path, default="comparison")
guided = [name for name in METHODS if name != "fader"]  # Which takes no reference.
parser.add_argument("--methods", nargs="+", choices=guided, default=guided)
parser.add_argument("--steps", type=int, help="of each model (default: its preset's)")
arguments = parser.parse_args()

train, test = (load_source("avatars:glasses_and_facial_hair", s, 64) for s in ("train", "test"))


def trained(name, folder, train, test):
    """The model in `folder`, trained there if there is none, and its seconds of training."""
    if not (folder / "metrics.json").exists():
        preset = PRESETS.get(name, "avatars")
        train_preset(
            preset,
            train,
            folder,
            held_out=test,
            steps=arguments.steps,
            method=METHODS[name],
            resume=True,
        )
    metrics = json.loads((folder / "metrics.json").read_text())
    return load_model(folder / "model.keras"), metrics["training_seconds"]


def two_way(name):
    """A method as a two-way model, and the seconds that its training took."""
    folder = arguments.output / name
    if "didd" in name:
        return trained(name, folder, train, test)
    model_a, seconds_a = trained(name, folder / "a", train.exchanged(), test.exchanged())
    model_b, seconds_b = trained(name, folder / "b", train, test)
    return InSequence(model_a, model_b), seconds_a + seconds_b


columns = ("removed", "added", "outside", "outside_unchanged")
print("| method | direction | " + " | ".join(columns) + " | training |")
print("|---" * (len(columns) + 3) + "|")
for i, name in enumerate(arguments.methods):
    model, seconds = two_way(name)
    figures = evaluate_two_way(model, test)
    if i == 0:
        for way in ("to_b", "to_a"):
            undone = [figures[f"{way}_{x}_unedited"] for x in ("removed", "added")]
            print(f"| nothing done | {way} | {undone[0]:.3f} | {undone[1]:.3f} | 0 | 100 % | |")
    for way in ("to_b", "to_a"):
        values = [figures[f"{way}_{column}"] for column in columns]
        cells = " | ".join(f"{value:.3f}" for value in values[:3])
        print(f"| {name} | {way} | {cells} | {values[3]:.0%} | {seconds:.0f} s |", flush=True)
    a, b = test.arrays(5)
    write_png(arguments.output / f"{name}.png", two_way_grid(model, a, b))
