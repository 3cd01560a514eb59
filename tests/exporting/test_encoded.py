"""Signatures on bytes against `mbu_tf.photos`, which does the same with Pillow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_image
from mbu_tf.exporting import image_bytes, squares
from mbu_tf.faces import CENTRE
from mbu_tf.photos.views import views

# Height, width: the model's own, squares, portraits, landscapes and strips.
SHAPES = [(32, 32), (50, 50), (8, 8), (90, 64), (61, 200), (300, 7), (1, 1)]


def picture(height, width, mode="RGB", seed=0):
    """A picture with smooth parts, edges and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    channels = [np.sin(9 * x + s) + np.cos(7 * y * s) + (x > y) for s in range(4)]
    pixels = 60 * np.stack(channels, axis=-1) + rng.normal(60, 20, (height, width, 4))
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return image if mode == "RGBA" else image.convert("RGB").convert(mode)


def as_bytes(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


FILES = {
    "JPEG": as_bytes(picture(40, 31), "JPEG", quality=90),
    "JPEG 4:2:0, odd": as_bytes(picture(41, 33), "JPEG", quality=70, subsampling=2),
    "grey JPEG": as_bytes(picture(40, 31, "L"), "JPEG"),
    "progressive JPEG": as_bytes(picture(40, 31), "JPEG", progressive=True),
    "PNG": as_bytes(picture(40, 31), "PNG"),
    "grey PNG": as_bytes(picture(40, 31, "L"), "PNG"),
    "palette PNG": as_bytes(picture(40, 31, "P"), "PNG"),
    "PNG with alpha": as_bytes(picture(40, 31, "RGBA"), "PNG"),
    "grey PNG with alpha": as_bytes(picture(40, 31, "LA"), "PNG"),
    "black and white PNG": as_bytes(picture(40, 31, "1"), "PNG"),
    "WebP": as_bytes(picture(40, 31), "WEBP", quality=80),
    "lossless WebP": as_bytes(picture(40, 31), "WEBP", lossless=True),
    "WebP with alpha": as_bytes(picture(40, 31, "RGBA"), "WEBP", lossless=True),
    "lossless WebP with metadata": as_bytes(picture(40, 31), "WEBP", lossless=True, exif=b"Exif"),
    "WebP with alpha and metadata": as_bytes(picture(40, 31, "RGBA"), "WEBP", exif=b"Exif"),
    "BMP": as_bytes(picture(40, 31), "BMP"),
    "BMP of 32 bits": as_bytes(picture(40, 31, "RGBA"), "BMP"),
    "GIF": as_bytes(picture(40, 31, "P"), "GIF"),
}


@pytest.mark.parametrize("name", FILES)
def test_decoded_as_the_library_reads_them(name):
    got = image_bytes.decode(tf.constant(FILES[name])).numpy()
    np.testing.assert_array_equal(got, read_image(FILES[name]))


@pytest.mark.parametrize("shape", SHAPES + [(480, 640), (33, 31)])
def test_resized_as_the_library_does_but_for_rounding(shape):
    photo = np.asarray(picture(*shape))
    got = squares.model_input(squares.CentreSquare(tf.constant(photo)), 32).numpy()
    wanted = views(photo, CENTRE)[0].at(32)[0]
    levels = np.abs(got - wanted) * 127.5
    # Pillow's weights have 22 bits, which decides where a value is nearly half.
    assert levels.max() <= 1.01 and (levels > 0.5).mean() < 0.002


@pytest.mark.parametrize("shape", SHAPES)
def test_enlarged_as_the_library_does(shape):
    mask = np.random.default_rng(0).random((32, 32, 1), np.float32)
    photo = np.zeros((*shape, 3), np.uint8)
    got = squares.enlarged(tf.constant(mask), squares.CentreSquare(tf.constant(photo)))[..., 0]
    wanted = np.zeros(shape, np.float32)
    rows, columns, values = views(photo, CENTRE)[0].enlarged(mask[..., 0])
    wanted[rows, columns] = values
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.fixture(scope="module")
def loaded(served):
    return tf.saved_model.load(str(served)).signatures


TARGETS = [picture(*shape, seed=1) for shape in SHAPES]
REFERENCES = [picture(*shape, seed=2) for shape in reversed(SHAPES)]


def call(loaded, name, **images):
    got = loaded[name](
        **{k: tf.constant([as_bytes(x, "PNG") for x in v]) for k, v in images.items()}
    )
    return {
        key: [np.asarray(Image.open(io.BytesIO(x))) for x in value.numpy()]
        for key, value in got.items()
    }


def pictures_agree(got, wanted, level):
    """At most so many levels apart at 99 of 100 pixels, and never far."""
    difference = np.abs(got.astype(int) - wanted.astype(int))
    assert got.dtype == wanted.dtype == np.uint8 and got.shape == wanted.shape
    assert np.quantile(difference, 0.99) <= level and difference.max() <= 4 * level + 4


def test_transfer(loaded, small_model):
    got = call(loaded, "transfer_encoded", target=TARGETS, reference=REFERENCES)
    assert set(got) == {"image_bytes", "mask_bytes"}
    results = zip(got["image_bytes"], got["mask_bytes"], TARGETS, REFERENCES, strict=True)
    for image, mask, target, reference in results:
        target = np.asarray(target)
        wanted = photos.transfer_photo(small_model, target, np.asarray(reference), detail=False)
        pictures_agree(image, wanted.image, 1)
        pictures_agree(mask, photos.mask_to_uint8(wanted.mask), 1)
        outside = mask == 0
        np.testing.assert_array_equal(image[outside], target[outside])


def test_remove(loaded, small_model):
    got = call(loaded, "remove_encoded", image=TARGETS)
    assert set(got) == {"image_bytes", "mask_bytes"}
    for image, mask, target in zip(got["image_bytes"], got["mask_bytes"], TARGETS, strict=True):
        target = np.asarray(target)
        wanted = photos.remove_photo(small_model, target, detail=False)
        assert set(np.unique(mask)) <= {0, 255}
        # Where the soft mask lies at the threshold, a rounding decides on a pixel of the model's.
        same = (mask > 0) == (wanted.mask > 0)
        assert same.mean() > 0.97
        pictures_agree(image[same], wanted.image[same], 1)
        outside = mask == 0
        np.testing.assert_array_equal(image[outside], target[outside])


def test_segment(loaded, small_model):
    got = call(loaded, "segment_encoded", image=TARGETS)
    assert set(got) == {"mask_bytes", "binary_bytes"}
    for mask, binary, target in zip(got["mask_bytes"], got["binary_bytes"], TARGETS, strict=True):
        soft = photos.segment_photo(small_model, np.asarray(target), None, detail=False)
        pictures_agree(mask, photos.mask_to_uint8(soft), 1)
        assert set(np.unique(binary)) <= {0, 255}
        clear = np.abs(soft - small_model.mask_threshold) > 0.01
        np.testing.assert_array_equal(
            (binary > 0)[clear], (soft >= small_model.mask_threshold)[clear]
        )


MALFORMED = {
    "no image": b"no image at all",
    "empty": b"",
    "cut off": FILES["PNG"][:200],
    "a JPEG cut off in its header": FILES["JPEG"][:30],
    "TIFF": as_bytes(picture(8, 8), "TIFF"),
    "WebP cut off": FILES["WebP"][:100],
    "WebP of nothing": FILES["WebP"][:16],
    # Without a word on its channels, TensorFlow would write beyond its memory.
    "animated WebP": as_bytes(
        picture(40, 31), "WEBP", save_all=True, append_images=[picture(40, 31, seed=1)]
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_refused_and_the_next_request_is_answered(loaded, case):
    good = FILES["WebP"]
    with pytest.raises(tf.errors.InvalidArgumentError):
        loaded["segment_encoded"](image=tf.constant([good, MALFORMED[case]]))
    assert len(loaded["segment_encoded"](image=tf.constant([good, good]))["mask_bytes"]) == 2


def test_empty_and_unequal_batches_are_refused(loaded):
    none = tf.zeros((0,), tf.string)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must hold at least one image file"):
        loaded["remove_encoded"](image=none)
    with pytest.raises(tf.errors.InvalidArgumentError, match="equally many"):
        loaded["transfer_encoded"](
            target=tf.constant([FILES["PNG"]]), reference=tf.constant([FILES["PNG"]] * 2)
        )
