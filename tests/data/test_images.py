import errno
import io
import os
import pathlib
import struct
import threading
import types
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from mbu_tf.data import image_files, images
from mbu_tf.data.image_files import ImageFiles, load_images
from mbu_tf.data.images import ImageReadError, read_image

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (6, 9, 3), np.uint8)


def encoded(image, kind="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width, height):
    """A PNG file that ends where its pixels would begin."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + check + b"\0\0\1\0IDAT"


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_come_back_exactly(tmp_path, kind, options):
    path = tmp_path / "picture"
    path.write_bytes(encoded(PICTURE, kind, **options))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        image = read_image(source)
        assert image.dtype == np.uint8
        assert image.flags.writeable
        np.testing.assert_array_equal(image, PICTURE)


def test_jpeg_and_first_gif_frame():
    plain = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    assert np.abs(read_image(encoded(plain, "JPEG", quality=100)) - plain.astype(int)).max() <= 2
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(gif), np.full((4, 4, 3), (255, 0, 0)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda x: x),
        (2, lambda x: x[:, ::-1]),
        (3, lambda x: np.rot90(x, 2)),
        (4, lambda x: x[::-1]),
        (5, lambda x: x.transpose(1, 0, 2)),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(x, 2).transpose(1, 0, 2)),
        (8, lambda x: np.rot90(x, 1)),
    ],
)
def test_exif_orientation(kind, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(PICTURE, kind, exif=exif)
    np.testing.assert_array_equal(read_image(data), upright(PICTURE))


def test_broken_exif_leaves_the_picture_readable():
    data = encoded(PICTURE, exif=b"Exif\0\0 this is no TIFF header")
    np.testing.assert_array_equal(read_image(data), PICTURE)


def test_grey_and_one_bit():
    grey = PICTURE[..., 0]
    np.testing.assert_array_equal(read_image(encoded(grey)), np.stack([grey] * 3, -1))
    bits = grey > 127
    np.testing.assert_array_equal(
        read_image(encoded(Image.fromarray(bits))), np.stack([bits * 255] * 3, -1)
    )


@pytest.mark.parametrize(
    ("kind", "dtype"), [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2"), ("TIFF", "<i4")]
)
def test_sixteen_bits_are_scaled(kind, dtype):
    # 257 * v is the 16-bit value of the 8-bit v; 128 is just under half a step.
    values = np.array([[0, 128, 129, 257, 257 * 100, 65406, 65407, 65535]], dtype)
    expected = np.array([[0, 0, 1, 1, 100, 254, 255, 255]])
    np.testing.assert_array_equal(
        read_image(encoded(values, kind)), np.stack([expected] * 3, axis=-1)
    )


def test_cmyk():
    cmyk = RNG.integers(0, 256, (5, 7, 4), np.uint8)
    image = read_image(encoded(Image.frombytes("CMYK", (7, 5), cmyk.tobytes()), "TIFF"))
    values = cmyk.astype(float)
    expected = (255 - values[..., :3]) * (255 - values[..., 3:]) / 255
    assert np.abs(image - expected).max() <= 1
    # JPEG files hold CMYK inverted.
    plain = Image.new("CMYK", (16, 16), (0, 255, 128, 51))
    image = read_image(encoded(plain, "JPEG", quality=100))
    assert np.abs(image - np.array([204.0, 0.0, 101.6])).max() <= 2


def on_white(rgb, alpha):
    return np.rint((rgb * alpha + 255.0 * (255.0 - alpha)) / 255.0)


def test_transparency_is_laid_on_white():
    rgba = RNG.integers(0, 256, (16, 16, 4), np.uint8)
    rgba[:2, :, 3], rgba[2:4, :, 3] = 0, 255
    expected = on_white(rgba[..., :3].astype(float), rgba[..., 3:].astype(float))
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        np.testing.assert_array_equal(read_image(encoded(rgba, kind, **options)), expected)
    grey = rgba[..., [0, 3]]
    expected = on_white(grey[..., :1].astype(float), grey[..., 1:].astype(float))
    np.testing.assert_array_equal(
        read_image(encoded(Image.frombytes("LA", (16, 16), grey.tobytes()))),
        np.repeat(expected, 3, -1),
    )


def test_transparency_of_palettes_and_single_colours():
    palette = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    plain = [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    np.testing.assert_array_equal(read_image(encoded(palette)), plain)
    one = [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]]
    np.testing.assert_array_equal(read_image(encoded(palette, transparency=1)), one)
    each = [[[255, 255, 255], [204, 255, 204], [0, 0, 255]]]
    alphas = bytes([0, 51, 255])
    np.testing.assert_array_equal(read_image(encoded(palette, transparency=alphas)), each)
    colours = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    np.testing.assert_array_equal(
        read_image(encoded(colours, transparency=(4, 5, 6))), [[[1, 2, 3], [255, 255, 255]]]
    )
    deep = np.array([[0, 300, 65535]], np.uint16)
    np.testing.assert_array_equal(
        read_image(encoded(deep, transparency=300))[..., 0], [[0, 255, 255]]
    )


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", b"", "it is empty"),
        ("text.png", b"no picture at all", "none of JPEG, PNG, WEBP, BMP, GIF, TIFF"),
        ("cut.png", encoded(PICTURE)[:60], "damaged or cut off"),
        ("cut.jpg", encoded(np.zeros((64, 64, 3), np.uint8), "JPEG")[:-200], "damaged or cut"),
        ("cut.webp", encoded(PICTURE, "WEBP")[:40], "damaged"),
        ("float.tif", encoded(np.zeros((2, 2), np.float32), "TIFF"), "mode 'F'"),
        ("lab.tif", encoded(Image.new("LAB", (2, 2)), "TIFF"), "mode 'LAB'"),
        ("deep.tif", encoded(np.full((2, 2), 70000, np.int32), "TIFF"), "from 70000 to 70000"),
        ("large.png", png_header(10_500, 10_500), "Received: 10500 x 10500 pixels$"),
        ("huge.png", png_header(100_000, 100_000), "over 100 megapixels"),
        # Beyond the size of which Pillow warns.
        ("cut_large.png", png_header(9_600, 9_600), "damaged or cut off"),
    ],
)
def test_unreadable_files_are_named_with_the_reason(tmp_path, name, data, reason):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=reason) as error:
        read_image(path)
    assert str(error.value).startswith(f"Cannot read the image {path}: ")


def test_paths_that_are_no_image(tmp_path):
    with pytest.raises(ImageReadError, match=r"missing\.png: there is no such file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(ImageReadError, match="it is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageReadError, match="given as 3 bytes"):
        read_image(b"abc")
    with pytest.raises(TypeError, match="Received: 3$"):
        read_image(3)


def test_crops():
    image = np.arange(5 * 9 * 3, dtype=np.uint8).reshape(5, 9, 3)
    np.testing.assert_array_equal(images.center_square(image), image[:, 2:7])
    tall = image.transpose(1, 0, 2)
    np.testing.assert_array_equal(images.center_square(tall), tall[2:7])
    np.testing.assert_array_equal(images.crop_box(image, (1, 2, 4, 5)), image[2:5, 1:4])
    for box in ((0, 0, 10, 5), (-1, 0, 3, 3), (3, 0, 3, 3)):
        with pytest.raises(ValueError, match=r"9 x 5 pixels.*Received: \("):
            images.crop_box(image, box)


def test_resize_is_anti_aliased():
    board = np.indices((64, 64)).sum(0) % 2 * 255
    image = np.repeat(board[..., None], 3, -1).astype(np.uint8)
    small = images.resize_image(image, 16)
    assert small.shape == (16, 16, 3)
    assert small.dtype == np.uint8
    assert np.abs(small - 127.5).max() <= 2


def test_prepare_crops_before_it_resizes():
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 255
    assert images.prepare_image(image, 4, "center").min() == 255
    assert images.prepare_image(image, 4, (0, 0, 10, 10)).max() == 0
    assert images.prepare_image(image, 4).shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("size", "crop"), [(0, None), (2.5, None), ("8", None), (8, "centre"), (8, (1, 2, 3)), (8, 5)]
)
def test_wrong_preparation(size, crop):
    with pytest.raises(ValueError, match="Received: "):
        ImageFiles([], size, crop)


def test_write_png(tmp_path):
    for picture in (PICTURE, PICTURE[..., 0], PICTURE[:, ::-1]):
        images.write_png(tmp_path / "out.png", picture)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), picture)
    assert os.listdir(tmp_path) == ["out.png"]
    for wrong in (PICTURE.astype(float), PICTURE[None], PICTURE[..., :2]):
        with pytest.raises(ValueError, match=r"Received: (float64|uint8) \("):
            images.write_png(tmp_path / "out.png", wrong)


def test_write_png_on_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    images.write_png(tmp_path / "out.png", PICTURE)

    def fill(image, path, kind, **options):
        pathlib.Path(path).write_bytes(b"half of")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", fill)
    with pytest.raises(OSError, match=r"disk is full; free some space.*out\.png") as error:
        images.write_png(tmp_path / "out.png", PICTURE * 0)
    assert error.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == ["out.png"]
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), PICTURE)


def test_write_png_without_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"create it first.*out\.png"):
        images.write_png(tmp_path / "none" / "out.png", PICTURE)
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="a folder stands there.*taken"):
        images.write_png(tmp_path / "taken", PICTURE)
    assert os.listdir(tmp_path) == ["taken"]


@pytest.fixture
def files(tmp_path):
    """Eight one-coloured images; numbers 0, 3 and 4 are broken."""
    paths = [tmp_path / f"{i}.png" for i in range(8)]
    for i, path in enumerate(paths):
        path.write_bytes(encoded(np.full((4, 4, 3), i, np.uint8)))
    for i in (0, 3, 4):
        paths[i].write_bytes(b"broken")
    return paths


def prepare(image):
    return image[:2, :2]


def test_load_images_keeps_order_and_reports(files):
    with pytest.warns(UserWarning, match=r"^3 of 8 images .*0\.png.*3\.png.*4\.png") as caught:
        array = load_images(files, prepare)
    assert len(caught) == 1
    assert array.shape == (5, 2, 2, 3)
    assert array[:, 0, 0, 0].tolist() == [1, 2, 5, 6, 7]
    messages = []
    load_images(files[:2], prepare, workers=1, report=messages.append)
    assert len(messages) == 1


def test_load_images_names_all_of_many_failures(files, caplog, tmp_path):
    missing = [tmp_path / f"missing{i}.png" for i in range(9)]
    with pytest.warns(UserWarning, match="^9 of 10 images") as caught:
        load_images([*missing, files[1]], prepare)
    told = str(caught[0].message)
    assert [path.name in told for path in missing] == [True] * 5 + [False] * 4
    assert all(path.name in caplog.text for path in missing[5:])


def test_more_images_than_are_read_at_a_time_keep_their_order(files, monkeypatch):
    monkeypatch.setattr(image_files, "BLOCK", 3)
    with pytest.warns(UserWarning, match="^6 of 16 images"):
        array = load_images(files * 2, prepare)
    assert array[:, 0, 0, 0].tolist() == [1, 2, 5, 6, 7] * 2


def test_load_images_without_any(files):
    with pytest.raises(ValueError, match=r"None of 2 images can be read\. .*0\.png.*3\.png"):
        load_images([files[0], files[3]], prepare)


def test_an_image_that_cannot_be_prepared_is_named(files):
    with pytest.raises(ValueError, match=r"1\.png: The crop box must lie within"):
        load_images(files[1:2], lambda image: images.crop_box(image, (0, 0, 9, 9)))


def test_the_cache_on_disk_is_written_once_and_follows_the_files(files, tmp_path, monkeypatch):
    def cached(sources=files, size=2, crop=(0, 0, 2, 2), folder=tmp_path / "cache"):
        images = image_files.cache_images(sources, size, crop, folder)
        return images.take(range(len(images)))[:, 0, 0, 0].tolist()

    with pytest.warns(UserWarning, match="3 of 8 images"):
        assert cached() == [1, 2, 5, 6, 7]
    (file,) = (tmp_path / "cache").iterdir()
    assert file.stat().st_size == 5 * 2 * 2 * 3 + 4  # A checksum.
    # Found again, and no image is read.
    with monkeypatch.context() as patch:
        patch.setattr(image_files, "read_source", None)
        assert cached() == [1, 2, 5, 6, 7]
    # Other pixels, another choice or another crop are another file.
    files[0].write_bytes(encoded(np.full((4, 4, 3), 99, np.uint8)))
    with pytest.warns(UserWarning, match="2 of 8 images"):
        assert cached() == [99, 1, 2, 5, 6, 7]
    assert cached(files[1:3]) == [1, 2]
    assert cached(files[1:3], crop=None) == [1, 2]
    assert cached(files[1:3], size=3) == [1, 2]
    assert cached([files[1].read_bytes()]) == [1]
    assert len(list((tmp_path / "cache").iterdir())) == 6


def test_a_cache_on_a_full_disk_leaves_nothing(files, tmp_path, monkeypatch):
    def cache():
        image_files.cache_images(files[5:], 2, None, tmp_path / "cache")

    free = types.SimpleNamespace(free=35)  # Three images of 12 bytes are 36.
    with monkeypatch.context() as patch:
        patch.setattr(image_files.shutil, "disk_usage", lambda folder: free)
        with pytest.raises(OSError, match=r"GB are needed and .* free; .*\.uint8") as error:
            cache()
        assert error.value.errno == errno.ENOSPC

    def fill(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(image_files.np, "ascontiguousarray", fill)
    with pytest.raises(OSError, match="disk is full"):
        cache()
    assert list((tmp_path / "cache").iterdir()) == []


def test_image_files_put_the_next_in_place_of_broken_ones(files):
    lazy = ImageFiles(files, 2)
    assert len(lazy) == 8
    with pytest.warns(UserWarning) as caught:
        taken = lazy.take([3, 0, 7, 3])
    assert taken.shape == (4, 2, 2, 3)
    assert taken.dtype == np.uint8
    assert taken[:, 0, 0, 0].tolist() == [5, 1, 7, 5]
    assert sorted(pathlib.Path(str(w.message).split(":")[0][22:]).name for w in caught) == [
        "0.png",
        "3.png",
        "4.png",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Each is warned about once only.
        assert lazy.take(np.array([4, -1]))[:, 0, 0, 0].tolist() == [5, 7]
    assert lazy.take([]).shape == (0, 2, 2, 3)
    with pytest.raises(IndexError):
        lazy.take([8])


def test_image_files_go_round_at_the_end_and_may_all_be_broken(files):
    lazy = ImageFiles([files[1], files[0]], 2)
    with pytest.warns(UserWarning, match=r"0\.png"):
        assert lazy.take([1])[0, 0, 0, 0] == 1
    lazy = ImageFiles([files[0], files[3]], 2)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="None of 2 images.*3.png"):
        lazy.take([1])


def test_threads_warn_once(files):
    lazy = ImageFiles(files, 2)
    with pytest.warns(UserWarning) as caught:
        threads = [threading.Thread(target=lazy.take, args=([0, 3],)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caught) == 3


def test_pillow_warnings_do_not_leak_and_others_stay():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ImageReadError):
            read_image(png_header(9_600, 9_600))
        warnings.warn("ours", stacklevel=1)
    assert [str(w.message) for w in caught] == ["ours"]


@pytest.mark.parametrize("damage", ["cut", "zeroed", "altered", "longer"])
def test_a_cache_that_is_not_what_was_written_is_made_anew(files, tmp_path, damage):
    def cached():
        images = image_files.cache_images(files[5:], 2, None, tmp_path / "cache")
        return images.take(range(len(images)))[:, 0, 0, 0].tolist()

    assert cached() == [5, 6, 7]
    (file,) = (tmp_path / "cache").iterdir()
    content = bytearray(file.read_bytes())
    if damage == "cut":  # By a whole image.
        content = content[:12] + content[-4:]
    elif damage == "zeroed":
        content = bytes(len(content))
    elif damage == "altered":
        content[7] ^= 1
    else:
        content += b"\0"
    file.write_bytes(content)
    with pytest.warns(UserWarning, match=r"\.uint8 is damaged, and is made anew"):
        assert cached() == [5, 6, 7]
    assert cached() == [5, 6, 7]


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(ImageReadError, match="it is a pipe or device. Name an image file"):
            read_image(path)


def test_a_result_says_what_made_it(tmp_path):
    images.write_png(tmp_path / "ours.png", PICTURE)
    Image.fromarray(PICTURE).save(tmp_path / "theirs.png")
    (tmp_path / "none.png").write_text("none")
    names = ("ours", "theirs", "none", "missing")
    made = [images.is_made_here(tmp_path / f"{name}.png") for name in names]
    assert made == [True, False, False, False]
