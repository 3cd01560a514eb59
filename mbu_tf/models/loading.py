"""Loading a saved model with errors that say what is wrong with the file."""

import pathlib
import zipfile

import keras

# Registers the classes that a file may name.
from mbu_tf.models import content_transfer  # noqa: F401
from mbu_tf.models.two_domain import TwoDomainModel


def load_model(path):
    """The model saved at `path` by `model.save("….keras")`, compiled as it was.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it may not be read.
        ValueError: if the file is damaged, no Keras file, not called `.keras`,
            or a model of another kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no model file {path}. Train one with `mbu-tf train` or `mbu-tf demo`."
        )
    with path.open("rb") as file:
        whole = zipfile.is_zipfile(file)
    if not whole:
        raise ValueError(
            f"{path} is no `.keras` file, or was cut off while being copied. Copy it again, or "
            "save the model anew with `model.save`."
        )
    if path.suffix != ".keras":  # Keras goes by the name.
        raise ValueError(
            f"The name of a model file must end in .keras; rename it. Received: {path}"
        )
    try:
        model = keras.saving.load_model(path)
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
    return model
