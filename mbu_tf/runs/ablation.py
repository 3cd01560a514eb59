"""Ablation: variations of a recipe, each trained for the same steps, in one table and figure.

A run is known by all that decides its weights: `runs/` holds one folder for each,
named by a digest of that. Rows of the same run, such as thresholds of one model,
share it, and a run that is finished is never trained again.
"""

import contextlib
import hashlib
import json
import pathlib
from typing import NamedTuple

from mbu_tf.data.images import write_png
from mbu_tf.evaluation.attribute_classifier import kept_attribute_classifier
from mbu_tf.evaluation.parts import Parts
from mbu_tf.evaluation.pictures import labelled_grid
from mbu_tf.evaluation.variation import figures_table, model_figures, model_tiles, pair_tiles
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.mask_editing import checked_mask_threshold
from mbu_tf.models.recipes import SECTIONS, varied
from mbu_tf.runs.folder import MODEL, read_metrics, run_state
from mbu_tf.runs.training import train_recipe
from mbu_tf.system.files import replacing, sole_use, write_json


class Row(NamedTuple):
    """One line of the table: a name, a run's settings, a threshold or `None` for the model's."""

    name: str
    settings: dict
    threshold: float | None

    @property
    def folder(self):
        """Name of the run's folder."""
        return _digest(self.settings)


def _digest(settings):
    """A name that is the same for the same settings."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def ablate(
    variations,
    recipe,
    domains,
    output,
    held_out=None,
    data="",
    steps=None,
    batch_size=None,
    seed=0,
    classifier_steps=1000,
):
    """Train what is not trained yet, measure every row, and write the table and the figure.

    `output` receives `runs/`, `ablation.json`, `ablation.md` and `ablation.png`. A
    classifier of the two domains, trained once, judges the transfers of every row.
    What is interrupted goes on where it was.

    Args:
        variations: dict from the name of a row to its changes of the recipe, see
            `mbu_tf.models.variations`.
        recipe: recipe of `MaskedContentTransfer` that is varied.
        domains: `TwoDomains` to train on, of the recipe's image size.
        output: folder, made if missing.
        held_out: `TwoDomains` to measure on, or `None` for `domains`.
        data: a word for the data; runs of different data are kept apart by it.
        steps, batch_size: in place of the recipe's unless `None`.
        seed: of the weights and of the order of the images, the same for all.
        classifier_steps: batches that the classifier is trained on.

    Returns:
        Dict from the name of each row to its figures, see `model_figures`.

    Raises:
        ValueError: on a change that the recipe or the model does not know, told
            before anything is trained.
        OSError: if `output` cannot be written to, or another ablation is writing to it.
    """
    training = {
        "steps": steps or recipe["training"]["steps"],
        "batch_size": batch_size or recipe["training"]["batch_size"],
        "flip": recipe["training"]["flip"],
    }
    common = {"data": data, "images": [len(domains.a), len(domains.b)], "seed": seed}
    rows = _rows(variations, {**recipe, "training": training}, common)
    with sole_use(output):
        runs, unseen = pathlib.Path(output) / "runs", held_out or domains
        _train_missing(rows, domains, runs)
        print("Preparing the classifier", flush=True)
        settings = {**common, "size": domains.image_size, "steps": classifier_steps}
        parts = Parts(runs / f"classifier-{_digest(settings)}")
        classifier, accuracy = kept_attribute_classifier(
            parts, settings, lambda: domains, unseen, classifier_steps, seed
        )
        figures, columns = {}, {}
        for row in rows:
            print(f"Measuring {row.name}", flush=True)
            model = load_model(runs / row.folder / MODEL)
            if row.threshold is not None:
                model.mask_threshold = row.threshold
            log = read_metrics(runs / row.folder)["training"]
            figures[row.name] = {**model_figures(model, unseen, classifier), "training": log}
            columns[row.name] = model_tiles(model, unseen)
        _write(runs.parent, rows, figures, accuracy)
        tiles = [pair_tiles(unseen), *columns.values()]
        grid = labelled_grid(list(zip(*tiles, strict=True)), ["target, reference", *columns])
        write_png(runs.parent / "ablation.png", grid)
        return figures


def _rows(variations, recipe, common):
    """A `Row` for each entry of `variations`."""
    if not variations:
        raise ValueError("An ablation needs a row at least. Received: none")
    rows = []
    for name, changes in variations.items():
        with _naming(name):
            changes = dict(changes)
            threshold = changes.pop("mask_threshold", None)
            if threshold is not None:
                threshold = checked_mask_threshold(threshold)
            varied_recipe = varied(recipe, changes)
            varied_recipe = {key: varied_recipe[key] for key in (*SECTIONS, "training")}
            rows.append(Row(name, {**common, "recipe": varied_recipe}, threshold))
    return rows


def _train_missing(rows, domains, runs):
    """Train the runs that are not finished; all their models are tried to be built first."""
    missing = {row.folder: row for row in rows if run_state(runs / row.folder) != "finished"}
    for row in missing.values():
        with _naming(row.name):
            MaskedContentTransfer.from_recipe(row.settings["recipe"])
    for i, (folder, row) in enumerate(missing.items()):
        print(f"Run {i + 1} of {len(missing)}: {row.name}", flush=True)
        recipe, seed = row.settings["recipe"], row.settings["seed"]
        train_recipe(recipe, domains, runs / folder, seed=seed, resume=True, name=row.name)


@contextlib.contextmanager
def _naming(name):
    """Let the block's errors say which row they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(f"Row {name!r}: {error}") from error


def _write(output, rows, figures, accuracy):
    """The table, as JSON and as Markdown."""
    document = {
        row.name: {
            "model": str(pathlib.PurePosixPath("runs", row.folder, MODEL)),
            "threshold": row.threshold,
            **figures[row.name],
        }
        for row in rows
    }
    settings = {key: value for key, value in rows[0].settings.items() if key != "recipe"}
    training = rows[0].settings["recipe"]["training"]
    write_json(
        output / "ablation.json",
        {**settings, "training": training, "classifier_accuracy": accuracy, "rows": document},
    )
    with replacing(output / "ablation.md") as beside:
        beside.write_text(figures_table(figures), encoding="utf-8")
