import os
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_image


@pytest.mark.parametrize("size", [(32, 32), (70, 41), (15, 64), (1, 9)])
def test_the_result_has_the_targets_size(mbu_tf, photo, model_file, tiny_model, tmp_path, size):
    target, reference = photo("target.jpg", *size), photo("reference.png", 50, 60)
    output, mask = tmp_path / "z.png", tmp_path / "m.PNG"
    result = mbu_tf(
        "transfer",
        *(model_file, "--target", target, "--reference", reference),
        *("--output", output, "--mask", mask),
    )
    assert result == (0, "")
    expected = photos.transfer_photo(tiny_model, read_image(target), read_image(reference))
    assert Image.open(output).format == "PNG" and Image.open(output).size == size
    np.testing.assert_array_equal(read_image(output), expected.image)
    written = np.asarray(Image.open(mask))
    np.testing.assert_array_equal(written, photos.mask_to_uint8(expected.mask))


def test_without_mask_one_file_is_written(mbu_tf, photo, model_file, tmp_path):
    image, output = photo("face.png"), tmp_path / "out" / "z.png"
    output.parent.mkdir()
    result = mbu_tf(
        "transfer", model_file, "--target", image, "--reference", image, "--output", output
    )
    assert result == (0, "")
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize("bad", ["model", "target", "reference"])
def test_what_cannot_be_read_is_named(mbu_tf, photo, model_file, tmp_path, bad):
    files = {"model": model_file, "target": photo("a.png"), "reference": photo("b.png")}
    files[bad] = tmp_path / "broken.keras"
    files[bad].write_bytes(b"broken")
    output = tmp_path / "z.png"
    output.write_text("old")
    status, error = mbu_tf(
        "transfer",
        *(files["model"], "--target", files["target"], "--reference", files["reference"]),
        *("--output", output),
    )
    assert status == 1
    assert error.startswith("mbu-tf: ") and error.count("\n") == 1 and "broken.keras" in error
    assert output.read_text() == "old"


def test_an_output_folder_that_is_missing_is_named(mbu_tf, photo, model_file, tmp_path):
    image, output = photo("face.png"), tmp_path / "missing" / "z.png"
    status, error = mbu_tf(
        "transfer", model_file, "--target", image, "--reference", image, "--output", output
    )
    assert status == 1
    assert str(output) in error and error.count("\n") == 1


def test_a_model_that_takes_no_reference(mbu_tf, photo, fader_file, tiny_fader, tmp_path):
    image, output = photo("face.png", 40, 32), tmp_path / "z.png"
    command = ("transfer", fader_file, "--target", image, "--output", output, "--to", "a")
    assert mbu_tf(*command) == (0, "")
    expected = photos.translate_photo(tiny_fader, read_image(image), None, "a")
    np.testing.assert_array_equal(read_image(output), expected.image)
    status, error = mbu_tf(*command, "--reference", image)
    assert (status, error.count("\n")) == (1, 1) and "takes no reference" in error


def test_a_reference_that_is_missing(mbu_tf, photo, model_file, tmp_path):
    status, error = mbu_tf(
        *("transfer", model_file, "--target", photo("face.png"), "--output", tmp_path / "z.png")
    )
    assert (status, error.count("\n")) == (1, 1) and "give a reference image" in error


@pytest.mark.parametrize("over", ["target", "reference", "model", "mask"])
def test_no_result_replaces_what_it_is_made_of(mbu_tf, photo, model_file, tmp_path, over):
    model = shutil.copy(model_file, tmp_path / "model.keras")
    files = {"model": model, "target": photo("a.png"), "reference": photo("b.png")}
    link = tmp_path / "link.png"
    link.symlink_to(files.get(over, "z.png"))
    before = {name: pathlib.Path(path).read_bytes() for name, path in files.items()}
    status, error = mbu_tf(
        "transfer",
        *(model, "--target", files["target"], "--reference", files["reference"]),
        *("--output", link, *(("--mask", tmp_path / "z.png") if over == "mask" else ())),
    )
    assert status == 1 and "would be " in error and "Choose another output" in error
    assert {name: pathlib.Path(path).read_bytes() for name, path in files.items()} == before


def test_a_pipe_is_no_image(mbu_tf, photo, model_file, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    status, error = mbu_tf(
        "transfer",
        *(model_file, "--target", tmp_path / "pipe.png", "--reference", photo("b.png")),
        *("--output", tmp_path / "z.png"),
    )
    assert status == 1 and "pipe.png: it is a pipe or device. Name an image file" in error
