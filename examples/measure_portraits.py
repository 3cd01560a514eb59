r"""A faces model on people it was not trained on, group by group: docs/faces-model.md's tables.

python examples/measure_portraits.py faces_glasses --portraits PATH \
    --classifier report/parts/classifier.keras

Real parts first, each on several faces, with detail and without, as the classifier sees them,
which `mbu-tf evaluate --data portraits:PATH:TASK` leaves in its folder. Of glasses then drawn ones,
whose truth is exact, with detail at twice the model's size, by groups; `--groups FILE` adds some: a
JSON object of lists of file names by group.
"""

import argparse
import json

import keras
import numpy as np

from mbu_tf import TwoDomains, load_model
from mbu_tf.data import to_model_range
from mbu_tf.data.domains import ImageArray
from mbu_tf.data.portraits import load_portraits
from mbu_tf.detail.filters import shrink
from mbu_tf.evaluation import evaluate_against_truth
from mbu_tf.evaluation.attribute_classifier import share_in_b
from mbu_tf.evaluation.detail_truth import WithDetail

TRUTH = ("a", "b", "b_mask", "b_without", "a_with", "a_with_next")
GROUPS = {
    "women": lambda row: row["sex"] == "f",
    "men": lambda row: row["sex"] == "m",
    "men with facial hair": lambda row: row["sex"] == "m" and row["facial_hair"] == "1",
    "men without": lambda row: row["sex"] == "m" and row["facial_hair"] == "0",
}


# Faces that each real part is put on.
TARGETS = 8


def seen(model, classifier, domains):
    """What the classifier says of real parts: rows of the first table.

    Args:
        domains: `TwoDomains` at twice the model's size.
    """
    a, b = (to_model_range(x.take(np.arange(len(x)))) for x in (domains.a, domains.b))
    rng = np.random.default_rng(0)
    targets = np.concatenate([a[rng.permutation(len(a))[: len(b)]] for _ in range(TARGETS)])
    references = np.concatenate([b] * TARGETS)

    small, detailed = shrunk(b), WithDetail(model)
    transfers = {
        "painted": model.transfer(shrunk(targets), shrunk(references)).image,
        "with detail": shrunk(detailed.transfer(targets, references).image),
    }
    removals = {
        "painted": model.remove(small).image,
        "with detail": shrunk(detailed.remove(b).image),
    }
    yield "real", share_in_b(classifier, small), 1 - share_in_b(classifier, shrunk(a))
    for way, images in transfers.items():
        yield way, share_in_b(classifier, images), 1 - share_in_b(classifier, removals[way])


def shrunk(photos):
    """Photos as the classifier sees them."""
    return np.asarray(shrink(photos, 2))


def some(domains, indices):
    """The pictures at `indices` and their truth."""
    parts = {name: ImageArray(getattr(domains, name).take(indices)) for name in TRUTH}
    return TwoDomains(**parts, image_size=domains.image_size, framing=domains.framing)


def measured(model, classifier, domains):
    """One row of the table, of `TwoDomains` at twice the model's size."""
    model = WithDetail(model)
    figures = evaluate_against_truth(model, domains)
    a, b = domains.arrays()
    return {
        "n": len(b),
        "IoU": figures["segment_iou"],
        "removal": figures["remove_error"] / figures["remove_error_unedited"],
        "transfer": figures["transfer_error"] / figures["transfer_error_unedited"],
        "outside": figures["transfer_error_outside"],
        "follows": figures["transfer_follows_reference"],
        "transfers seen as B": share_in_b(classifier, shrunk(model.transfer(a, b).image)),
        "B seen as B": share_in_b(classifier, shrunk(b)),
        "removals seen as A": 1 - share_in_b(classifier, shrunk(model.remove(b).image)),
        "A seen as A": 1 - share_in_b(classifier, shrunk(a)),
    }


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--portraits", required=True, metavar="PATH")
parser.add_argument("--classifier", required=True, metavar="FILE")
parser.add_argument("--task", default="glasses", choices=["glasses", "facial_hair", "smile"])
parser.add_argument("--groups", metavar="FILE")
parser.add_argument("--grades", default="AB")
parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
arguments = parser.parse_args()

if arguments.groups and arguments.task != "glasses":
    parser.error(f"--groups is for glasses, whose truth is exact. Received: {arguments.task}")
if arguments.groups:
    with open(arguments.groups, encoding="utf-8") as file:
        for name, files in json.load(file).items():
            GROUPS[name] = lambda row, files=frozenset(files): row["file"] in files
model = load_model(arguments.model)
classifier = keras.saving.load_model(arguments.classifier)


def held_out(task="drawn_glasses", where=None):
    return load_portraits(
        arguments.portraits,
        task,
        "test",
        2 * model.image_size,
        grades=arguments.grades,
        framing=model.framing,
        seed=arguments.seed,
        where=where,
    )


real = held_out(arguments.task)
print(f"{arguments.task} of {len(real.b)} photos, each on {TARGETS} faces")
print("| | transfers seen as B | removals seen as A |\n|---|---|---|")
for way, *shares in seen(model, classifier, real):
    print(f"| {way} | " + " | ".join(f"{100 * x:.1f} %" for x in shares) + " |")

if arguments.task == "glasses":
    print()
    everybody = held_out()
    rows = {"everybody": measured(model, classifier, everybody)}
    kinds = np.array(everybody.b_variants)
    for kind in sorted(set(kinds)):
        rows[kind] = measured(model, classifier, some(everybody, np.flatnonzero(kinds == kind)))
    for name, where in GROUPS.items():
        rows[name] = measured(model, classifier, held_out(where=where))

    columns = list(rows["everybody"])
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        figures = [str(row["n"]), *(f"{row[x]:.3f}" for x in columns[1:])]
        print(f"| {name} | " + " | ".join(figures) + " |")
