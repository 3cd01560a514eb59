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
    status, error = mbu_tf("interpolate", *arguments, image)
    assert status == 1 and "would be overwritten by its own result" in error
