r"""A faces model on people it was not trained on, group by group: docs/faces-model.md's tables.

python examples/measure_portraits.py faces_glasses --portraits PATH \
    --classifier report/classifier.keras

The glasses are drawn, so that their truth is exact; `mbu-tf evaluate --data portraits:PATH:glasses`
measures real ones, and leaves the classifier in its folder. `--groups FILE` adds groups: a JSON
object of lists of file names by group.
"""

import argparse
import json

import keras
import numpy as np

from mbu_tf import TwoDomains, load_model
from mbu_tf.data.domains import ImageArray
from mbu_tf.data.portraits import load_portraits
from mbu_tf.evaluation import evaluate_against_truth
from mbu_tf.evaluation.attribute_classifier import share_in_b

TRUTH = ("a", "b", "b_mask", "b_without", "a_with", "a_with_next")
GROUPS = {
    "women": lambda row: row["sex"] == "f",
    "men": lambda row: row["sex"] == "m",
    "men with facial hair": lambda row: row["sex"] == "m" and row["facial_hair"] == "1",
    "men without": lambda row: row["sex"] == "m" and row["facial_hair"] == "0",
}


def some(domains, indices):
    """The pictures at `indices` and their truth."""
    parts = {name: ImageArray(getattr(domains, name).take(indices)) for name in TRUTH}
    return TwoDomains(**parts, image_size=domains.image_size, framing=domains.framing)


def measured(model, classifier, domains):
    """One row of the table."""
    figures = evaluate_against_truth(model, domains)
    a, b = domains.arrays()
    return {
        "n": len(b),
        "IoU": figures["segment_iou"],
        "removal": figures["remove_error"] / figures["remove_error_unedited"],
        "transfer": figures["transfer_error"] / figures["transfer_error_unedited"],
        "outside": figures["transfer_error_outside"],
        "follows": figures["transfer_follows_reference"],
        "transfers seen as B": share_in_b(classifier, model.transfer(a, b).image),
        "B seen as B": share_in_b(classifier, b),
        "removals seen as A": 1 - share_in_b(classifier, model.remove(b).image),
        "A seen as A": 1 - share_in_b(classifier, a),
    }


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--portraits", required=True, metavar="PATH")
parser.add_argument("--classifier", required=True, metavar="FILE")
parser.add_argument("--groups", metavar="FILE")
parser.add_argument("--grades", default="AB")
arguments = parser.parse_args()

model = load_model(arguments.model)
classifier = keras.saving.load_model(arguments.classifier)


def held_out(where=None):
    return load_portraits(
        arguments.portraits,
        "drawn_glasses",
        "test",
        model.image_size,
        grades=arguments.grades,
        framing=model.framing,
        where=where,
    )


everybody = held_out()
rows = {"everybody": measured(model, classifier, everybody)}
kinds = np.array(everybody.b_variants)
for kind in sorted(set(kinds)):
    rows[kind] = measured(model, classifier, some(everybody, np.flatnonzero(kinds == kind)))
if arguments.groups:
    with open(arguments.groups, encoding="utf-8") as file:
        for name, files in json.load(file).items():
            GROUPS[name] = lambda row, files=frozenset(files): row["file"] in files
for name, where in GROUPS.items():
    rows[name] = measured(model, classifier, held_out(where))

columns = list(rows["everybody"])
print("| | " + " | ".join(columns) + " |")
print("|---" * (len(columns) + 1) + "|")
for name, row in rows.items():
    figures = [str(row["n"]), *(f"{row[x]:.3f}" for x in columns[1:])]
    print(f"| {name} | " + " | ".join(figures) + " |")
