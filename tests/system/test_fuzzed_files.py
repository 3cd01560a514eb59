"""Whatever is in a file, reading it gives what it holds or one error that names it."""

import functools
import io
import json
import shutil
import tempfile
import warnings

import keras
import numpy as np
from PIL import Image

from mbu_tf.callbacks import Backup
from mbu_tf.data.celeba_rules import parse_task
from mbu_tf.data.formats import readable_formats
from mbu_tf.data.images import ImageReadError, read_photo
from mbu_tf.evaluation.study.tally import tally_study
from mbu_tf.runs.folder import read_metrics
from mbu_tf.runs.state import differences, state_files
from mbu_tf.system.reading import DamagedFileError, read_table
from tests.fuzzing import ARRAYS, hypothesis, mutated, replaced, st
from tests.icc import by_table, display_p3, grey


@functools.cache
def image_files():
    """One of each format and pixel kind, with what metadata it may have."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    written = [
        ("PNG", "RGBA", {"icc_profile": display_p3(), "dpi": (300, 300)}),
        *[("PNG", mode, {}) for mode in ("RGB", "L", "1", "I;16")],
        ("PNG", "P", {"transparency": 3}),
        ("JPEG", "RGB", {"exif": exif, "dpi": (72, 72)}),
        ("JPEG", "L", {"icc_profile": grey(), "progressive": True}),
        ("JPEG", "CMYK", {"icc_profile": by_table(b"prtr", b"CMYK", 4)}),
        *[("WEBP", "RGBA", {"lossless": lossless, "exif": exif}) for lossless in (True, False)],
        *[(kind, "RGB", {}) for kind in ("WEBP", "BMP", "PPM", "JPEG2000")],
        ("GIF", "P", {"save_all": True, "append_images": [picture.convert("P")] * 2}),
        *[("TIFF", mode, {"exif": exif}) for mode in ("RGB", "L", "CMYK", "F", "I;16")],
        *[("TIFF", "RGB", {"compression": kind}) for kind in ("tiff_lzw", "jpeg")],
        *[(kind, "RGB", {}) for kind in ("AVIF", "HEIF") if kind in readable_formats()],
    ]
    return tuple(_as_bytes(picture, *each) for each in written)


def _as_bytes(picture, kind, mode, options):
    file = io.BytesIO()
    source = picture.convert("L") if mode in ("F", "I;16") else picture.convert("RGB")
    (picture if mode == "RGBA" else source.convert(mode)).save(file, kind, **options)
    return file.getvalue()


@hypothesis.given(st.data())
def test_images(data):
    content = mutated(data.draw, data.draw(st.sampled_from(image_files())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            photo = read_photo(content)
        except ImageReadError as error:
            assert str(error).startswith(f"Cannot read the image given as {len(content)} bytes: ")
        else:
            assert photo.image.dtype == np.uint8 and photo.image.shape == photo.pixels.shape


ANSWERS = {
    "study": "s",
    "systems": ["ours", "theirs"],
    "questions": {"real": "Which?"},
    "participant": "p",
    "answers": [{"question": "real", "item": "1", "chosen": "a", "left": "b"}] * 2,
}


@hypothesis.given(st.data())
def test_answers(tmp_path, data):
    path = tmp_path / "answers.json"
    if data.draw(st.booleans()):
        path.write_text(json.dumps(replaced(data.draw, ANSWERS)), encoding="utf-8")
    else:
        path.write_bytes(mutated(data.draw, json.dumps(ANSWERS).encode()))
    try:
        found = tally_study([path])
    except DamagedFileError as error:
        assert f"{path} holds no answers" in str(error)
    else:
        assert len(found["systems"]) == 2 and 0 <= found["left"] <= 1


@hypothesis.given(st.data())
def test_tables(tmp_path, data):
    path = tmp_path / "table.csv"
    path.write_bytes(mutated(data.draw, b'name,size\n"a, b",1.5\nc,2\n'))
    try:
        table = read_table(path, {"name": None, "size": float}, "table", "Mend it.")
    except DamagedFileError as error:
        assert f"{path} holds no table. Mend it. Received: " in str(error)
    else:
        assert all(isinstance(float(row["size"]), float) for row in table)


class Best(keras.callbacks.Callback):
    """Has a state of its own of several kinds."""

    def on_train_begin(self, logs=None):
        self.best, self.wait, self.when, self.weights = float("inf"), 0, None, []

    def on_epoch_end(self, epoch, logs=None):
        self.best, self.wait, self.when = logs["loss"], self.wait + 1, [epoch]
        self.weights = [np.array(x) for x in self.model.get_weights()]


@functools.cache
def trained():
    """A network, and what a backup of its training holds: the tree and the arrays."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile("adam", "mse", run_eagerly=True)
    network.optimizer.build(network.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        session(network, folder, 1)
        (path,) = state_files(folder)
        return network, path.name, path.read_bytes()


def session(network, folder, epochs):
    best = Best()
    backup = Backup(folder, keep=[best], settings={"seed": 1})
    images = np.ones((2, 2), np.float32)
    network.fit(images, images[:, :1], epochs=epochs, verbose=0, callbacks=[best, backup])
    return network.history.history


@hypothesis.given(st.data())
def test_runs_that_are_resumed(tmp_path, data):
    """A damaged or altered state is refused by its folder's name, or training goes on."""
    network, name, content = trained()
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / name
    if data.draw(st.integers(0, 3)) == 0:
        path.write_bytes(mutated(data.draw, content))
    else:
        with np.load(io.BytesIO(content)) as archive:
            arrays = dict(archive)
        if data.draw(st.booleans()):
            tree = replaced(data.draw, json.loads(arrays["tree"].tobytes()))
            arrays["tree"] = np.frombuffer(json.dumps(tree).encode(), np.uint8)
        else:
            arrays[data.draw(st.sampled_from(sorted(arrays)))] = data.draw(ARRAYS)
        np.savez(path, **arrays)
    try:
        history = session(network, folder, 3)
    except ValueError as error:
        assert str(folder) in str(error)
    else:
        assert isinstance(history, dict)


@hypothesis.given(st.data())
def test_figures_of_runs(tmp_path, data):
    figures = {"method": "m", "steps": 3, "settings": {"seed": 1}, "training": {"loss": 0.5}}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(replaced(data.draw, figures)), encoding="utf-8")
    try:
        found = read_metrics(tmp_path)
    except DamagedFileError as error:
        assert f"{path} holds no figures of a finished run" in str(error)
    else:
        assert isinstance(differences(found["settings"], figures["settings"]), list)


RULES = st.lists(
    st.sampled_from(
        ["Male", "Eyeglasses", "5_o_Clock_Shadow", "A:", "B:", ";", "&", "|", "~", "(", ")"]
        + ["and", "or", "not", "in", "if", "lambda", "Male(", "Male.x", "[0]", "\n", "0", "'"]
    )
    | st.text(max_size=3),
    max_size=12,
)


@hypothesis.given(RULES, st.sampled_from(["", " "]))
def test_rules(words, between):
    try:
        rules = parse_task(between.join(words))
    except ValueError as error:
        assert "Received: " in str(error)
    else:
        assert len(rules) == 2
