"""Renders layered CC0 faces with and without one part; imports no TensorFlow."""

import functools
import importlib.resources
import json
import math
import os
import struct
import subprocess
import sys

import numpy as np

BACKGROUNDS = ["b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf"]

_PEEPS_GLASSES = [
    *("glasses", "glasses2", "glasses3", "glasses4", "glasses5"),
    *("sunglasses", "sunglasses2"),
]
# Without "chin" (a jaw line, no hair) and "moustache8" (crosses the picture).
_PEEPS_BEARDS = [
    *("full", "full2", "full3", "full4", "goatee1", "goatee2"),
    *(f"moustache{i}" for i in (1, 2, 3, 4, 5, 6, 7, 9)),
]
# Without "cyclops" and "monster", whose eyes fit no glasses.
_PEEPS_EXPRESSIONS = [
    *("angryWithFang", "awe", "blank", "calm", "cheeky", "concerned", "concernedFear"),
    *("contempt", "cute", "driven", "eatingHappy", "explaining", "eyesClosed", "fear"),
    *("hectic", "lovingGrin1", "lovingGrin2", "old", "rage", "serious", "smile"),
    *("smileBig", "smileLOL", "smileTeethGap", "solemn", "suspicious", "tired", "veryAngry"),
]
# Framed as aligned face photographs are: head and hair fill the picture.
_PEEPS = {
    "expressionVariant": _PEEPS_EXPRESSIONS,
    "maskProbability": 0,
    "scale": 1.4,
    "translateX": -10,
    "translateY": 4,
    "backgroundColor": BACKGROUNDS,
}

# Which part each domain has of its own, as (part, variants), and the choices that
# both domains share. Every style here is CC0 1.0.
TASKS = {
    "glasses": {
        "description": "Open Peeps with glasses: round, square, cat-eye, sunglasses.",
        "style": "open-peeps",
        "own": {"b": ("accessories", _PEEPS_GLASSES)},
        "options": {
            **_PEEPS,
            "facialHairVariant": _PEEPS_BEARDS,
            "facialHairProbability": 20,
        },
    },
    "facial_hair": {
        "description": "Open Peeps with facial hair: full beards, goatees, moustaches.",
        "style": "open-peeps",
        "own": {"b": ("facialHair", _PEEPS_BEARDS)},
        "options": {
            **_PEEPS,
            "accessoriesVariant": _PEEPS_GLASSES,
            "accessoriesProbability": 20,
        },
    },
    "glasses_and_facial_hair": {
        "description": "Open Peeps, domain A with glasses, domain B with facial hair.",
        "style": "open-peeps",
        "own": {"a": ("accessories", _PEEPS_GLASSES), "b": ("facialHair", _PEEPS_BEARDS)},
        "options": _PEEPS,
    },
    "hat": {
        "description": "Pixel-art faces with hats.",
        "style": "pixel-art",
        "own": {"b": ("hat", [f"variant{i:02d}" for i in range(1, 11)])},
        "options": {"glassesProbability": 20, "backgroundColor": BACKGROUNDS},
    },
    "lorelei_glasses": {
        "description": "Lorelei line drawings with glasses.",
        "style": "lorelei",
        "own": {"b": ("glasses", [f"variant{i:02d}" for i in range(1, 6)])},
        "options": {"scale": 1.3, "backgroundColor": BACKGROUNDS},
    },
}


def check_task(task):
    """Raise `ValueError` unless `task` is a key of `TASKS`."""
    if task not in TASKS:
        raise ValueError(f"Avatar tasks are {sorted(TASKS)}. Received: task={task!r}")


@functools.cache
def _style(name):
    from dicebear import Style

    file = importlib.resources.files("dicebear_styles").joinpath(f"{name}.json")
    return Style(json.loads(file.read_text("utf-8")))


def render_face(task, seed, worn, size):
    """One face as PNG bytes, opaque, the same bytes for the same arguments.

    Args:
        task: key of `TASKS`.
        seed: string; decides everything but the task's parts.
        worn: the variant that the face wears of a domain's own part, by the
            domain's letter, e.g. `{"b": "glasses3"}`; a part left out is not worn.
        size: height and width in pixels.
    """
    from dicebear import Avatar
    from resvg_py import svg_to_bytes

    recipe = TASKS[task]
    options = {**recipe["options"], "seed": seed, "size": size}
    for domain, (part, variants) in recipe["own"].items():
        options[f"{part}Variant"] = worn.get(domain, variants)
        options[f"{part}Probability"] = 100 if domain in worn else 0
    svg = str(Avatar(_style(recipe["style"]), options))
    return svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)


def difference_mask(one, other):
    """Exact mask: 255 where two renderings of one face differ at all, else 0.

    Args:
        one, other: uint8 `(height, width, 3)`.

    Returns:
        uint8 `(height, width, 1)`.
    """
    return np.where((one != other).any(axis=-1, keepdims=True), 255, 0).astype(np.uint8)


FACES_PER_WORKER = 100  # A worker starts in the time in which one renders as many.
# The caller's import path comes first: the working folder is not the library's.
_WORKER = """
import json, sys
sys.path[:], faces = json.loads(sys.stdin.buffer.read())
from mbu_tf.data.avatar_faces import _work
_work(faces)
"""


def render_faces(faces, workers=None):
    """Render many faces on several processes, in the order given.

    The workers are fresh interpreters that run this module, not forks of one
    that may have TensorFlow's threads, so that a calling script needs no
    `if __name__ == "__main__"` guard.

    Args:
        faces: list of `(task, seed, worn, size)`, see `render_face`.
        workers: number of processes at most; `None` takes one per core. There
            are no more than have `FACES_PER_WORKER` each.

    Yields:
        PNG bytes, one for each face.

    Raises:
        RuntimeError: if a worker ends before its work is done.
    """
    workers = min(workers or os.cpu_count() or 1, math.ceil(len(faces) / FACES_PER_WORKER))
    processes = []
    try:
        for i in range(workers):
            process = subprocess.Popen(
                [sys.executable, "-c", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            processes.append(process)
            process.stdin.write(json.dumps([sys.path, faces[i::workers]]).encode())
            process.stdin.close()
        for i in range(len(faces)):
            yield _read_picture(processes[i % workers], faces[i])
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


def _read_picture(process, face):
    header = process.stdout.read(4)
    if len(header) < 4:
        raise RuntimeError(
            "A worker that renders avatars ended early; its error is above. "
            f"Received: face={face}, exit code {process.wait()}"
        )
    return process.stdout.read(struct.unpack("<I", header)[0])


def _work(faces):
    try:
        for face in faces:
            picture = render_face(*face)
            sys.stdout.buffer.write(struct.pack("<I", len(picture)) + picture)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # Whoever reads was killed; it is no error of the worker's.
        os._exit(1)
