import contextlib
import io
import json
import types

import keras
import numpy as np
import pytest

from mbu_tf.cli.arguments import FRAMINGS
from mbu_tf.cli.main import main
from mbu_tf.data import sources
from mbu_tf.data.images import read_image, resize_image, write_png
from mbu_tf.faces import FACE, Framing
from mbu_tf.faces.framing import EYES, MOUTH, NAMED
from mbu_tf.models import loading
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from mbu_tf.runs import training
from mbu_tf.system.files import LOCK
from tests.every_method import EVERY_METHOD

TINY = ["--preset", "avatars", "--image-size", "32", "--width", "0.03", "--batch-size", "2"]


def write_images(folder, names, count):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            write_png(folder / name / f"{i}.png", rng.integers(0, 256, (40, 30, 3), np.uint8))


def train(data, output, *options):
    """Exit status, and what was written to stderr."""
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        with contextlib.redirect_stdout(io.StringIO()):
            status = main(
                ["train", *TINY, "--data", f"folders:{data}", "--output", str(output), *options]
            )
    return status, errors.getvalue()


def found(a, b):
    return f"mbu-tf: {a} images without the content (A), {b} with it (B)\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    write_images(folder / "data", ["trainA", "trainB"], 3)
    write_images(folder / "data", ["testA", "testB"], 2)
    result = train(folder / "data", folder / "run", "--steps", "3", "--seed", "5")
    return folder / "run", result


def test_training_writes_model_figures_and_pictures(trained):
    folder, result = trained
    assert result == (0, found(3, 3))
    assert sorted(path.name for path in folder.iterdir()) == [
        LOCK,
        "history.csv",
        "metrics.json",
        "model.keras",
        "pictures",
    ]
    rows = (folder / "history.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,") and [row.split(",")[0] for row in rows[1:]] == list("123")
    pictures = sorted((folder / "pictures").iterdir())
    assert [path.name for path in pictures] == [f"epoch-000{i}.png" for i in (1, 2, 3)]
    assert read_image(pictures[-1]).ndim == 3


@pytest.mark.slow
def test_a_run_starts_from_a_trained_model_and_is_resumed_with_it_alone(trained, tmp_path):
    folder, _ = trained
    data, model, run = folder.parent / "data", folder / "model.keras", tmp_path / "run"
    options = ["--preset", "avatars", "--data", f"folders:{data}", "--output", str(run)]
    options += ["--steps", "1", "--batch-size", "2", "--resume"]
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        assert main(["train", *options, "--from", str(model)]) == 0
        assert main(["train", *options]) == 1
        assert main(["train", *options, "--method", "cd", "--from", str(model)]) == 1
    base, started = load_model(model), load_model(run / "model.keras")
    assert started.arguments == base.arguments and started.optimizer.iterations == 1
    # A step of 4e-3 away.
    moved = started.common_encoder.get_weights()[0] - base.common_encoder.get_weights()[0]
    assert 0 < np.abs(moved).max() < 5e-3
    assert "The finished run" in errors.getvalue() and "`base` must be" in errors.getvalue()


def test_the_figures_say_what_was_run(trained):
    figures = json.loads((trained[0] / "metrics.json").read_text())
    assert (figures["preset"], figures["image_size"], figures["batch_size"]) == ("avatars", 32, 2)
    assert figures["seed"] == 5
    assert figures["steps"] == 3
    for part in ("training", "held_out"):
        assert {"loss", "recon1_b", "confusion", "mask_coverage"} <= set(figures[part])
        assert all(np.isfinite(value) for value in figures[part].values())
    assert "truth" not in figures  # Folders carry none.


def test_the_model_loads_with_its_threshold(trained):
    folder, _ = trained
    model = load_model(folder / "model.keras")
    figures = json.loads((folder / "metrics.json").read_text())
    assert model.image_size == 32 and model.optimizer.iterations == 3
    assert model.checked_threshold() == pytest.approx(figures["mask_threshold"])
    assert figures["mask_threshold"] != pytest.approx(0.1)  # Found, not the published one.


@pytest.fixture
def arguments(monkeypatch):
    """What the library is called with, instead of training."""
    calls = []
    monkeypatch.setattr(training, "train_preset", lambda *args, **more: calls.append((args, more)))
    return calls


def test_options_are_passed_on(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB", "valA", "valB"], 2)
    options = ("--steps", "7", "--seed", "3", "--precision", "mixed_bfloat16")
    options += ("--checkpoint-every", "2")
    assert train(tmp_path / "data", tmp_path / "run", *options) == (0, found(2, 2))
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    [((preset, domains, output), options)] = arguments
    assert (preset, output) == ("avatars", str(tmp_path / "run"))
    assert len(domains.a) == 2 and domains.image_size == 32
    assert len(options.pop("held_out").a) == 2  # Without a test split, that of validation.
    assert options.pop("method") is MaskedContentTransfer
    assert options == {
        "steps": 7,
        "batch_size": 2,
        "seed": 3,
        "width": 0.03,
        "checkpoint_every": 2,
        "resume": False,
    }


def test_what_is_left_out_is_the_presets(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    command = ["train", "--preset", "smile", "--data", f"folders:{tmp_path / 'data'}"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 0
    (_, domains, _), options = arguments[0]
    assert domains.image_size == 128
    assert options.pop("method") is MaskedContentTransfer
    assert options == {"held_out": None, "steps": None, "batch_size": None, "seed": 0} | {
        "resume": False,
    }
    assert keras.config.dtype_policy().name == "float32"


def test_it_is_said_that_nothing_is_held_out(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    status, error = train(tmp_path / "data", tmp_path / "run")
    assert status == 0
    counts, told = error.splitlines()
    assert counts + "\n" == found(1, 1)
    assert told.startswith("mbu-tf: no figures of unseen images, none are held out: ")
    assert "testA" in told
    assert arguments[0][1]["held_out"] is None


def test_what_is_left_aside_is_told_before_training(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB", "testA", "testB"], 2)
    (tmp_path / "data" / "trainB" / "clip.mp4").touch()
    with pytest.warns(UserWarning, match=r"1 files in .*trainB.* 1 \.mp4 such as clip\.mp4"):
        assert train(tmp_path / "data", tmp_path / "run") == (0, found(2, 2))


@pytest.mark.parametrize(
    ("crop", "columns"),
    [([], (5, 35)), (["center"], (5, 35)), (["whole"], (0, 40)), (["1,0,9,30"], (1, 9))],
)
def test_pictures_are_cropped(tmp_path, arguments, crop, columns):
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:, columns[0]], picture[:, columns[1] - 1] = 200, 100
    for name in ("trainA", "trainB", "testA", "testB"):
        (tmp_path / "data" / name).mkdir(parents=True)
        write_png(tmp_path / "data" / name / "1.png", picture)
    train(tmp_path / "data", tmp_path / "run", *(["--crop", *crop] if crop else []))
    [((_, domains, _), options)] = arguments
    for images in (domains.a, domains.b, options["held_out"].a):
        expected = resize_image(picture[:, slice(*columns)], 32)
        np.testing.assert_array_equal(images.take([0])[0], expected)


@pytest.mark.parametrize("data", ["avatars:glasses", "portraits:x:glasses", "drawn_glasses:x"])
def test_what_is_framed_already_is_not_cropped(mbu_tf, tmp_path, data):
    command = ["train", "--preset", "avatars", "--data", data, "--crop", "center"]
    status, error = mbu_tf(*command, "--output", tmp_path / "run")
    assert status == 1
    assert "leave out --crop" in error and error.count("\n") == 1


def test_an_unknown_preset_is_told_before_anything_is_written(tmp_path):
    status, error = train(tmp_path, tmp_path / "run", "--preset", "glases")
    assert status == 1
    assert "'glasses'" in error and "Received: --preset glases" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_missing_data_are_told_before_anything_is_written(tmp_path):
    write_images(tmp_path / "data", ["trainA"], 1)
    status, error = train(tmp_path / "data", tmp_path / "run")
    assert status == 1
    assert "trainB" in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_width_too_small_for_the_preset_is_told(tmp_path):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    status, error = train(tmp_path / "data", tmp_path / "run", "--preset", "glasses")
    assert status == 1
    assert "`width`" in error and error.splitlines()[-1].startswith("mbu-tf: ")


def test_an_output_that_is_a_file(tmp_path):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    (tmp_path / "run").touch()
    status, error = train(tmp_path / "data", tmp_path / "run")
    assert status == 1
    assert "a file stands where a folder is needed" in error.splitlines()[-1]


def test_a_finished_run_is_left_as_it_is(trained):
    folder, _ = trained
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    data, options = folder.parent / "data", ("--steps", "3", "--seed", "5")
    status, error = train(data, folder, *options)
    assert status == 1 and error.endswith(
        f"mbu-tf: {folder} holds a finished training run already, which is not overwritten: resume "
        "it, choose another folder, or delete it.\n"
    )
    assert train(data, folder, *options, "--resume") == (
        0,
        f"{found(3, 3)}mbu-tf: the run in {folder} is finished already\n",
    )
    status, error = train(data, folder, *options[:2], "--resume")
    assert status == 1
    assert "seed was 5, now is 0" in error and error.count("\n") == 2
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_it_is_said_that_there_is_nothing_to_resume(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB", "testA", "testB"], 1)
    status, error = train(tmp_path / "data", tmp_path / "run", "--resume")
    begins = f"mbu-tf: {tmp_path / 'run'} holds no run yet; training begins\n"
    assert (status, error) == (0, found(1, 1) + begins)
    assert arguments[0][1]["resume"] is True


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_every_method_trains_to_a_model_that_loads(tmp_path, name):
    write_images(tmp_path / "data", ["trainA", "trainB", "testA", "testB"], 2)
    options = ("--steps", "1", "--method", name, "--width", "0.06")
    assert train(tmp_path / "data", tmp_path / "run", *options)[0] == 0
    assert type(load_model(tmp_path / "run" / "model.keras")) is METHODS[name]
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["method"] == METHODS[name].__name__
    [picture] = (tmp_path / "run" / "pictures").iterdir()
    assert read_image(picture).std() > 0


def test_a_preset_that_the_method_lacks_is_refused(tmp_path):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    command = ["train", "--method", "didd", "--preset", "smile", "--output", str(tmp_path / "run")]
    assert main([*command, "--data", f"folders:{tmp_path / 'data'}"]) == 1


def test_without_a_preset_the_recipe_for_any_data_is_taken(tmp_path, arguments):
    write_images(tmp_path / "data", ["trainA", "trainB"], 1)
    given = ["--data", f"folders:{tmp_path / 'data'}", "--output", str(tmp_path / "run")]
    assert main(["train", *given]) == 0
    (preset, domains, _), options = arguments[0]
    assert (preset, options["method"], domains.image_size) == ("auto", MaskedContentTransfer, 64)
    with contextlib.redirect_stderr(io.StringIO()) as error:
        assert main(["train", "--method", "didd", *given]) == 1
    assert "only mbu" in error.getvalue() and "'avatars'" in error.getvalue()


def test_every_framing_has_a_name_here():
    assert set(FRAMINGS) == set(NAMED)


@pytest.mark.parametrize(
    "options,framing",
    [
        ([], EYES),
        (["--preset", "photos"], EYES),
        (["--preset", "faces_facial_hair"], MOUTH),
        (["--preset", "faces_facial_hair", "--same-part"], EYES),
        (["--preset", "faces_facial_hair", "--framing", "face"], FACE),
    ],
)
def test_another_part_is_framed_as_its_preset_says(
    options, framing, tmp_path, monkeypatch, arguments
):
    base = MaskedContentTransfer(image_size=32, width=0.03, separate_channels=2, framing=EYES)
    monkeypatch.setattr(loading, "load_model", {"base.keras": base}.get)
    asked = []

    def load(spec, split, image_size, **options):
        asked.append((image_size, Framing.of(options["framing"])))
        return types.SimpleNamespace(a=[1], b=[1])

    monkeypatch.setattr(sources, "load_source", load)
    given = ["--data", "folders:photos", "--output", str(tmp_path / "run")]
    assert main(["train", *given, "--from", "base.keras", *options]) == 0
    assert asked[0] == (32, framing)


def test_the_history_shows_what_weights_became(tmp_path):
    write_images(tmp_path / "data", ["trainA", "trainB"], 2)
    options = ["--image-size", "32", "--width", "0.03", "--batch-size", "2", "--steps", "2"]
    given = ["--data", f"folders:{tmp_path / 'data'}", "--output", str(tmp_path / "run")]
    assert main(["train", *given, *options]) == 0
    header = (tmp_path / "run" / "history.csv").read_text().splitlines()[0].split(",")
    assert {"weight_confusion", "weight_recon2", "weight_mask_size", "restarts"} <= {*header}
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["preset"] == "auto" and figures["settings"]["flip"] in (True, False)
