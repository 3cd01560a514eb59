"""The model of real faces that comes with the package, on two portraits that do, too."""

import numpy as np
import pytest

from mbu_tf.cli.main import main
from mbu_tf.data.images import read_image
from mbu_tf.faces import find_faces
from mbu_tf.models.loading import load_model, pretrained_presets
from mbu_tf.photos import remove_photo, segment_photo, transfer_photo
from mbu_tf.pretrained import SAMPLES, about_pretrained
from mbu_tf.pretrained.weights import FOLDER

HOPPER, COLLINS = SAMPLES / "grace_hopper.jpg", SAMPLES / "eileen_collins.jpg"


@pytest.fixture(scope="module")
def model():
    return load_model("faces_glasses")


@pytest.fixture(scope="module")
def portraits():
    return read_image(HOPPER), read_image(COLLINS)


def from_eyes(photo):
    """Of each pixel x and y from the middle of the eyes, in eye distances."""
    (face,) = find_faces(photo)
    eyes = np.array(face.eyes)
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]] + 0.5
    distance = np.hypot(*(eyes[1] - eyes[0]))
    return [
        (each - middle) / distance for each, middle in zip((x, y), eyes.mean(axis=0), strict=True)
    ]


def around_eyes(photo):
    """Where glasses may be in a photo: boolean `(height, width)`."""
    x, y = from_eyes(photo)
    return (abs(x) < 1.4) & (abs(y) < 0.75)


def upper_rims(hopper):
    """Her glasses' upper rims, black, between eyes and brows: boolean `(height, width)`."""
    x, y = from_eyes(hopper)
    return (abs(x) < 1.15) & (y > -0.4) & (y < -0.1) & (hopper.max(axis=-1) < 70)


def test_glasses_are_outlined_where_they_are(model, portraits):
    hopper, collins = portraits
    mask = segment_photo(model, hopper)
    assert mask[around_eyes(hopper)].sum() > 0.95 * mask.sum()
    assert mask[upper_rims(hopper)].mean() > 0.4
    # Far less is of a face without glasses.
    assert segment_photo(model, collins).sum() < 0.4 * mask.sum()


def test_they_are_put_on_and_taken_off(model, portraits):
    hopper, collins = portraits
    worn = transfer_photo(model, collins, hopper)
    darker = collins.astype(int).mean(axis=-1) - worn.image.astype(int).mean(axis=-1)
    assert (darker[around_eyes(collins)] > 40).mean() > 0.02
    outside = worn.mask == 0
    np.testing.assert_array_equal(worn.image[outside], collins[outside])
    assert outside[~around_eyes(collins)].all()

    taken_off, rims = remove_photo(model, hopper), upper_rims(hopper)
    assert (taken_off.image[rims].astype(int) - hopper[rims]).mean() > 30


def test_what_ships_is_small_and_credited():
    assert sum(x.stat().st_size for x in FOLDER.rglob("*") if x.is_file()) < 12e6
    credits = (FOLDER / "CREDITS.md").read_text("utf-8")
    for name in ("UK Parliament", "5047666", "4220517", "18F", "Congress"):
        assert name in credits
    assert {x.name for x in SAMPLES.glob("*.jpg")} <= {
        word.strip("`:") for word in (SAMPLES / "SOURCES.md").read_text("utf-8").split()
    }


def test_presets_are_listed(capsys):
    assert main(["presets"]) == 0
    printed = capsys.readouterr().out
    for name, method in pretrained_presets().items():
        about = about_pretrained(method.presets[name]["weights"])
        assert f"{name}, {about['arguments']['image_size']} px" in printed
        assert about["licence"] in printed and about["data"] in printed
    for recipe in ("womens_hair", "masked_didd  photos"):
        assert recipe in printed


def test_a_command_takes_its_name(tmp_path):
    output, mask = tmp_path / "out.png", tmp_path / "mask.png"
    status = main(
        ["transfer", "faces_glasses", "--target", str(COLLINS), "--reference", str(HOPPER)]
        + ["--output", str(output), "--mask", str(mask)]
    )
    assert status == 0
    assert read_image(output).shape == read_image(COLLINS).shape
    assert read_image(mask).max() > 127
