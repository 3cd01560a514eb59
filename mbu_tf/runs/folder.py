"""What the folder of a training run holds, and whether it is the run that is asked for."""

import json
import pathlib
import zlib

import keras
import numpy as np

from mbu_tf.models.recipes import image_changes
from mbu_tf.runs.state import differences, state_files
from mbu_tf.system.files import replacing

BACKUP, HISTORY, METRICS, MODEL, PICTURES = (
    "backup",
    "history.csv",
    "metrics.json",
    "model.keras",
    "pictures",
)
IMAGES_CHECKED = 16


def run_state(folder):
    """`"finished"`, `"started"` or `"new"`, as the run in `folder` is."""
    folder = pathlib.Path(folder)
    if (folder / METRICS).exists():
        return "finished"
    started = state_files(folder / BACKUP) or (folder / MODEL).exists()
    return "started" if started else "new"


def check_unused(folder):
    """Raise `FileExistsError` if a run in `folder` would be overwritten."""
    if run_state(folder) != "new":
        raise FileExistsError(
            f"{folder} holds a {run_state(folder)} training run already, which is not "
            "overwritten: resume it, choose another folder, or delete it."
        )


def finished_metrics(folder, settings):
    """What `metrics.json` of a finished run in `folder` holds, or `None` if it is not finished.

    Raises:
        ValueError: if that run was of other settings.
    """
    if run_state(folder) != "finished":
        return None
    metrics = json.loads((pathlib.Path(folder) / METRICS).read_text(encoding="utf-8"))
    changed = differences(metrics["settings"], settings) if "settings" in metrics else []
    if changed:
        raise ValueError(
            f"The finished run in {folder} is another one: {'; '.join(changed)}. Choose another "
            "folder."
        )
    return metrics


def run_settings(recipe, domains, architecture, base=None, same_part=False):
    """What a run depends on besides its steps, batch size and seed, as plain values.

    Args:
        recipe: what it is trained by.
        domains: what it is trained on.
        architecture: all constructor arguments of the model.
        base, same_part: the model that it starts from, and whether with all it knows.
    """
    return {
        "precision": keras.config.dtype_policy().name,
        "architecture": architecture,
        **({"base": _checksum_of_weights(base)} if base is not None else {}),
        **({"same_part": True} if same_part else {}),
        **{name: recipe[name] for name in ("optimizer", "discriminator_optimizer", "compile")},
        **image_changes(recipe),
        "data": {"a": _fingerprint(domains.a), "b": _fingerprint(domains.b)},
    }


def _fingerprint(images):
    """The number of images and a checksum of some of them, as the networks see them."""
    some = np.unique(np.linspace(0, len(images) - 1, IMAGES_CHECKED, dtype=int))
    return {"images": len(images), "checksum": zlib.crc32(images.take(some).tobytes())}


def _checksum_of_weights(model):
    """A checksum of what other models take over of `model`."""
    checksum = 0
    for name in model.starting_networks:
        for value in getattr(model, name).get_weights():
            checksum = zlib.crc32(value.tobytes(), checksum)
    return checksum


def write_history(path, history):
    """Write the history of `fit`, a dict of lists, as CSV with one row per epoch."""
    rows = [("epoch", *history)]
    rows += [(i + 1, *row) for i, row in enumerate(zip(*history.values(), strict=True))]
    with replacing(path) as beside:
        beside.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
