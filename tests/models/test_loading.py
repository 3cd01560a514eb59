import json
import pathlib
import zipfile

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model


class Unregistered(keras.layers.Layer):
    """A layer that no loader knows."""


def test_a_saved_model_comes_back(model_file, tiny_model):
    model = load_model(str(model_file))
    assert type(model) is MaskedContentTransfer
    assert model.get_config() == tiny_model.get_config()
    assert model.checked_threshold() == tiny_model.checked_threshold() != 0.1
    assert model.compiled and model.loss_weights == tiny_model.loss_weights
    images = np.random.default_rng(1).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    expected, found = (m.transfer(images[:2], images[2:]) for m in (tiny_model, model))
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.mask, expected.mask)


def test_a_missing_file(tmp_path):
    path = tmp_path / "missing.keras"
    with pytest.raises(FileNotFoundError, match="There is no model file .*missing.keras. Train"):
        load_model(path)
    with pytest.raises(FileNotFoundError, match="There is no model file"):
        load_model(tmp_path)


@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_a_file_cut_off_in_copying(model_file, tmp_path, part):
    path = tmp_path / "cut.keras"
    content = model_file.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match="cut.keras is no `.keras` file, or was cut off"):
        load_model(path)


def test_a_file_of_another_program(tmp_path):
    path = tmp_path / "text.keras"
    path.write_text("no model " * 1000)
    with pytest.raises(ValueError, match="text.keras is no `.keras` file"):
        load_model(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ValueError, match="text.keras cannot be loaded as an mbu_tf model"):
        load_model(path)


def test_damaged_weights(model_file, tmp_path):
    path = tmp_path / "damaged.keras"
    content = bytearray(model_file.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged.keras cannot be loaded .*is damaged"):
        load_model(path)


def test_a_model_of_another_kind(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="another kind.*Received: Sequential"):
        load_model(path)
    keras.Sequential([keras.Input((2,)), Unregistered()]).save(path)
    with pytest.raises(ValueError, match="made by another program or version"):
        load_model(path)


def test_a_file_under_another_name(model_file, tmp_path):
    path = tmp_path / "model.zip"
    path.write_bytes(model_file.read_bytes())
    with pytest.raises(ValueError, match="must end in .keras; rename it. Received: .*model.zip"):
        load_model(path)
    load_model(path.rename(tmp_path / "model.keras"))


def test_a_file_that_may_not_be_read(model_file, monkeypatch):
    # Tests may run as root, whom no permission bits bind.
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    with pytest.raises(PermissionError, match="tiny.keras"):
        load_model(model_file)


def test_an_error_without_words(model_file, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr(keras.saving, "load_model", fail)
    with pytest.raises(ValueError, match=r"\(AssertionError:?\)"):
        load_model(model_file)


# Written when weights had other paths, frozen networks and learning rates no place in it; trained
# for one step on `batch`.
SAVED_BEFORE = pathlib.Path(__file__).with_name("saved_before.keras")
NEXT_STEPS = [
    {"loss": 6.62137, "recon1_b": 0.50379, "cycle_separate": 0.58104, "discriminator_loss": 1.6528},
    {
        "loss": 6.55253,
        "recon1_b": 0.49998,
        "cycle_separate": 0.60738,
        "discriminator_loss": 1.62195,
    },
]


@pytest.mark.slow
def test_a_file_of_before_goes_on_as_it_would_have():
    batch = np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")
    model = load_model(SAVED_BEFORE)
    assert model.mask_threshold == 0.25 and model.loss_weights["confusion"] == 0.1
    assert model.optimizer.iterations == model.discriminator_optimizer.iterations == 1
    for expected in NEXT_STEPS:
        logs = model.train_on_batch(*batch, return_dict=True)
        for name, value in expected.items():
            assert logs[name] == pytest.approx(value, rel=2e-4), name
    # And its rates are linked from here on.
    model.optimizer.learning_rate = 2.5e-3
    model.train_on_batch(*batch)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(5e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(tiny_model, tmp_path, value):
    model = keras.models.clone_model(tiny_model)
    model.compile()
    weight = model.decoder_a.weights[0]
    weight.assign(np.full(weight.shape, value, np.float32))
    model.save(tmp_path / "diverged.keras")
    with pytest.raises(ValueError, match="diverged.keras has weights that are no finite numbers"):
        load_model(tmp_path / "diverged.keras")


@pytest.mark.parametrize("value", [5.0, 0.0, -1.0])
def test_a_threshold_that_is_none(tiny_model, tmp_path, value):
    model = keras.models.clone_model(tiny_model)
    model.compile()
    model._mask_threshold.assign(value)
    model.save(tmp_path / "damaged.keras")
    with pytest.raises(ValueError, match="is damaged. A mask threshold must lie between 0 and 1"):
        load_model(tmp_path / "damaged.keras")


def test_a_foreign_configuration_takes_no_memory(model_file, tmp_path):
    path = tmp_path / "wide.keras"
    with zipfile.ZipFile(model_file) as given, zipfile.ZipFile(path, "w") as archive:
        for name in given.namelist():
            content = given.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["width"] = 4000
                content = json.dumps(config)
            archive.writestr(name, content)
    with pytest.raises(MemoryError, match="network of width 4000 takes"):
        load_model(path)
