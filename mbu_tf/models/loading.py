"""Loading a model, saved or come with the package, with errors that say what is wrong."""

import pathlib

import keras

# Registers the classes that a file may name.
from mbu_tf.models.mask_editing import MaskEditing, checked_mask_threshold
from mbu_tf.models.methods import METHODS
from mbu_tf.models.two_domain import TwoDomainModel
from mbu_tf.pretrained import weights_file
from mbu_tf.system.reading import is_archive
from mbu_tf.types import FilePath


def load_model(path: FilePath) -> TwoDomainModel:
    """The model saved at `path` by `model.save`, compiled as it was; or one of the package's own.

    Args:
        path: a `.keras` file, or the folder that `save(..., zipped=False)` writes; or,
            unless a file is called so, the name of a preset that comes with weights, such
            as `"faces_glasses"`.

    Raises:
        FileNotFoundError: if there is no such file, and no such preset.
        OSError: if it may not be read.
        ValueError: if the file is damaged, no Keras file, not called `.keras`,
            a model of another kind, or one with weights that are no finite numbers.
        MemoryError: if its networks are larger than the memory that is free.
    """
    path = pathlib.Path(path)
    folder = (path / "config.json").is_file()
    if not (folder or path.is_file()):
        method = pretrained_presets().get(str(path))
        if method:
            return method.from_preset(str(path))
        raise FileNotFoundError(
            f"There is no model file {path}. Train one with `mbu-tf train` or `mbu-tf demo`, or "
            f"name one that comes with mbu_tf: {', '.join(pretrained_presets())}."
        )
    if not (folder or is_archive(path)):
        raise ValueError(
            f"{path} is no `.keras` file, or was cut off while being copied. Copy it again, or "
            "save the model anew with `model.save`."
        )
    if not (folder or path.name.endswith(".keras")):  # Keras goes by the name.
        raise ValueError(
            f"The name of a model file must end in .keras; rename it. Received: {path}"
        )
    try:
        model = keras.saving.load_model(path)
    except MemoryError:
        raise
    except Exception as error:  # Keras raises many kinds on damaged or foreign files.
        reason = " ".join([f"{type(error).__name__}:", *str(error).splitlines()[:1]])
        raise ValueError(
            f"{path} cannot be loaded as an mbu_tf model: it is damaged or was made by another "
            f"program or version ({reason})."
        ) from error
    if not isinstance(model, TwoDomainModel):
        raise ValueError(
            f"{path} holds a model of another kind; this needs one made by mbu_tf. "
            f"Received: {type(model).__name__}"
        )
    check_sound(model, path)
    return model


def model_file(path: FilePath) -> pathlib.Path:
    """The file behind what `load_model` takes: `path`, or that of a preset's weights."""
    method = None if pathlib.Path(path).exists() else pretrained_presets().get(str(path))
    return weights_file(method.presets[str(path)]["weights"]) if method else pathlib.Path(path)


def pretrained_presets():
    """The method of each preset that comes with weights, by the preset's name."""
    return {
        name: method
        for method in METHODS.values()
        for name, recipe in method.presets.items()
        if recipe.get("weights")
    }


def check_sound(model, name="The model"):
    """Raise `ValueError` unless a model's weights are numbers and its threshold is one.

    Args:
        model: a `TwoDomainModel`.
        name: what the error calls it.
    """
    wrong = [x.path for x in model.weights if not bool(keras.ops.all(keras.ops.isfinite(x)))]
    if wrong:
        raise ValueError(
            f"{name} has weights that are no finite numbers: its training has failed, or it is "
            f"damaged. Take an earlier one. Received: {len(wrong)} such as {wrong[0]}"
        )
    for part in (model, getattr(model, "part_a", None), getattr(model, "part_b", None)):
        if isinstance(part, MaskEditing):
            try:
                checked_mask_threshold(part.mask_threshold)
            except ValueError as error:
                raise ValueError(f"{name} is damaged. {error}") from error


def load_editor(path: FilePath, part: str = "b") -> MaskEditing:
    """The saved model at `path` as what adds, removes and outlines one domain's part.

    Args:
        path: as for `load_model`.
        part: `"b"`, or `"a"` where the model knows a part of A as well.

    Returns:
        A `MaskEditing`.

    Raises:
        FileNotFoundError, OSError: as `load_model`.
        ValueError: as `load_model`, or if the model has no such part.
    """
    model = load_model(path)
    if hasattr(model, "part_a"):
        return model.part_a if part == "a" else model.part_b
    if not isinstance(model, MaskEditing):
        raise ValueError(
            f"{path} translates whole pictures and has no masks; use `mbu-tf transfer` with it. "
            f"Received: {type(model).__name__}"
        )
    if part == "a":
        raise ValueError(
            f"{path} knows what domain B has, not A; leave out the part. Received: part={part!r}"
        )
    return model
