"""What goes wrong while training ends in one message that names the mend."""

import errno

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.image_files import ImageFiles
from mbu_tf.data.images import write_png
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.system.failures import explaining_tensorflow, first_line


@pytest.fixture
def model():
    model = MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)
    model.compile(run_eagerly=True)
    return model


SOME = ImageArray(np.zeros((2, 32, 32, 3), np.uint8))


def fit(model, images, steps=2, callbacks=None):
    data = TwoDomains(images, SOME, 32).batches(2)
    return model.fit(
        data, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=callbacks
    ).history


@pytest.mark.slow
def test_an_image_that_is_cut_off_while_training_is_told_and_replaced(model, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path in paths:
        write_png(path, np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))

    def cut(epoch, logs):
        paths[1].write_bytes(paths[1].read_bytes()[:500])

    with pytest.warns(UserWarning, match="1.png: it is damaged or cut off.*stands in for it"):
        callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=cut)]
        history = fit(model, ImageFiles(paths, 32), steps=6, callbacks=callbacks)
    assert np.isfinite(history["loss"]).all()


@pytest.mark.filterwarnings("ignore:Cannot read the image")
def test_images_none_of_which_can_be_read_any_more(model):
    with pytest.raises(ValueError) as raised:
        fit(model, ImageFiles(["gone.png"], 32))
    assert str(raised.value) == (
        "None of 1 images can be read. Cannot read the image gone.png: there is no such file. "
        "Mend the path."
    )


class Raising:
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def take(self, indices):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (PermissionError(13, "Permission denied", "x.png"), PermissionError, "denied: 'x.png'$"),
        (MemoryError(), MemoryError, "^Out of memory. Make batches smaller"),
        (KeyError("a bug"), tf.errors.UnknownError, "Traceback"),
    ],
)
def test_what_reading_raises_comes_out_as_itself_and_bugs_with_their_traceback(
    model, error, kind, message
):
    with pytest.raises(kind, match=message):
        fit(model, Raising(error))


@pytest.mark.slow
def test_a_batch_too_large_for_memory(model):
    image = tf.zeros((1, 32, 32, 3))
    data = tf.data.Dataset.from_tensors((image, image)).map(
        lambda a, b: (tf.tile(a, [10**10, 1, 1, 1]), b)
    )
    with pytest.raises(
        MemoryError, match=r"for shape\[10000000000,32,32,3\]. Make batches smaller"
    ):
        model.fit(data, shuffle=False, verbose=0)


def test_exhausted_memory_as_jax_has_it():
    with pytest.raises(MemoryError, match="^Out of memory. Make"), explaining_tensorflow():
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes.")
    with pytest.raises(RuntimeError, match="^else$"), explaining_tensorflow():
        raise RuntimeError("else")


def test_the_first_line_of_an_error():
    error = tf.errors.InternalError(None, None, "{{function_node f}} No device.\nmore")
    assert first_line(error) == "InternalError: No device."


def test_a_full_disk_is_no_exhausted_memory():
    said = "/tmp/x/variables.data; No space left on device"
    with pytest.raises(OSError, match="the disk is full; free some space") as error:
        with explaining_tensorflow():
            raise tf.errors.ResourceExhaustedError(None, None, said)
    assert error.value.errno == errno.ENOSPC
