"""Which files are read: what Pillow reads of photos, by their endings, and HEIC."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from mbu_tf.data import formats
from mbu_tf.data.images import ImageReadError, read_image

RAMP = np.linspace(40, 200, 32)
SMOOTH = np.stack([*np.meshgrid(RAMP, RAMP), np.full((32, 32), 90)], -1).astype(np.uint8)


def encoded(kind, **options):
    formats.readable_formats()  # pillow-heif's too.
    file = io.BytesIO()
    Image.fromarray(SMOOTH).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def without_heif(monkeypatch):
    """As where pillow-heif is not installed."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    for ending in formats.HEIF_ENDINGS:
        monkeypatch.delitem(Image.EXTENSION, ending, raising=False)
    formats.readable_formats.cache_clear()
    formats.image_endings.cache_clear()
    yield
    formats.readable_formats.cache_clear()
    formats.image_endings.cache_clear()


def test_every_ending_of_a_photo_is_known():
    common = "jpg jpeg jpe jfif mpo png webp bmp gif tif tiff avif heic heif hif jp2 ppm pgm"
    assert {"." + ending for ending in common.split()} <= set(formats.image_endings())
    assert not {".txt", ".pdf", ".mp4", ".psd", ".h5", ".eps"} & set(formats.image_endings())


@pytest.mark.parametrize(
    ("kind", "options", "within"),
    [
        ("MPO", {"quality": 95}, 6),
        ("AVIF", {"quality": 95}, 6),
        ("HEIF", {"quality": 95}, 6),
        ("JPEG2000", {"irreversible": False}, 0),
        ("PPM", {}, 0),
    ],
)
def test_the_formats_of_phones_cameras_and_archives(kind, options, within):
    image = read_image(encoded(kind, **options))
    assert np.abs(image.astype(int) - SMOOTH).max() <= within


def test_heic_without_what_reads_it_says_what_does(without_heif, tmp_path):
    assert ".heic" not in formats.image_endings() and ".jpg" in formats.image_endings()
    path = tmp_path / "a.jpg"  # The content decides, and as phones' files begin.
    path.write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic")
    with pytest.raises(ImageReadError, match=r"it is a HEIC photo\. pip install 'mbu_tf\[heic\]'"):
        read_image(path)
