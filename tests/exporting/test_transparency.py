"""Signatures on bytes keep a photo's transparency, as `mbu_tf.data.Photo` does."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_photo

RNG = np.random.default_rng(0)


def as_bytes(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def cut_out(channels):
    """A smooth picture whose alpha falls from 255 to 0."""
    y, x = np.mgrid[:40, :60]
    colours = [60 + 2 * x, 200 - 3 * y, 90 + x + y][: channels - 1]
    return np.stack([*colours, 255 - 4 * x], axis=-1).astype(np.uint8)


FILES = {
    "PNG": as_bytes(cut_out(4), "PNG"),
    "grey PNG": as_bytes(cut_out(2), "PNG"),
    "WebP": as_bytes(cut_out(4), "WEBP", lossless=True, exact=True),
}


@pytest.fixture(scope="module")
def loaded(served):
    return tf.saved_model.load(str(served)).signatures


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("operation", ["transfer", "remove"])
def test_the_result_is_as_transparent_as_the_photo(loaded, small_model, kind, operation):
    photo = read_photo(FILES[kind])
    if operation == "transfer":
        reference = RNG.integers(0, 256, (30, 30, 3), np.uint8)
        files = {"target": [FILES[kind]], "reference": [as_bytes(reference, "PNG")]}
        edit = photos.transfer_photo(small_model, photo.image, reference, detail=False)
    else:
        files = {"image": [FILES[kind]]}
        edit = photos.remove_photo(small_model, photo.image, detail=False)
    got = loaded[f"{operation}_encoded"](**{k: tf.constant(v) for k, v in files.items()})
    image = np.asarray(Image.open(io.BytesIO(got["image_bytes"].numpy()[0])))
    mask = np.asarray(Image.open(io.BytesIO(got["mask_bytes"].numpy()[0])))
    assert image.shape == (40, 60, 4)
    np.testing.assert_array_equal(image[..., 3], photo.alpha)
    np.testing.assert_array_equal(image[mask == 0][:, :3], photo.pixels[mask == 0])
    expected = photo.edited(*edit).pixels
    same = (mask > 0) == (edit.mask > 0)
    assert same.mean() > 0.97
    difference = np.abs(image[..., :3].astype(int) - expected)[same]
    assert np.quantile(difference, 0.99) <= 1 and difference.max() <= 8
    assert (expected != photo.pixels).mean() > 0.2


def test_an_opaque_photo_has_no_alpha_channel(loaded):
    pixels = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    got = loaded["remove_encoded"](image=tf.constant([as_bytes(pixels, "PNG")] * 2))
    for file in got["image_bytes"].numpy():
        assert Image.open(io.BytesIO(file)).mode == "RGB"
