"""A callback that draws what the model does while it learns."""

import keras

from mbu_tf.data.images import write_png
from mbu_tf.evaluation.pictures import model_grid
from mbu_tf.files import make_folder
from mbu_tf.types import Array, FilePath


class TransferPictures(keras.callbacks.Callback):
    """Writes a picture grid (targets x references, masks, removals) after epochs.

    Of methods whose domains both have a part of their own it shows both ways.

    Args:
        directory: folder for `epoch-0001.png` and so on; made if missing.
        targets: images a, `(columns, size, size, 3)` in [-1, 1].
        references: images b, `(rows, size, size, 3)` in [-1, 1].
        every: epochs between two pictures.
        tensorboard: folder for TensorBoard summaries as well, or `None`. Needs
            the `tensorboard` package.

    Raises:
        ImportError: if `tensorboard` is given and the package is missing.
        OSError: if the folder cannot be made.
        ValueError: if `every` is not a positive integer.
    """

    def __init__(
        self,
        directory: FilePath,
        targets: Array,
        references: Array,
        every: int = 1,
        tensorboard: FilePath | None = None,
    ) -> None:
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be a positive integer. Received: every={every!r}")
        self.directory = make_folder(directory)
        self.targets, self.references, self.every = targets, references, every
        self._writer = _summary_writer(tensorboard) if tensorboard else None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        picture = model_grid(self.model, self.targets, self.references)
        write_png(self.directory / f"epoch-{epoch + 1:04d}.png", picture)
        if self._writer is not None:
            import tensorflow as tf

            with self._writer.as_default():
                tf.summary.image("transfer", picture[None], step=epoch + 1)
                self._writer.flush()


def _summary_writer(directory):
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Pictures in TensorBoard need the package tensorboard: "
            "`pip install mbu_tf[tensorboard]`, or leave `tensorboard=None`."
        ) from error
    import tensorflow as tf

    return tf.summary.create_file_writer(str(directory))
