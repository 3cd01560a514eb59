"""A run's state in numbered files, of which the newest whole one counts.

A state is a tree of dicts with names as keys, lists, plain values and NumPy
arrays. Its file is a NumPy archive: the arrays, and the tree as JSON in which
each array's name stands for it. Nothing in it is executed when it is read.
"""

import itertools
import json
import pathlib
import warnings

import numpy as np

from mbu_tf.system.files import make_folder, remove, replacing
from mbu_tf.system.reading import checked, parse_json, read_arrays, refusing

TREE = "tree"
ARRAY = "array in this file"
KIND = "whole state"
MEND = "Delete it."
COUNT = {"type": "integer", "minimum": 0}
ARRAY_SCHEMA = {
    "type": "object",
    "required": [ARRAY],
    "properties": {ARRAY: {"type": "string"}},
    "additionalProperties": False,
}
STEP = {"type": "object", "required": ["step"], "properties": {"step": COUNT}}


def write_state(folder, step, state):
    """Write `state` as that after `step`; it and the one before it stay, others go.

    The file appears whole or not at all: whenever a process is killed, the
    newest whole state is that of its last completed call.

    Args:
        folder: made if missing.
        step: non-negative integer.
        state: see the module; `step` is added to it.

    Raises:
        OSError: if it cannot be written; what was there stays.
        TypeError: if it holds something else.
    """
    arrays = {}

    def put(value):
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray):
            raise TypeError(f"A state holds plain values and arrays. Received: {type(value)}")
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {ARRAY: name}

    tree = json.dumps({**state, "step": step}, default=put).encode()
    path = make_folder(folder) / f"step-{step:09d}.npz"
    with replacing(path) as beside:
        np.savez(beside, **{TREE: np.frombuffer(tree, np.uint8)}, **arrays)
    # Those of later steps were damaged, or this one would not have come after them.
    before = [other for other in state_files(folder) if other < path and other.is_file()][-1:]
    for other in set(state_files(folder)) - {path, *before}:
        remove(other)


def read_newest_state(folder, schema=True):
    """The newest state in `folder` that is whole, or `None` where there is none at all.

    Warns of a damaged one and takes the one before it.

    Args:
        folder: of the states.
        schema: JSON Schema of the tree, in which an array is `ARRAY_SCHEMA`.

    Raises:
        ValueError: if there are states but all are damaged.
        OSError: if one may not be read.
    """
    problems = []
    for path in reversed(state_files(folder)):
        try:
            state = _read(path, schema)
        except PermissionError:
            raise
        except (OSError, ValueError) as error:
            problems.append(f"{path} is damaged ({error.__cause__ or error}).")
            continue
        if problems:
            warnings.warn(
                f"{' '.join(problems)} The state after step {state['step']} is used instead.",
                stacklevel=2,
            )
        return state
    if problems:
        raise ValueError(
            f"{' '.join(problems)} There is no other to go on from; delete {folder} to begin anew."
        )
    return None


def state_files(folder):
    """The paths of the states in `folder`, oldest first."""
    return sorted(pathlib.Path(folder).glob("step-*.npz"))


def _read(path, schema):
    arrays = read_arrays(path, KIND, MEND)
    with refusing(path, KIND, MEND):
        tree = parse_json(arrays.pop(TREE).tobytes(), finite=False)
        return _with_arrays(checked(tree, {"allOf": [STEP, schema]}), arrays)


def _with_arrays(value, arrays):
    """A tree in which arrays stand where their names stood."""
    if isinstance(value, list):
        return [_with_arrays(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {ARRAY}:
        return arrays[value[ARRAY]]
    return {key: _with_arrays(item, arrays) for key, item in value.items()}


def differences(old, new):
    """In words, where two trees of plain values differ, e.g. `["batch_size was 16, now is 32"]`."""
    return list(_differences(old, json.loads(json.dumps(new)), ()))


def _differences(old, new, names):
    if isinstance(old, dict) and isinstance(new, dict):
        for name in itertools.chain(old, (name for name in new if name not in old)):
            yield from _differences(old.get(name), new.get(name), (*names, name))
    elif old != new:
        yield f"{'.'.join(names)} was {old!r}, now is {new!r}"
