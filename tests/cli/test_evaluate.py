"""`mbu-tf evaluate` on a tiny model and another program's pictures."""

import base64
import io
import json
import re
from unittest import mock

import keras
import numpy as np
import pytest
from PIL import Image

from mbu_tf.cli.main import main
from mbu_tf.data.images import write_png
from mbu_tf.evaluation import attribute_classifier
from mbu_tf.evaluation.features import WeightsUnavailableError
from mbu_tf.evaluation.report import judges


def untrained(train, held_out, steps, seed):
    """In place of `train_attribute_classifier`, which has its own tests."""
    assert (len(train.a), len(held_out.a), steps, seed) == (6, 4, 2, 0)
    keras.utils.set_random_seed(0)
    return attribute_classifier.attribute_classifier(train.image_size), 0.5


def offline():
    raise WeightsUnavailableError("InceptionV3's weights cannot be fetched.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two domains, masks of B's test images, and pictures listed as another program's."""
    folder, rng = tmp_path_factory.mktemp("evaluate"), np.random.default_rng(0)
    for name, count in {"trainA": 6, "trainB": 6, "testA": 4, "testB": 4}.items():
        (folder / "data" / name).mkdir(parents=True)
        for i in range(count):
            picture = rng.integers(0, 256, (32, 32, 3), np.uint8)
            picture[8:16] //= 4 if name.endswith("B") else 1
            write_png(folder / "data" / name / f"{i}.png", picture)
    for name in ("masks", "theirs"):
        (folder / name).mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16] = 255
    write_png(folder / "masks" / "0.png", mask)
    write_png(folder / "masks" / "2.png", mask)
    data = folder / "data"
    (folder / "theirs" / "pairs.csv").write_text(
        "".join(f"{data}/testB/{i}.png,{data}/testA/{i}.png,{data}/testB/{i}.png\n" for i in "012")
    )
    return folder


@pytest.fixture(scope="module")
def evaluate(all_eagerly, folder, model_file, fader_file):
    """Runs the command; gives its exit status and the lines of its progress."""

    def run(*options):
        patch, errors = pytest.MonkeyPatch(), io.StringIO()
        patch.setattr(judges, "InceptionFeatures", offline)
        trained = attribute_classifier.train_attribute_classifier
        patch.setattr(
            attribute_classifier,
            "train_attribute_classifier",
            mock.create_autospec(trained, side_effect=untrained),
        )
        patch.setattr("sys.stderr", errors)
        patch.setattr("sys.stdout", io.StringIO())
        command = ["evaluate", f"tiny={model_file}", f"fader={fader_file}"]
        command += ["--images", str(folder / "theirs")]
        command += ["--data", f"folders:{folder / 'data'}", "--output", str(folder / "out")]
        command += ["--masks", str(folder / "data" / "testB"), str(folder / "masks")]
        try:
            status = main([*command, "--classifier-steps", "2", *options])
        finally:
            patch.undo()
        return status, errors.getvalue().splitlines()

    return run


@pytest.fixture(scope="module")
def first(folder, evaluate):
    result = evaluate("--save-images")
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    return result, metrics, (folder / "out" / "report.html").read_text()


def test_without_inception_all_else_is_measured(first):
    (status, lines), metrics, _ = first
    assert status == 0
    left_out = [line for line in lines if "left out" in line]
    assert "--features classifier" in left_out[0] and len(left_out) == 7
    assert [*metrics["missing"]] == ["real", "distribution", "similarity"]
    tiny, theirs = metrics["systems"]["tiny"], metrics["systems"]["theirs"]
    assert tiny["distribution"] is None and theirs["segmentation"] is None
    assert tiny["segmentation"]["iou"]["n"] == 2 and metrics["data"]["cam"]["iou"]["n"] == 2
    assert tiny["preservation"]["removal"]["change_outside"]["mean"] == 0.0
    assert theirs["attribute"]["transfer"]["n"] == 3
    # Tables 2 and 6 have a row of Fader Networks, table 5 one of AffinityNet.
    fader = metrics["systems"]["fader"]
    assert fader["method"] == "fader" and fader["segmentation"] is None
    assert fader["attribute"]["transfer"]["n"] == fader["attribute"]["removal"]["n"] == 4
    assert metrics["data"]["affinity"]["iou"]["n"] == 2
    assert metrics["data"]["affinity"]["threshold"]["mean"] == 0.5


def test_the_report_holds_its_pictures(first):
    _, _, report = first
    pictures = re.findall(r'src="([^"]*)"', report)
    assert len(pictures) > 100
    assert all(address.startswith("data:image/webp;base64,") for address in pictures)
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0].split(",")[1]))).size == (32, 32)
    cam, affinity = (report.count(f"{x} of the classifier") for x in ("CAM", "AffinityNet"))
    assert cam == affinity > 1
    for heading in (
        "Transfer",
        "Removal",
        "Segmentation",
        "Segmentation by threshold",
        "Interpolation",
        "Swap",
    ):
        assert f"<h2>{heading}</h2>" in report
    assert "InceptionV3&#x27;s weights cannot be fetched." in report
    assert not re.search(r"<(link|script src|img src=\"(?!data:))", report)


def test_a_second_run_computes_only_what_is_missing(first, evaluate, folder):
    part = folder / "out" / "parts" / "tiny" / "attribute.json"
    part.unlink()
    status, lines = evaluate()
    assert status == 0
    computed = [line for line in lines if re.search(r"\(\d+\.\d s\)", line)]
    assert len(computed) == 1 and "tiny: attribute" in computed[0]
    assert json.loads((folder / "out" / "metrics.json").read_text()) == first[1]


def test_the_classifiers_features_need_no_download(first, evaluate, folder):
    status, lines = evaluate("--features", "classifier")
    assert status == 0
    kept = [line.split(": ")[1].split()[0] for line in lines if "(kept)" in line]
    assert "attribute" in kept and "distribution" not in kept
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    # Similarity is not measured in what tells A from B.
    assert [*metrics["missing"]] == ["similarity"]
    tiny, theirs = (metrics["systems"][name] for name in ("tiny", "theirs"))
    assert tiny["distribution"]["transfer"]["to_b"]["fid"]["mean"] > 0.0
    # Theirs are three of the four very images of B.
    assert (
        theirs["distribution"]["transfer"]["to_b"]["fid"]["mean"]
        < (theirs["distribution"]["transfer"]["to_a"]["fid"]["mean"])
    )


def test_saved_pictures_can_be_listed_pictures(first, folder, tiny_model):
    from mbu_tf.data.domains import to_uint8
    from mbu_tf.evaluation.report.listed_pictures import PictureSystem

    made = PictureSystem("again", folder / "out" / "images" / "tiny", 32).make(None, None)
    edit = tiny_model.transfer(made["transfer"].source, made["transfer"].reference)
    difference = to_uint8(edit.image).astype(int) - to_uint8(made["transfer"].image)
    assert len(difference) == 4 and np.abs(difference).max() <= 1


def test_what_goes_together_is_checked(mbu_tf, model_file, tmp_path):
    options = ("--data", f"folders:{tmp_path}", "--output", tmp_path / "out")
    status, error = mbu_tf("evaluate", *options)
    assert status == 1 and "Nothing is to be measured" in error
    options = ("--data", "avatars:glasses", "--output", tmp_path / "out", "--crop", "whole")
    status, error = mbu_tf("evaluate", model_file, *options)
    assert status == 1 and "leave out --crop" in error
    assert not (tmp_path / "out").exists()
