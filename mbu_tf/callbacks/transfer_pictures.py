"""A callback that draws what the model does while it learns."""

import keras

from mbu_tf.data.images import write_png
from mbu_tf.evaluation.pictures import model_grid
from mbu_tf.networks import blocks
from mbu_tf.system.files import make_folder
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
        show: whether each picture is shown in the notebook as well, under the cell.

    Raises:
        ImportError: if `tensorboard` is given and the package is missing, or if
            pictures are to be shown without IPython.
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
        show: bool = False,
    ) -> None:
        super().__init__()
        blocks.check_positive_int("every", every)
        self.directory = make_folder(directory)
        self.targets, self.references, self.every = targets, references, every
        self._writer = _summary_writer(tensorboard) if tensorboard else None
        self._show = _notebook() if show else None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        picture = model_grid(self.model, self.targets, self.references)
        path = self.directory / f"epoch-{epoch + 1:04d}.png"
        write_png(path, picture)
        if self._show is not None:
            self._show(path)
        if self._writer is not None:
            import tensorflow as tf

            with self._writer.as_default():
                tf.summary.image("transfer", picture[None], step=epoch + 1)
                self._writer.flush()


def _notebook():
    """A function that shows a picture file under the notebook's cell."""
    try:
        from IPython.display import Image, display
    except ImportError as error:
        raise ImportError(
            "Pictures are shown by IPython, which notebooks run in: `pip install ipython`, or "
            "leave `show=False`."
        ) from error
    return lambda path: display(Image(filename=str(path)))


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
