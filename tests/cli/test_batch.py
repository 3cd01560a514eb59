"""`mbu-tf remove` and `mbu-tf segment`: many images in, one PNG each out."""

import shutil

import numpy as np
import pytest
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_image


@pytest.mark.parametrize("command", ["remove", "segment"])
def test_each_image_gets_its_png(mbu_tf, photo, model_file, tmp_path, command):
    sizes = {"wide.png": (90, 32), "tall.jpg": (20, 75), "little.bmp": (9, 9), "line.png": (40, 1)}
    images = [photo(name, *size) for name, size in sizes.items()]
    output = tmp_path / "made" / "anew"
    assert mbu_tf(command, model_file, *images, "--output", output) == (0, "")
    written = {path.name: Image.open(path) for path in output.iterdir()}
    assert {name: picture.size for name, picture in written.items()} == {
        name.split(".")[0] + ".png": size for name, size in sizes.items()
    }
    mode = {"remove": "RGB", "segment": "L"}[command]
    assert {(picture.format, picture.mode) for picture in written.values()} == {("PNG", mode)}


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_remove_writes_what_the_library_makes(
    mbu_tf, photo, model_file, tiny_model, tmp_path, threshold
):
    options = ["--threshold", threshold] if threshold else []
    image = photo("face.png", 50, 40)
    assert mbu_tf("remove", model_file, image, "--output", tmp_path / "out", *options)[0] == 0
    expected = photos.remove_photo(tiny_model, read_image(image), threshold).image
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "face.png"), expected)


@pytest.mark.parametrize(
    ("options", "threshold"),
    [([], "stored"), (["--threshold", "0.5"], 0.5), (["--soft"], None)],
)
def test_segment_writes_what_the_library_makes(
    mbu_tf, photo, model_file, tiny_model, tmp_path, options, threshold
):
    image = photo("face.png", 50, 40)
    assert mbu_tf("segment", model_file, image, "--output", tmp_path / "out", *options)[0] == 0
    expected = photos.segment_photo(tiny_model, read_image(image), threshold)
    written = np.asarray(Image.open(tmp_path / "out" / "face.png"))
    np.testing.assert_array_equal(written, photos.mask_to_uint8(expected))
    assert threshold is None or set(np.unique(written)) <= {0, 255}


def test_unreadable_images_are_named_and_skipped(mbu_tf, photo, model_file, tmp_path):
    broken, missing = tmp_path / "broken.jpg", tmp_path / "missing.png"
    broken.write_bytes(b"no image")
    images = [photo("first.png"), broken, missing, photo("last.png")]
    status, error = mbu_tf("segment", model_file, *images, "--output", tmp_path / "out")
    assert status == 1
    lines = error.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("mbu-tf: skipped: ") and str(broken) in lines[0]
    assert lines[1].startswith("mbu-tf: skipped: ") and str(missing) in lines[1]
    assert lines[2] == "mbu-tf: skipped 2 of 4 images"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["first.png", "last.png"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["remove", "segment"])
def test_folders_are_mirrored(mbu_tf, photo, model_file, tmp_path, command):
    for name in ("in/a.png", "in/b.jpg", "in/sub/a.bmp", "in/@eaDir/a.png", "in/sub/.a.png"):
        photo(name)
    (tmp_path / "in" / "sub" / "notes.txt").touch()
    extra, output = photo("c.jpg"), tmp_path / "in" / "out"
    options = (command, model_file, tmp_path / "in", extra, "--output", output)
    for _ in range(2):  # Results that lie in the folder are not taken for images of it.
        with pytest.warns(UserWarning, match=r"1 files in .*: 1 \.txt such as sub/notes"):
            assert mbu_tf(*options) == (0, "")
        written = sorted(str(path.relative_to(output)) for path in output.rglob("*.png"))
        assert written == ["a.png", "b.png", "c.png", "sub/a.png"]
    assert Image.open(output / "sub" / "a.png").size == (40, 30)


def test_unreadable_images_of_a_folder_are_named_and_skipped(mbu_tf, photo, model_file, tmp_path):
    photo("in/a.png")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no image")
    status, error = mbu_tf("remove", model_file, tmp_path / "in", "--output", tmp_path / "out")
    assert status == 1
    first, last = error.splitlines()
    assert first.startswith("mbu-tf: skipped: ") and str(tmp_path / "in" / "broken.jpg") in first
    assert last == "mbu-tf: skipped 1 of 2 images"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_a_folder_cannot_overwrite_itself_or_hold_two_of_one_stem(
    mbu_tf, photo, model_file, tmp_path
):
    photo("in/a.png")
    status, error = mbu_tf("remove", model_file, tmp_path / "in", "--output", tmp_path / "in")
    assert status == 1 and "would be overwritten by its own result" in error
    photo("in/a.jpg")
    status, error = mbu_tf("remove", model_file, tmp_path / "in", "--output", tmp_path / "out")
    assert status == 1 and "a.jpg and " in error and "would both be written to" in error
    (tmp_path / "none").mkdir()
    status, error = mbu_tf("remove", model_file, tmp_path / "none", "--output", tmp_path / "out")
    assert status == 1 and "holds no image" in error and "nothing in it" in error
    assert not (tmp_path / "out").exists()


def test_two_images_of_one_stem_are_refused(mbu_tf, photo, model_file, tmp_path):
    images = [photo("face.png"), photo("face.jpg")]
    output = tmp_path / "out"
    status, error = mbu_tf("remove", model_file, *images, "--output", output)
    assert status == 1
    assert error.startswith(f"mbu-tf: {images[0]} and {images[1]} would both be written to")
    assert not output.exists()


def test_an_image_is_not_overwritten_by_its_own_result(
    mbu_tf, photo, model_file, tmp_path, monkeypatch
):
    image = photo("photos/face.png")
    before = image.read_bytes()
    monkeypatch.chdir(image.parent)
    status, error = mbu_tf("remove", model_file, "face.png", "--output", tmp_path / "photos")
    assert status == 1
    assert "face.png would be overwritten by its own result. Choose another --output." in error
    assert image.read_bytes() == before
    # Beside a photo of another format there is room.
    image = photo("photos/other.jpg")
    assert mbu_tf("remove", model_file, image, "--output", tmp_path / "photos") == (0, "")


def bad_models(model_file, folder):
    missing, damaged, foreign = (folder / f"{x}.keras" for x in ("missing", "damaged", "foreign"))
    damaged.write_bytes(model_file.read_bytes()[:5000])
    foreign.write_text("something else")
    renamed = shutil.copy(model_file, folder / "renamed.h5")
    return {
        missing: "There is no model file",
        damaged: "was cut off while being copied",
        foreign: "is no `.keras` file",
        renamed: "must end in .keras",
    }


def test_without_a_good_model_nothing_is_written(mbu_tf, photo, model_file, tmp_path):
    image, output = photo("face.png"), tmp_path / "out"
    for model, message in bad_models(model_file, tmp_path).items():
        status, error = mbu_tf("remove", model, image, "--output", output)
        assert status == 1
        assert error.startswith("mbu-tf: ") and error.count("\n") == 1
        assert message in error and str(model) in error
    assert not output.exists()


def test_an_output_that_is_a_file(mbu_tf, photo, model_file):
    image = photo("face.png")
    status, error = mbu_tf("remove", model_file, image, "--output", image)
    assert status == 1
    assert "a file stands where a folder is needed" in error and error.count("\n") == 1


def test_an_original_is_not_taken_for_an_earlier_result(mbu_tf, photo, model_file, tmp_path):
    image, other = photo("in/a.jpg"), photo("out/a.png")
    original = other.read_bytes()
    status, error = mbu_tf("remove", model_file, image, "--output", tmp_path / "out")
    assert status == 1 and "a.png is there already, and is no result of mbu-tf" in error
    assert other.read_bytes() == original
    other.unlink()
    for _ in range(2):  # Its own result it replaces.
        assert mbu_tf("remove", model_file, image, "--output", tmp_path / "out") == (0, "")


def test_no_image_is_replaced_by_anothers_result(mbu_tf, photo, model_file, tmp_path):
    one, other = photo("in/a.jpg"), photo("b.png")
    (tmp_path / "a.png").symlink_to(other)
    status, error = mbu_tf("remove", model_file, one, other, "--output", tmp_path)
    assert status == 1 and f"b.png would be overwritten by the result of {one}" in error


def test_a_name_that_is_too_long_is_skipped(mbu_tf, photo, model_file, tmp_path):
    images = [photo("first.png"), tmp_path / ("n" * 253), photo("last.png")]
    shutil.copy(images[0], images[1])
    status, error = mbu_tf("segment", model_file, *images, "--output", tmp_path / "out")
    assert status == 1 and "skipped: " in error and "File name too long" in error
    assert "skipped 1 of 3" in error
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["first.png", "last.png"]


@pytest.mark.parametrize("command", ["remove", "segment"])
def test_a_path_that_no_file_can_have_is_skipped(mbu_tf, photo, model_file, tmp_path, command):
    images = 300 * "d", 1000 * "deep/" + "b.png", photo("a.png")
    status, error = mbu_tf(command, model_file, *images, "--output", tmp_path / "out")
    assert status == 1 and "skipped 2 of 3 images" in error
    assert error.count("its path is longer than the system takes") == 2
    assert (tmp_path / "out" / "a.png").exists()
