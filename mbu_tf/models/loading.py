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
        ValueError: if the file is damaged, no Keras file, or a model of
            another kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no model file {path}. Train one with `mbu-tf train` or `mbu-tf demo`."
        )
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is no `.keras` file, or was cut off while being copied. Copy it again, or "
            "save the model anew with `model.save`."
        )
    try:
        model = keras.saving.load_model(path)
    except Exception as error:  # Keras raises many kinds on damaged or foreign files.
        raise ValueError(
            f"{path} cannot be loaded as an mbu_tf model: it is damaged or was made by another "
            f"program or version ({type(error).__name__}: {str(error).splitlines()[0]})."
        ) from error
    if not isinstance(model, TwoDomainModel):
        raise ValueError(
            f"{path} holds a model of another kind; this needs one made by mbu_tf. "
            f"Received: {type(model).__name__}"
        )
    return model
