"""Commands give a photo back with its own colours, transparency and density."""

import icc
import numpy as np
import pytest
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_image, read_photo


@pytest.fixture
def target(tmp_path):
    """A photo in Display P3, in part transparent, of which the model sees the centre square."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 4), np.uint8)
    path = tmp_path / "target.png"
    Image.fromarray(pixels).save(path, icc_profile=icc.display_p3(), dpi=(300, 300))
    return path


def assert_belongs_to(path, written, mask):
    own, result = read_photo(path), read_photo(written)
    assert result.profile == icc.display_p3() and result.dpi == own.dpi
    np.testing.assert_array_equal(result.alpha, own.alpha)
    assert 0.2 < (mask == 0).mean() < 0.8
    np.testing.assert_array_equal(result.pixels[mask == 0], own.pixels[mask == 0])
    assert (result.pixels != own.pixels)[mask > 0].mean() > 0.5


def test_transfer(mbu_tf, photo, model_file, tiny_model, target, tmp_path):
    reference, output = photo("r.png"), tmp_path / "z.png"
    files = ("--target", target, "--reference", reference, "--output", output)
    assert mbu_tf("transfer", model_file, *files) == (0, "")
    edit = photos.transfer_photo(tiny_model, read_image(target), read_image(reference))
    assert_belongs_to(target, output, edit.mask)
    expected = read_photo(target).edited(*edit).pixels
    np.testing.assert_array_equal(read_photo(output).pixels, expected)


def test_remove(mbu_tf, model_file, tiny_model, target, tmp_path):
    assert mbu_tf("remove", model_file, target, "--output", tmp_path / "out") == (0, "")
    mask = photos.remove_photo(tiny_model, read_image(target)).mask
    assert_belongs_to(target, tmp_path / "out" / "target.png", mask)


def test_segment_looks_at_what_is_seen(mbu_tf, model_file, tiny_model, target, tmp_path):
    assert mbu_tf("segment", model_file, target, "--output", tmp_path / "out") == (0, "")
    expected = photos.mask_to_uint8(photos.segment_photo(tiny_model, read_image(target)))
    np.testing.assert_array_equal(Image.open(tmp_path / "out" / "target.png"), expected)


def test_interpolate(mbu_tf, photo, model_file, target, tmp_path):
    output = tmp_path / "strip.png"
    files = ("--target", target, "--reference", photo("r.png"), photo("s.png", 20, 20))
    assert mbu_tf("interpolate", model_file, *files, "--steps", 2, "--output", output) == (0, "")
    own, strip = read_photo(target), read_photo(output)
    assert strip.profile == own.profile and strip.dpi == own.dpi
    np.testing.assert_array_equal(strip.alpha[:40], np.concatenate([own.alpha] * 2, axis=1))
    assert strip.alpha[40:].min() == 255
    # Left and right of the centre square.
    np.testing.assert_array_equal(strip.pixels[:40, :10], own.pixels[:, :10])
