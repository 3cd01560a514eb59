"""What the folder of a training run holds, and whether it is the run that is asked for."""

import hashlib
import pathlib
import zlib

import keras
import numpy as np

from mbu_tf.models.recipes import image_changes
from mbu_tf.runs.state import differences, state_files
from mbu_tf.system.files import replacing
from mbu_tf.system.reading import read_json

BACKUP, HISTORY, METRICS, MODEL, PICTURES = (
    "backup",
    "history.csv",
    "metrics.json",
    "model.keras",
    "pictures",
)
IMAGES_CHECKED = 16
# What `metrics.json` of a run holds at least.
SCHEMA = {
    "type": "object",
    "required": ["method", "steps", "settings", "training"],
    "properties": {
        "method": {"type": "string"},
        "steps": {"type": "integer"},
        "settings": {"type": "object"},
        "training": {"type": "object"},
    },
}


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
        ValueError: if that run was of other settings, or the file is damaged.
    """
    if run_state(folder) != "finished":
        return None
    metrics = read_metrics(folder)
    changed = differences(metrics["settings"], settings)
    if changed:
        raise ValueError(
            f"The finished run in {folder} is another one: {'; '.join(changed)}. Choose another "
            "folder."
        )
    return metrics


def read_metrics(folder):
    """What `metrics.json` of a finished run in `folder` holds.

    Raises:
        DamagedFileError: if it holds something else.
    """
    path = pathlib.Path(folder) / METRICS
    mend = "Delete it, and the run goes on from its state, or choose another folder."
    return read_json(path, SCHEMA, "figures of a finished run", mend)


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
        **({"base": checksum(base.taken_over(same_part))} if base is not None else {}),
        **({"same_part": True} if same_part else {}),
        **{name: recipe[name] for name in ("optimizer", "discriminator_optimizer", "compile")},
        **image_changes(recipe),
        "data": fingerprints(domains),
    }


def fingerprints(domains):
    """What tells the images of both domains from others, as plain values."""
    return {"a": _fingerprint(domains.a), "b": _fingerprint(domains.b)}


def _fingerprint(images):
    """What tells images from others: how many, a checksum of some of them, a stamp of all.

    The stamp is of their pixels where they are in memory, and where they are read from disk
    of the names, sizes and times of change of their files. Collections of a user's own may
    have none.
    """
    some = np.unique(np.linspace(0, len(images) - 1, IMAGES_CHECKED, dtype=int))
    found = {"images": len(images), "checksum": zlib.crc32(images.take(some).tobytes())}
    if not hasattr(images, "stamp"):
        return found
    return {**found, "stamp": hashlib.sha256(images.stamp()).hexdigest()[:32]}


def checksum(parts):
    """A checksum of the weights of a model's parts."""
    found = 0
    for part in parts:
        for value in part.get_weights():
            found = zlib.crc32(value.tobytes(), found)
    return found


def write_history(path, history):
    """Write the history of `fit`, a dict of lists, as CSV with one row per epoch."""
    rows = [("epoch", *history)]
    rows += [(i + 1, *row) for i, row in enumerate(zip(*history.values(), strict=True))]
    with replacing(path) as beside:
        beside.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
