"""One run that teaches a refiner: in a folder, interrupted, resumed, refused, by command line."""

import json

import keras
import numpy as np
import pytest

from mbu_tf import load_model
from mbu_tf.callbacks import Backup
from mbu_tf.cli.main import main
from mbu_tf.data.domains import TwoDomains
from mbu_tf.data.images import write_png
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.runs.refining import train_refiner

STEPS = 3


@pytest.fixture(scope="module", autouse=True)
def quick(all_eagerly):
    yield


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def domains(photos):
    return TwoDomains.from_arrays(*photos)


def refine(model, domains, folder, **options):
    options = {"steps": STEPS, "batch_size": 1, "channels": 4, "checkpoint_every": 1, **options}
    return train_refiner(model, domains, folder, **options)


@pytest.fixture(scope="module")
def straight(model, domains, tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    refined, metrics = refine(model, domains, folder)
    return folder, refined, metrics


def test_the_folder_holds_the_model_and_its_figures(straight, model):
    folder, refined, metrics = straight
    names = {path.name for path in folder.iterdir()}
    assert {"model.keras", "metrics.json", "history.csv"} <= names and "backup" not in names
    assert json.loads((folder / "metrics.json").read_text())["training"] == metrics["training"]
    assert set(metrics["training"]) == {"loss", "outline", "inside", "edited"}
    saved = load_model(folder / "model.keras")
    for got, wanted in zip(saved.get_weights(), refined.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)
    for name in model.network_names:
        pair = (getattr(x, name).get_weights() for x in (saved, model))
        assert all(np.array_equal(x, y) for x, y in zip(*pair, strict=True))


@pytest.mark.slow
def test_an_interrupted_run_goes_on_exactly(straight, model, domains, tmp_path, monkeypatch):
    class Crash(Exception):
        pass

    def crash(self, batch, logs=None):
        at_batch_end(self, batch, logs)
        if self.step == 2:
            raise Crash

    at_batch_end = Backup.on_train_batch_end
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(Backup, "on_train_batch_end", crash)
        refine(model, domains, tmp_path)
    with pytest.raises(FileExistsError, match="started training run"):
        refine(model, domains, tmp_path)
    with pytest.raises(ValueError, match="channels was 4, now is 5|another model"):
        refine(model, domains, tmp_path, channels=5, resume=True)
    refined, _ = refine(model, domains, tmp_path, resume=True)
    for got, wanted in zip(refined.get_weights(), straight[1].get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)
    again, _ = refine(model, domains, tmp_path, resume=True)  # It is finished.
    for got, wanted in zip(again.get_weights(), refined.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_images_must_be_twice_the_models_size(model, photos, tmp_path):
    small = TwoDomains.from_arrays(*photos[:, :, ::2, ::2])
    with pytest.raises(ValueError, match="load them at 64 px. Received: images of 32 px"):
        refine(model, small, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_command_line(model, photos, tmp_path, capsys):
    for name, images in zip(("trainA", "trainB"), photos, strict=True):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i, image in enumerate(images):
            write_png(tmp_path / "data" / name / f"{i}.png", image)
    model.save(tmp_path / "plain.keras")
    options = ["--data", f"folders:{tmp_path / 'data'}", "--output", str(tmp_path / "out")]
    command = ["refine", str(tmp_path / "plain.keras"), *options, "--steps", "2"]
    assert main([*command, "--batch-size", "1"]) == 0
    assert "3 images without the content (A), 3 with it (B)" in capsys.readouterr().err
    assert load_model(tmp_path / "out" / "model.keras").refiner is not None
    assert main([*command, "--batch-size", "1"]) == 1
    assert "finished training run" in capsys.readouterr().err
