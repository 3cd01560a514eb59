"""Reading and writing PyTorch files as plain containers of NumPy arrays."""

import collections
import pathlib
import re

import numpy as np

from mbu_tf.system.files import replacing
from mbu_tf.system.reading import check_archive, is_archive, is_of_content

DEEPEST = 8
_SCALARS = (bool, int, float, str, type(None))


def read(path):
    """The content of a file that `torch.save` wrote, its tensors as NumPy arrays.

    Nothing but tensors and plain containers (dict, list, tuple) of numbers and
    strings is read, since loading any other object can run any code.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if PyTorch is not installed.
        ValueError: if the file holds anything else, is damaged or was not
            written by PyTorch.
    """
    torch = _torch()
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint {path}.")
    if is_archive(path):
        check_archive(path, "checkpoint of PyTorch as it was written", "Copy it again.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch raises many kinds on damaged or foreign files.
        if isinstance(error, OSError) and not is_of_content(error):
            raise
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        if foreign:
            raise ValueError(
                f"{path} is not loaded: it holds an object of {foreign[1]}, and loading anything "
                "but tensors and plain containers can run any code. Save its tensors alone."
            ) from error
        reason = " ".join([f"{type(error).__name__}:", *str(error).splitlines()[:1]])
        raise ValueError(
            f"{path} was not written by PyTorch, or was cut off while being copied ({reason})."
        ) from error
    return _to_numpy(content, torch, str(path), {})


def write(path, content):
    """Write nested dicts, lists and tuples of NumPy arrays and numbers as a PyTorch file.

    Raises:
        ImportError: if PyTorch is not installed.
        OSError: if `path` cannot be written to.
    """
    torch = _torch()
    # Through an open file, or PyTorch would write the passing name into it.
    with replacing(path) as beside, beside.open("wb") as file:
        torch.save(_to_torch(content, torch), file)


def _torch():
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "PyTorch checkpoints are read and written with PyTorch, which is not installed: "
            "pip install 'mbu_tf[torch]'"
        ) from error
    return torch


def _to_numpy(value, torch, place, within):
    """`value` with arrays; `within` are the containers around it, by their `id`s."""
    kind = type(value)
    if kind in (dict, collections.OrderedDict, list, tuple):
        # Of the published codes' five levels at most; one may hold itself.
        if id(value) in within or len(within) == DEEPEST:
            raise ValueError(f"{place[:200]} holds itself, or is nested too deep.")
        within = {**within, id(value): value}
        if kind in (list, tuple):
            return kind(_to_numpy(v, torch, f"{place}: {i}", within) for i, v in enumerate(value))
        return {k: _to_numpy(v, torch, f"{place}: {k}", within) for k, v in value.items()}
    if kind in _SCALARS:
        return value
    if kind in (torch.Tensor, torch.nn.Parameter):
        try:
            return value.detach().numpy()
        except (TypeError, RuntimeError) as error:  # bfloat16, sparse, quantised
            raise ValueError(f"{place} is a tensor that NumPy lacks: {value.dtype}.") from error
    raise ValueError(
        f"{place} is not loaded: only tensors and plain containers are. Received: {kind.__name__}"
    )


def _to_torch(value, torch):
    if isinstance(value, dict):
        return type(value)((k, _to_torch(v, torch)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return type(value)(_to_torch(v, torch) for v in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.from_numpy(np.array(value, order="C"))
    return value
