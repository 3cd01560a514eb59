"""A model's weights in 8 bits, in a file beside this one.

`NAME.npz` holds `about`, a JSON object (`write_pretrained` says of what), and each weight
by its path: kernels as `int8`, with a `float32` scale for each index of their last axis
under the path and `:scale`, all else as it is.
"""

import io
import json
import pathlib

import numpy as np

from mbu_tf.system.files import replacing

FOLDER = pathlib.Path(__file__).parent
# Two portraits in the public domain; SOURCES.md there says whose.
SAMPLES = FOLDER / "samples"
LEVELS = 127


def pretrained_names() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def weights_file(name: str) -> pathlib.Path:
    """Where the weights of a model that comes with the package lie."""
    return FOLDER / f"{name}.npz"


def about_pretrained(name: str) -> dict:
    """What is known of a model that comes with the package, see `write_pretrained`.

    Raises:
        ValueError: if there is none of that name, or its file is damaged.
    """
    return _read(name, _about)


def restore_pretrained(model, name: str) -> None:
    """Set all weights of `model` to those that come with the package under `name`.

    Args:
        model: a `TwoDomainModel` made of the arguments that `about_pretrained` gives.
        name: one of `pretrained_names`.

    Raises:
        ValueError: see `about_pretrained`; or the model has another architecture, and
            then none of its weights is changed.
    """
    values = _read(name, _values)
    weights = _by_path(model)
    shapes = [{key: tuple(x.shape) for key, x in each.items()} for each in (weights, values)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"The weights of {name!r} do not fit into this model: leave out what gives it another "
            "architecture, or pass load_weights=False. Received: a model with other shapes"
        )
    for key, weight in weights.items():
        weight.assign(values[key])


def write_pretrained(model, path, about: dict) -> None:
    """Write all weights of `model`, the discriminator's among them, but no optimizer's state.

    Args:
        model: a trained `TwoDomainModel`.
        path: the `.npz` file.
        about: what `mbu-tf presets` tells of it: `task`, `data`, `licence`, strings. `method`,
            the name of the model's class, and `arguments`, those of its constructor, are
            added.

    Raises:
        OSError: if the file cannot be written.
    """
    arguments = {**model.arguments, "framing": model.framing.get_config()}
    about = {**about, "method": type(model).__name__, "arguments": arguments}
    stored = {"about": np.array(json.dumps(about))}
    for key, weight in _by_path(model).items():
        value = np.asarray(weight)
        if value.ndim < 2:
            stored[key] = np.float32(value)
        else:
            stored[key], stored[f"{key}:scale"] = in_8_bits(value)
    with replacing(path) as beside:
        # By NumPy's own hand the name would end in .npz twice.
        with open(beside, "wb") as file:
            np.savez_compressed(file, **stored)


def in_8_bits(value):
    """`(integers, scale)` of an array: int8 of its shape, float32 of its last axis.

    `integers * scale` is nowhere further from `value` than half of `scale`.
    """
    scale = np.abs(value).max(axis=tuple(range(value.ndim - 1))) / LEVELS
    scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
    return np.rint(value / scale).astype(np.int8), scale


def _about(archive):
    return json.loads(str(archive["about"]))


def _values(archive):
    """Float32 arrays by path."""
    stored = dict(archive)
    del stored["about"]
    return {
        key: value * stored[f"{key}:scale"] if f"{key}:scale" in stored else value
        for key, value in stored.items()
        if not key.endswith(":scale")
    }


def _read(name, take):
    """What the function `take` gives of the archive of `name`.

    Raises:
        ValueError: if there is none of that name, or its file is damaged.
    """
    if name not in pretrained_names():
        raise ValueError(
            f"Models that come with mbu_tf are {', '.join(pretrained_names())}. Received: {name!r}"
        )
    try:
        content = io.BytesIO(weights_file(name).read_bytes())
        with np.load(content, allow_pickle=False) as archive:
            return take(archive)
    except Exception as error:  # A damaged archive raises many kinds.
        raise ValueError(
            f"The file of {name!r} in mbu_tf is damaged: install mbu_tf anew ({error})."
        ) from error


def _by_path(model):
    """The weights of a model by their paths, without its own name, which may be another."""
    return {weight.path.removeprefix(f"{model.name}/"): weight for weight in model.weights}
