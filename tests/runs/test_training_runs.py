"""One training run in a folder: interrupted, resumed, refused, out of disk."""

import json
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest

from mbu_tf.callbacks import Backup
from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.folders import load_folders
from mbu_tf.data.images import write_png
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.runs import training
from mbu_tf.runs.folder import run_settings, run_state
from mbu_tf.runs.state import state_files
from mbu_tf.system.files import FolderInUseError, sole_use
from tests.kill_training import contents

STEPS = 5  # A prime, in epochs of three and two.


@pytest.fixture(scope="module", autouse=True)
def quick(all_eagerly):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "MAX_EPOCHS", 2)
        yield


@pytest.fixture(scope="module")
def domains():
    rng = np.random.default_rng(0)
    a, b = (ImageArray(rng.integers(0, 256, (n, 32, 32, 3), np.uint8)) for n in (3, 2))
    return TwoDomains(a, b, 32)


def train(domains, folder, **options):
    options = {"steps": STEPS, "batch_size": 1, "checkpoint_every": 2, "width": 0.03, **options}
    keras.config.set_dtype_policy("float32")
    return training.train_preset("avatars", domains, folder, **options)


def test_few_images_that_are_seen_often_are_changed_each_time(domains, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "OFTEN", 2)  # Of the smaller domain's two images.
    options = {"batch_size": 1, "width": 0.03}
    for steps, augment in ((4, None), (5, True)):
        folder = tmp_path / str(steps)
        training.train_preset("auto", domains, folder, steps=steps, **options)
        settings = json.loads((folder / "metrics.json").read_text())["settings"]
        assert settings.get("augment") is augment


def test_drawings_are_learned_longer_at_the_full_rate(domains):
    recipe = MaskedContentTransfer.recipe("auto")
    flat = np.zeros((3, 32, 32, 3), np.uint8)
    drawn = TwoDomains(ImageArray(flat), ImageArray(flat), 32)
    for images, held in ((domains, 0.0), (drawn, training.HELD_FOR_DRAWINGS)):
        fitted = training._fitted(recipe, images, steps=10, batch_size=1)
        assert fitted["optimizer"]["held"] == fitted["discriminator_optimizer"]["held"] == held
    assert recipe["optimizer"]["held"] == "auto"
    by_hand = {**recipe, "optimizer": {**recipe["optimizer"], "held": 0.2}}
    fitted = training._fitted(by_hand, drawn, steps=10, batch_size=1)
    assert (fitted["optimizer"]["held"], fitted["discriminator_optimizer"]["held"]) == (0.2, 0.7)
    plain = MaskedContentTransfer.recipe("avatars")
    assert "held" not in training._fitted(plain, drawn, 10, 1)["optimizer"]


class Crash(Exception):
    pass


def crash(domains, folder, step, **options):
    """A session that ends with the process, as it were, after `step` steps of training in all."""
    at_batch_end = Backup.on_train_batch_end

    def crash(self, batch, logs=None):
        at_batch_end(self, batch, logs)
        if self.step == step:
            raise Crash

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        patch.setattr(Backup, "on_train_batch_end", crash)
        train(domains, folder, **options)


@pytest.fixture(scope="module")
def crashed(domains, tmp_path_factory):
    """A run that crashed within its first epoch and again before the end of its last."""
    folder = tmp_path_factory.mktemp("crashed")
    crash(domains, folder, 3)
    crash(domains, folder, STEPS, resume=True)
    return folder


@pytest.fixture
def started(crashed, tmp_path):
    return pathlib.Path(shutil.copytree(crashed, tmp_path / "run"))


@pytest.fixture(scope="module")
def straight(domains, tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    train(domains, folder)
    return contents(folder)


@pytest.mark.slow
def test_a_run_that_crashed_twice_equals_one_that_did_not(domains, started, straight):
    assert run_state(started) == "started"
    assert [path.stem[-1] for path in state_files(started / "backup")] == ["2", "4"]
    model, metrics = train(domains, started, resume=True)
    assert contents(started) == straight
    assert model.optimizer.iterations == STEPS
    rows = (started / "history.csv").read_text().splitlines()
    assert len(rows) == 3 and {"epoch", "loss"} <= set(rows[0].split(","))
    assert run_state(started) == "finished" and not (started / "backup").exists()
    assert json.loads((started / "metrics.json").read_text())["steps"] == STEPS


@pytest.mark.slow
def test_a_damaged_state_gives_way_to_the_one_before(domains, started, straight):
    os.truncate(state_files(started / "backup")[-1], 1000)
    with pytest.warns(UserWarning, match="is damaged.*The state after step 2 is used instead"):
        train(domains, started, resume=True)
    assert contents(started) == straight


def test_a_run_is_neither_overwritten_nor_resumed_as_another(domains, started):
    before = {path: path.stat().st_mtime_ns for path in started.rglob("*")}
    with pytest.raises(FileExistsError, match="run holds a started training run already"):
        train(domains, started)
    with pytest.raises(ValueError, match="batch_size was 1, now is 2; seed was 0, now is 7. Go on"):
        train(domains, started, batch_size=2, seed=7, resume=True)
    fewer = TwoDomains(domains.a, ImageArray(domains.b.take([1])), 32)
    with pytest.raises(ValueError, match="data.b.images was 2, now is 1; data.b.checksum was"):
        train(fewer, started, resume=True)
    with pytest.raises(ValueError, match="architecture.width was 0.03, now is 0.06"):
        train(domains, started, width=0.06, resume=True)
    assert {path: path.stat().st_mtime_ns for path in started.rglob("*")} == before


@pytest.mark.slow
def test_a_run_killed_after_its_last_step_trains_no_more(domains, tmp_path, straight, monkeypatch):
    def killed(self, *_):
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(MaskedContentTransfer, "calibrate", killed)
        train(domains, tmp_path)
    monkeypatch.setattr(Backup, "on_train_batch_begin", killed)
    train(domains, tmp_path, resume=True)
    assert contents(tmp_path) == straight


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.keras", "metrics.json"])
def test_a_full_disk_loses_no_more_than_the_interval(domains, started, straight, monkeypatch, name):
    kept = [path.read_bytes() for path in state_files(started / "backup")]
    replace = os.replace

    def full(source, target):
        if os.path.basename(target) == name:
            raise OSError(28, os.strerror(28))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match=f"the disk is full; free some space.*{name}"):
            train(domains, started, resume=True)
    assert [path.read_bytes() for path in state_files(started / "backup")][0] in kept
    train(domains, started, resume=True)
    assert contents(started) == straight


def test_two_runs_in_one_folder(domains, started):
    before = {path: path.stat().st_mtime_ns for path in started.rglob("*.*z")}
    with sole_use(started), pytest.raises(FolderInUseError, match="Another run is writing to"):
        train(domains, started, resume=True)
    assert {path: path.stat().st_mtime_ns for path in started.rglob("*.*z")} == before


@pytest.mark.parametrize("content", ["", "null", '{"steps":', "\0\1", "{}"])
def test_figures_that_are_damaged_are_told_of_by_name(domains, started, content):
    (started / "metrics.json").write_text(content)
    with pytest.raises(ValueError, match="metrics.json holds no figures .*Delete it, and the run"):
        train(domains, started, resume=True)


def test_images_exchanged_for_others_are_noticed(tmp_path):
    for letter, count in (("A", 40), ("B", 3)):
        (tmp_path / f"train{letter}").mkdir()
        for i in range(count):
            write_png(tmp_path / f"train{letter}/{i:02d}.png", np.full((8, 8, 3), i, np.uint8))

    def told(cache):
        domains = load_folders(tmp_path, image_size=8, cache=cache)
        return run_settings(MaskedContentTransfer.recipe("avatars"), domains, {})["data"]

    caches = "memory", "none", f"disk:{tmp_path}/cache"
    before = [told(cache) for cache in caches]
    assert before == [told(cache) for cache in caches]
    # One that is not among those whose contents are sampled.
    write_png(tmp_path / "trainA/01.png", np.full((8, 8, 3), 77, np.uint8))
    for old, new in zip(before, [told(cache) for cache in caches], strict=True):
        assert old["a"]["checksum"] == new["a"]["checksum"]
        assert old["a"]["stamp"] != new["a"]["stamp"] and old["b"] == new["b"]


@pytest.mark.parametrize("same_part", [False, True])
def test_a_run_is_of_the_very_weights_that_it_took_over(domains, same_part):
    base = MaskedContentTransfer(image_size=32, width=0.03, separate_channels=1)

    def settings():
        recipe = MaskedContentTransfer.recipe("avatars")
        return run_settings(recipe, domains, {}, base, same_part)["base"]

    of_all = base.separate_encoder, base.decoder_b, base.discriminator
    others = [*(network.weights[0] for network in of_all), base._mask_threshold]
    for variable, matters in [(base.decoder_a.weights[0], True), *((x, same_part) for x in others)]:
        before = settings()
        variable.assign(0.5 * variable.numpy())
        assert (settings() != before) == matters, variable.path
