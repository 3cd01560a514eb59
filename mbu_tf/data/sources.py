"""Data sources by name, as the command line gives them: `kind:…`."""

import re
from typing import Any

from mbu_tf.data import avatar_faces, celeba, drawn_domains, folders, portraits, records
from mbu_tf.data.domains import TwoDomains
from mbu_tf.faces import Framing

FORMS = (
    "avatars:TASK (such as avatars:glasses)",
    "folders:PATH",
    "celeba:PATH:TASK (such as celeba:PATH:glasses; PATH may be tfds)",
    "drawn_glasses:PATH (a folder of faces without glasses)",
    "portraits:PATH:TASK (such as portraits:PATH:drawn_glasses)",
    "tfds:NAME:A:B (such as tfds:cats_vs_dogs:cat:dog)",
)


def parse_source(spec: str) -> tuple[str, dict[str, Any]]:
    """Kind of a source and the arguments that its `spec` gives.

    Only the form and the task's name are checked, nothing is looked up on disk.

    Args:
        spec: `avatars:TASK`, `folders:PATH`, `celeba:PATH:TASK`, `drawn_glasses:PATH`,
            `portraits:PATH:TASK` or `tfds:NAME:A:B`.
            PATH may start with a Windows drive; TASK may be "A: …; B: …" for CelebA,
            and has no other colons; A and B are the classes of either domain.

    Returns:
        `(kind, arguments)` with `kind` the word before the first colon and
        `arguments` a dictionary with those of the source's own loading function.

    Raises:
        ValueError: the form is none of these, or the source has no such task.
    """
    kind, _, rest = spec.partition(":")
    if kind == "avatars" and rest:
        avatar_faces.check_task(rest)
        return kind, {"task": rest}
    if kind in ("folders", "drawn_glasses") and rest:
        return kind, {"path": rest}
    if kind == "celeba":
        # The path ends at the first colon after which all is a task; the colon
        # of a drive such as C:\ or C:/ is none of them.
        drive, rest = re.fullmatch(r"([A-Za-z]:(?=[\\/]))?(.*)", rest, re.DOTALL).groups("")
        parts = re.fullmatch(r"(.+?):(\s*A\s*:.*;\s*B\s*:.*|[^:]*)", rest, re.DOTALL)
        if parts and parts[2].strip():
            celeba.parse_task(parts[2])
            return kind, {"path": drive + parts[1], "task": parts[2]}
    if kind == "portraits":
        path, _, task = rest.rpartition(":")
        if path and task:
            portraits.check_task(task)
            return kind, {"path": path, "task": task}
    if kind == "tfds" and rest.count(":") >= 2:
        name, a, b = rest.rsplit(":", 2)
        return kind, {"name": name, "a": a, "b": b}
    raise ValueError(f"A data source must be one of: {'; '.join(FORMS)}. Received: {spec!r}")


def load_source(
    spec: str, split: str = "train", image_size: int = 128, **options: Any
) -> TwoDomains:
    """The two domains of a source as `TwoDomains`.

    Args:
        spec: see `parse_source`.
        split: "train", "validation" or "test".
        image_size: height and width of the images.
        **options: passed on to `load_avatars`, `load_folders`, `load_celeba`,
            `load_drawn_glasses`, `load_portraits` or `load_tfds`.

    Raises:
        ValueError: see `parse_source` and the loading functions.
        FileNotFoundError: files of the source are missing.
    """
    kind, arguments = parse_source(spec)
    if kind == "celeba":
        load = celeba.load_celeba
    elif kind == "folders":
        load = folders.load_folders
    elif kind == "drawn_glasses":
        load = drawn_domains.load_drawn_glasses
    elif kind == "portraits":
        load = portraits.load_portraits
    elif kind == "tfds":
        load = records.load_tfds
    else:
        from mbu_tf.data.avatars import load_avatars as load  # It imports TensorFlow Datasets.
    return load(**arguments, split=split, image_size=image_size, **options)


def framed_as(framing, spec, options=()):
    """`options` for `load_source` with a model's framing, where photos are to be framed by it.

    Avatars are framed as they are, CelebA by a crop or by faces' eyes, and a framing among
    `options` stands.

    Args:
        framing: the model's, what `Framing.of` takes.
        spec: see `parse_source`.
        options: dictionary of options.
    """
    kind, options, framing = parse_source(spec)[0], dict(options), Framing.of(framing)
    fits = kind in ("folders", "drawn_glasses", "portraits", "tfds") or (
        kind == "celeba" and framing.kind == "face" and "crop" not in options
    )
    return {"framing": framing, **options} if fits else options


def load_held_out(spec: str, image_size: int = 128, **options: Any) -> tuple[str, TwoDomains]:
    """The images of a source that training leaves alone.

    Args:
        spec, image_size, **options: as for `load_source`.

    Returns:
        `(split, domains)`: "test" or, where there is none, "validation".

    Raises:
        ValueError, FileNotFoundError: the source has neither.
    """
    try:
        return "test", load_source(spec, "test", image_size, **options)
    except (FileNotFoundError, ValueError):
        return "validation", load_source(spec, "validation", image_size, **options)
