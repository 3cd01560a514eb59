"""Photos keep their colours, transparency and density; models see them in sRGB on white."""

import io

import icc
import numpy as np
import pytest
from PIL import Image, ImageCms

from mbu_tf.data import Photo, read_image, read_photo, write_png
from mbu_tf.data.colour import colour_space

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (6, 9, 3), np.uint8)
# Colours that sRGB has as well, in Display P3.
SOFT = RNG.integers(90, 170, (6, 9, 3), np.uint8)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_display_p3_is_seen_in_srgb_and_kept():
    for pixels in (SOFT, PICTURE):
        photo = read_photo(encoded(pixels, icc_profile=icc.display_p3()))
        np.testing.assert_array_equal(photo.pixels, pixels)
        assert photo.profile == icc.display_p3() and photo.alpha is None
        expected = icc.p3_in_srgb(pixels)
        assert np.abs(photo.image - expected).max() <= 1.5
        np.testing.assert_array_equal(
            read_image(encoded(pixels, icc_profile=photo.profile)), photo.image
        )
    assert np.abs(photo.image.astype(int) - PICTURE).max() > 20


def test_srgb_is_srgb_whatever_its_file():
    space = colour_space(srgb())
    assert space.is_srgb and space.to_srgb(PICTURE) is PICTURE
    assert not colour_space(icc.display_p3()).is_srgb
    photo = read_photo(encoded(PICTURE, icc_profile=srgb()))
    assert photo.profile == srgb()
    np.testing.assert_array_equal(photo.image, PICTURE)
    plain = read_photo(encoded(PICTURE))
    assert plain.profile is None and plain.dpi is None and plain.image is plain.pixels


def test_profiles_that_are_of_no_use_are_passed_over():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for useless in (b"no profile", icc.display_p3()[:200], lab, icc.grey()):
        photo = read_photo(encoded(PICTURE, icc_profile=useless))
        assert photo.profile is None
        np.testing.assert_array_equal(photo.image, PICTURE)


def test_grey_and_cmyk_become_srgb():
    values = np.arange(0, 256, 5, np.uint8)[None]
    photo = read_photo(encoded(values, icc_profile=icc.grey()))
    assert photo.profile is None
    assert np.abs(photo.pixels - icc.encoded((values / 255.0) ** 1.8)[..., None]).max() <= 2
    inks = np.zeros((1, 52, 4), np.uint8)
    inks[..., 3] = values
    cmyk = Image.frombytes("CMYK", (52, 1), inks.tobytes())
    profile = icc.by_table(b"prtr", b"CMYK", 4)
    photo = read_photo(encoded(cmyk, "TIFF", icc_profile=profile))
    expected = icc.lightness_in_srgb(100 * (1 - values / 255.0))
    assert photo.profile is None
    assert np.abs(photo.pixels - expected[..., None]).max() <= 2
    # A grey picture may have a profile of RGB.
    photo = read_photo(encoded(values, icc_profile=icc.display_p3()))
    assert photo.profile == icc.display_p3()
    assert np.abs(photo.image - icc.p3_in_srgb(np.stack([values] * 3, -1))).max() <= 1.5


def test_rgb_without_a_way_back_becomes_srgb():
    profile = icc.by_table(b"scnr", b"RGB ", 3)
    assert not colour_space(profile).returns
    photo = read_photo(encoded(PICTURE, icc_profile=profile))
    expected = icc.lightness_in_srgb(100 * (1 - PICTURE[..., 2:] / 255.0))
    assert photo.profile is None
    assert np.abs(photo.pixels - expected).max() <= 2


def test_an_edit_is_laid_on_in_the_photos_own_colours():
    photo = read_photo(encoded(PICTURE, icc_profile=icc.display_p3(), dpi=(300, 300)))
    mask = np.zeros((6, 9), np.float32)
    mask[2:4], mask[4] = 1, 0.5
    paint = np.array([180, 60, 90])
    image = np.rint(photo.image + mask[..., None] * (paint - photo.image)).astype(np.uint8)
    edited = photo.edited(image, mask)
    np.testing.assert_array_equal(edited.pixels[mask == 0], PICTURE[mask == 0])
    assert np.abs(edited.pixels[2:4] - icc.srgb_in_p3(paint)).max() <= 1.5
    # Colours that sRGB has not shine through as much as anything does.
    own = icc.srgb_in_p3(icc.p3_in_srgb(PICTURE[4]))
    assert np.abs(own - PICTURE[4]).max() > 20
    halfway = icc.srgb_in_p3(image[4]) + 0.5 * (PICTURE[4] - own)
    assert np.abs(edited.pixels[4] - np.clip(halfway, 0, 255)).max() <= 3
    assert (edited.profile, edited.dpi) == (photo.profile, photo.dpi)
    np.testing.assert_array_equal(photo.edited(photo.image, mask * 0).pixels, PICTURE)


def test_an_edit_leaves_transparency_as_it_is():
    alpha = RNG.integers(0, 256, (6, 9), np.uint8)
    alpha[:, :3], alpha[:, 3:6] = 0, 255
    photo = read_photo(encoded(np.dstack([PICTURE, alpha])))
    np.testing.assert_array_equal(photo.pixels, PICTURE)
    np.testing.assert_array_equal(photo.alpha, alpha)
    share = alpha[..., None] / 255.0
    assert np.abs(photo.image - (share * PICTURE + 255 * (1 - share))).max() <= 0.5
    mask = np.zeros((6, 9), np.float32)
    mask[2:4], mask[4:] = 1, 0.25
    paint = np.array([10, 200, 100])
    image = np.rint(photo.image + mask[..., None] * (paint - photo.image)).astype(np.uint8)
    edited = photo.edited(image, mask)
    np.testing.assert_array_equal(edited.alpha, alpha)
    np.testing.assert_array_equal(edited.pixels[mask == 0], PICTURE[mask == 0])
    expected = mask[..., None] * paint + (1 - mask[..., None]) * PICTURE
    assert np.abs(edited.pixels - expected).max() <= 1


def test_a_plain_photo_becomes_its_edit():
    photo = Photo(PICTURE, dpi=(72, 72))
    edited = photo.edited(255 - PICTURE, np.ones((6, 9)))
    np.testing.assert_array_equal(edited.pixels, 255 - PICTURE)
    assert edited.dpi == (72, 72)


def test_what_belongs_to_a_photo_is_written_with_it(tmp_path):
    alpha = RNG.integers(0, 256, (6, 9), np.uint8)
    for photo in (
        Photo(PICTURE),
        Photo(PICTURE, icc.display_p3()),
        Photo(PICTURE, icc.display_p3(), alpha, (300.0, 150.0)),
    ):
        write_png(tmp_path / "out.png", photo)
        read = read_photo(tmp_path / "out.png")
        np.testing.assert_array_equal(read.pixels, photo.pixels)
        np.testing.assert_array_equal(read.alpha, photo.alpha)
        assert read.profile == photo.profile
        # A PNG file counts in whole pixels per metre.
        assert read.dpi == (photo.dpi and pytest.approx(photo.dpi, rel=1e-4))


def test_density_is_of_the_upright_photo():
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG"):
        photo = read_photo(encoded(PICTURE, kind, exif=exif, dpi=(300, 150)))
        assert photo.pixels.shape == (9, 6, 3)
        assert photo.dpi == pytest.approx((150, 300), rel=1e-4)
