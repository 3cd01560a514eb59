import numpy as np
import pytest

from mbu_tf import photos
from mbu_tf.data.images import read_image


@pytest.mark.parametrize(("options", "steps"), [([], 6), (["--steps", "2"], 2)])
def test_a_row_of_images_over_a_row_of_masks(
    mbu_tf, photo, model_file, tiny_model, tmp_path, options, steps
):
    files = photo("a.png", 50, 36), photo("b1.jpg", 32, 32), photo("b2.png", 20, 64)
    output = tmp_path / "strip.png"
    result = mbu_tf(
        "interpolate",
        *(model_file, "--target", files[0], "--reference", *files[1:]),
        *("--output", output, *options),
    )
    assert result == (0, "")
    strip = read_image(output)
    assert strip.shape == (2 * 36, steps * 50, 3)
    edits = list(photos.interpolate_photo(tiny_model, *map(read_image, files), steps))
    for i, edit in enumerate(edits):
        column = strip[:, i * 50 : (i + 1) * 50]
        np.testing.assert_array_equal(column[:36], edit.image)
        for channel in range(3):
            np.testing.assert_array_equal(column[36:, :, channel], photos.mask_to_uint8(edit.mask))


def test_an_unreadable_reference_is_named(mbu_tf, photo, model_file, tmp_path):
    image, output = photo("a.png"), tmp_path / "strip.png"
    status, error = mbu_tf(
        "interpolate",
        *(model_file, "--target", image, "--reference", image, tmp_path / "missing.png"),
        *("--output", output),
    )
    assert status == 1
    assert "missing.png" in error and error.count("\n") == 1
    assert not output.exists()


def test_a_strip_that_memory_cannot_hold_is_refused_with_the_number(
    mbu_tf, photo, model_file, tmp_path, monkeypatch
):
    monkeypatch.setattr("mbu_tf.system.memory.free_memory", lambda: 10**6)
    image, output = photo("a.png", 400, 300), tmp_path / "strip.png"
    arguments = (model_file, "--target", image, "--reference", image, image, "--output")
    status, error = mbu_tf("interpolate", *arguments, output)
    # Six pictures and their masks of 120,000 pixels, four bytes each.
    assert status == 1 and "The strip takes 0.00576 GB" in error and not output.exists()
    assert "Name a folder as --output" in error
    status, error = mbu_tf("interpolate", *arguments, image)
    assert status == 1 and "would be overwritten by its own result" in error


def test_a_folder_gets_an_image_and_a_mask_of_each_step(
    mbu_tf, photo, model_file, tiny_model, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "mbu_tf.system.memory.free_memory", lambda: 10**6
    )  # Too little for a strip.
    files = photo("a.png", 400, 300), photo("b1.jpg", 32, 32), photo("b2.png", 20, 64)
    folder = tmp_path / "new" / "steps"
    command = ["interpolate", model_file, "--target", files[0], "--reference", *files[1:]]
    command += ["--steps", "10", "--output", folder]
    assert mbu_tf(*command) == (0, "")
    names = [f"step-{n:02}{ending}.png" for n in range(1, 11) for ending in ("", "-mask")]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    edits = photos.interpolate_photo(tiny_model, *map(read_image, files), 10)
    for edit, image, mask in zip(edits, names[::2], names[1::2], strict=True):
        np.testing.assert_array_equal(read_image(folder / image), edit.image)
        shares = read_image(folder / mask)
        np.testing.assert_array_equal(shares[..., 0], photos.mask_to_uint8(edit.mask))

    assert mbu_tf(*command) == (0, "")  # Earlier results are replaced, a stranger's files not.
    photo("new/steps/step-03.png")
    status, error = mbu_tf(*command)
    assert status == 1 and "step-03.png is there already, and is no result of mbu-tf" in error


def test_what_steps_are_written_over_is_looked_at_first(mbu_tf, photo, model_file, tmp_path):
    image = photo("step-2.png")
    arguments = (model_file, "--target", image, "--reference", image, image, "--output")
    status, error = mbu_tf("interpolate", *arguments, tmp_path)
    assert status == 1 and "would be overwritten by its own result" in error
    status, error = mbu_tf("interpolate", *arguments, tmp_path / "strip.jpg")
    assert status == 1 and "must end in .png, or have no ending" in error and "strip.jpg" in error
