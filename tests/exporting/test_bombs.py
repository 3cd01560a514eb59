"""Files of a few bytes that would become gigabytes are refused by their heads, undecoded."""

import io
import struct
import zlib

import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf.exporting.image_bytes import MAX_PIXELS
from mbu_tf.exporting.image_sizes import pixels_of
from tests.exporting.test_encoded import FILES, MALFORMED, as_bytes, picture


@pytest.fixture(scope="module")
def pixels():
    function = tf.function(
        pixels_of, autograph=False, input_signature=[tf.TensorSpec((), tf.string)]
    )
    return lambda file: int(function(file))


@pytest.fixture(scope="module")
def loaded(served):
    return tf.saved_model.load(str(served)).signatures


def frames(*sizes):
    """An animated GIF whose frames lie anywhere on the canvas, in sizes (width, height)."""
    blocks = b"".join(
        b"\x2c" + struct.pack("<4HB", 0, 0, *size, 0) + b"\x02\x02\x4c\x01\x00" for size in sizes
    )
    return b"GIF89a" + struct.pack("<2H3B", 1, 1, 0x80, 0, 0) + bytes(6) + blocks + b"\x3b"


def png(width, height):
    """A PNG file of one bit for each pixel, all of them there."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 + (width + 7) // 8)) for _ in range(height))
    chunks = {
        b"IHDR": struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0),
        b"IDAT": data + rows.flush(),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(x)) + kind + x + struct.pack(">I", zlib.crc32(kind + x))
        for kind, x in chunks.items()
    )


def with_size(file, place, code, *size):
    """`file` whose head says another size."""
    said = struct.pack(code, *size)
    return file[:place] + said + file[place + len(said) :]


def jpeg(width, height):
    file = FILES["JPEG"]
    return with_size(file, file.index(b"\xff\xc0") + 5, ">2H", height, width)


LARGEST = 2**14 - 1
WEBP = b"RIFF" + struct.pack("<I", 26) + b"WEBP"
LOSSY = b"VP8 " + struct.pack("<I", 14) + b"\x10\x00\x00\x9d\x01\x2a"
BOMBS = {
    "lossy WebP": (
        WEBP + LOSSY + struct.pack("<2H", LARGEST, LARGEST) + bytes(4),
        LARGEST**2,
    ),
    "lossless WebP": (
        with_size(FILES["lossless WebP"], 21, "<I", (LARGEST - 1) * (1 + 2**14)),
        LARGEST**2,
    ),
    "extended WebP": (
        with_size(FILES["WebP with alpha and metadata"], 24, "<6B", *[255, 255, 0] * 2),
        2**32,
    ),
    "PNG": (png(23_000, 23_000), 23_000**2),
    "PNG of two rows": (png(25_000_001, 2), 50_000_002),
    "JPEG": (jpeg(65_500, 65_500), 65_500**2),
    "BMP": (with_size(FILES["BMP"], 18, "<2i", 30_000, -30_000), 30_000**2),
    "GIF": (frames((65_535, 65_535)), 65_535**2),
    "GIF of many frames": (frames(*[(1000, 1000)] * 60), 60 * 1000**2),
    "GIF of frames that cross": (frames((65_535, 1), (1, 65_535)), 65_535**2),
}


@pytest.mark.parametrize("name", FILES)
def test_the_size_is_pillows(pixels, name):
    with Image.open(io.BytesIO(FILES[name])) as image:
        assert pixels(FILES[name]) == image.width * image.height


def test_all_frames_of_a_gif_count(pixels):
    others = [picture(40, 31, "P", seed) for seed in (1, 2)]
    file = as_bytes(picture(40, 31, "P"), "GIF", save_all=True, append_images=others)
    assert pixels(file) == 3 * 40 * 31
    assert pixels(file[:200]) <= 3 * 40 * 31


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_bomb_says_of_itself(pixels, name):
    file, count = BOMBS[name]
    assert len(file) < 100_000
    assert pixels(file) == count > MAX_PIXELS


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_the_next_request_answered(loaded, name):
    good = FILES["WebP"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 50 megapixels"):
        loaded["segment_encoded"](image=tf.constant([good, BOMBS[name][0]]))
    assert len(loaded["segment_encoded"](image=tf.constant([good]))["mask_bytes"]) == 1


def test_what_is_no_image_has_no_pixels_or_is_refused(pixels):
    for file in [*MALFORMED.values(), b"GIF8", b"GIF89a" + 40 * b"\xff", b"RIFF", b"BM"]:
        try:
            assert pixels(file) < MAX_PIXELS
        except tf.errors.InvalidArgumentError:
            assert file[:2] == b"\xff\xd8"


def test_the_largest_photo_is_read(pixels):
    assert pixels(png(10_000, 5_000)) == MAX_PIXELS
