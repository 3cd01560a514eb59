"""The mobile example's photo files against the library's reading of them."""

import io
import struct
import sys
import zlib

import icc
import numpy as np
import pytest
from export_scripts import EXPORT, load_script
from PIL import Image

from mbu_tf.data import Photo, read_photo

PICTURE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
ALPHA = np.random.default_rng(1).integers(0, 256, (6, 9), np.uint8)
GREY16 = np.linspace(0, 65535, 54).astype(np.uint16).reshape(6, 9)


@pytest.fixture(scope="module")
def photo_file():
    return load_script(EXPORT / "mobile" / "photo_file.py")


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


@pytest.mark.parametrize(
    "pixels, options",
    [
        (PICTURE, {}),
        (PICTURE, turned()),
        (PICTURE, {"icc_profile": icc.display_p3()}),
        (PICTURE, {"icc_profile": b"no profile"}),
        (PICTURE[..., 0], {"icc_profile": icc.grey()}),
        (GREY16, {}),
        (np.dstack([PICTURE, ALPHA]), {"icc_profile": icc.display_p3()}),
        (np.dstack([PICTURE, ALPHA]), turned()),
    ],
)
def test_photos_are_read_as_the_library_sees_them(pixels, options, photo_file, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path, **options)
    photo, expected = photo_file.read(path), read_photo(path)
    if expected.alpha is not None:  # Here colours are converted before they are laid on white.
        opaque = io.BytesIO()
        Image.fromarray(pixels[..., :3]).save(opaque, "PNG", **options)
        opaque = read_photo(opaque.getvalue()).image
        np.testing.assert_array_equal(photo.colours, opaque)
        np.testing.assert_array_equal(photo.shown, Photo(opaque, alpha=expected.alpha).image)
    else:
        np.testing.assert_array_equal(photo.shown, expected.image)
    if expected.alpha is None:
        assert photo.alpha is None
    else:
        np.testing.assert_array_equal(photo.alpha, expected.alpha)


def test_an_edit_keeps_transparency_as_the_library_does(photo_file, tmp_path):
    edit = np.random.default_rng(2).integers(0, 256, PICTURE.shape, np.uint8)
    mask = np.random.default_rng(3).uniform(-1, 1, ALPHA.shape).clip(0).astype(np.float32)
    photo = photo_file.Photo(PICTURE, ALPHA)
    path = tmp_path / "edited.png"
    photo_file.write(path, photo.edited(edit, mask))
    made = np.array(Image.open(path))
    expected = Photo(PICTURE, alpha=ALPHA).edited(edit, mask)
    np.testing.assert_array_equal(made, np.dstack([expected.pixels, ALPHA]))
    np.testing.assert_array_equal(made[mask == 0, :3], PICTURE[mask == 0])


def png_that_declares(width, height):
    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("sides", [(10_001, 10_000), (23_000, 23_000)])
def test_more_pixels_than_can_be_are_refused_by_the_header(sides, photo_file, edit_photo):
    bomb = io.BytesIO(png_that_declares(*sides))
    with pytest.raises(ValueError, match="over 100 megapixels. Shrink it"):
        photo_file.read(bomb)


def test_the_example_says_what_is_wrong_with_a_file(edit_photo, tmp_path, monkeypatch, capsys):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed: pip install '.[web]'")
    model = EXPORT / "web" / "models" / "avatars-glasses.tflite"
    good, text, bomb = (tmp_path / name for name in ("good.png", "text.png", "bomb.png"))
    Image.new("RGB", (40, 40)).save(good)
    text.write_bytes(b"no image")
    bomb.write_bytes(png_that_declares(20_000, 9_000))
    output = tmp_path / "out.png"
    for arguments, complaint in (
        ((model, text, output), "cannot identify"),
        ((model, bomb, output), "megapixels"),
        ((model, good, tmp_path / "missing" / "out.png"), "No such file"),
        ((text, good, output), "not a valid Flatbuffer"),
        ((tmp_path / "missing.tflite", good, output), "missing.tflite"),
    ):
        model_file, target, place = map(str, arguments)
        command = ["edit_photo.py", model_file, "remove", "--target", target, "--output", place]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit):
            edit_photo.main()
        assert complaint in capsys.readouterr().err
    assert not output.exists()
