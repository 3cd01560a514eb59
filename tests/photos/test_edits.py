"""Edits at the photo's own size; a stub stands in for the model where exact values count."""

import functools
import types

import numpy as np
import pytest

from mbu_tf import photos
from mbu_tf.data.domains import to_model_range, to_uint8
from mbu_tf.faces import CENTRE
from mbu_tf.models.inference import Edit

EDITS = ("transfer_photo", "translate_photo", "remove_photo", "segment_photo")
# What the model paints, enlarged.
plain = types.SimpleNamespace(
    **{name: functools.partial(getattr(photos, name), detail=False) for name in EDITS}
)
SIZE = 16
# Height, width: the model's own, squares, portraits, landscapes, strips and one pixel.
SHAPES = [(SIZE, SIZE), (50, 50), (8, 8), (41, 32), (17, 60), (90, 7), (1, 5), (5, 1), (1, 1)]


def random_photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def square_of(height, width):
    """Slices of the largest centred square."""
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return slice(top, top + side), slice(left, left + side)


class Stub:
    """Paints `paint` (in [-1, 1]) wherever `mask` says, whatever it is shown."""

    image_size, framing = SIZE, CENTRE

    def __init__(self, mask, paint=0.0):
        self.mask = np.broadcast_to(np.float32(mask), (SIZE, SIZE))[None, ..., None]
        self.paint = np.broadcast_to(np.float32(paint), (1, SIZE, SIZE, 3))
        self.seen = []

    def transfer_layer(self, target, reference):
        self.seen += [target, reference]
        return Edit(self.paint, self.mask)

    def removal_layer(self, image, threshold):
        self.seen.append(image)
        self.threshold = threshold
        return Edit(self.paint, np.float32(self.mask > 0))

    def interpolation_layers(self, target, reference_1, reference_2, steps):
        self.seen += [target, reference_1, reference_2]
        paints = [share * self.paint for share in np.linspace(0, 1, steps)]
        return Edit(np.stack(paints, axis=1), np.stack([self.mask] * steps, axis=1))

    def segment(self, image):
        self.seen.append(image)
        return self.mask

    def checked_threshold(self, threshold):
        return 0.25 if threshold is None else threshold


SOFT = np.linspace(-1, 1, SIZE * SIZE).clip(0).reshape(SIZE, SIZE)  # Upper half empty.
REFERENCE = random_photo(20, 30, seed=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("edit", ["transfer", "remove", "interpolate"])
def test_pixels_outside_the_mask_are_the_photos_own(shape, edit):
    photo = random_photo(*shape)
    given = photo.copy()
    photo.flags.writeable = False
    stub = Stub(SOFT, 0.3)
    if edit == "transfer":
        edited = plain.transfer_photo(stub, photo, REFERENCE)
    elif edit == "remove":
        edited = plain.remove_photo(stub, photo)
    else:
        edited = next(photos.interpolate_photo(stub, photo, REFERENCE, REFERENCE, 3))
    assert edited.image.shape == given.shape and edited.image.dtype == np.uint8
    assert edited.mask.shape == shape and edited.mask.dtype == np.float32
    outside = np.ones(shape, bool)
    outside[square_of(*shape)] = False
    assert not edited.mask[outside].any()
    np.testing.assert_array_equal(edited.image[edited.mask == 0], given[edited.mask == 0])
    if edit == "remove":
        assert set(np.unique(edited.mask)) <= {0, 1}
    if min(shape) > 5:  # And something was edited.
        assert (edited.image != given).any() and (edited.mask == 0)[square_of(*shape)].any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "edit",
    [
        lambda stub, photo: plain.transfer_photo(stub, photo, REFERENCE),
        lambda stub, photo: plain.remove_photo(stub, photo),
    ],
)
def test_closed_forms_of_full_and_empty_masks(shape, edit):
    photo = random_photo(*shape)
    image, mask = edit(Stub(0.0, np.nan), photo)
    np.testing.assert_array_equal(image, photo)
    assert not mask.any()

    image, mask = edit(Stub(1.0, [-1.0, 0.2, 1.0]), photo)
    expected, full = photo.copy(), np.zeros(shape)
    expected[square_of(*shape)] = (0, 153, 255)  # (paint + 1) * 127.5
    full[square_of(*shape)] = 1
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_allclose(mask, full, atol=1e-6)


def test_a_soft_mask_blends():
    photo = np.full((SIZE, SIZE, 3), 200, np.uint8)
    edited = plain.transfer_photo(Stub(0.25, 1.0), photo, REFERENCE)
    # 0.25 * 255 + 0.75 * 200 = 213.75
    np.testing.assert_array_equal(edited.image, np.full_like(photo, 214))


def test_the_edit_lies_where_the_mask_was():
    corner = np.zeros((SIZE, SIZE))
    corner[: SIZE // 2, SIZE // 2 :] = 1  # Upper right.
    photo = np.zeros((SIZE, 3 * SIZE, 3), np.uint8)
    edited = plain.remove_photo(Stub(corner, 1.0), photo)
    expected = np.zeros((SIZE, 3 * SIZE))
    expected[: SIZE // 2, SIZE + SIZE // 2 : 2 * SIZE] = 1
    np.testing.assert_array_equal(edited.mask, expected)
    np.testing.assert_array_equal(edited.image, np.repeat(expected[..., None] * 255, 3, axis=-1))


def test_fainter_mask_values_than_the_floor_leave_the_photo_alone():
    photo = random_photo(30, 20)
    edited = plain.transfer_photo(Stub(0.049, 1.0), photo, REFERENCE)
    assert not edited.mask.any()
    np.testing.assert_array_equal(edited.image, photo)
    edited = plain.transfer_photo(Stub(0.049, 1.0), photo, REFERENCE, mask_floor=0.04)
    np.testing.assert_allclose(edited.mask[5:25], 0.049, atol=1e-6)


def test_the_model_sees_the_centre_squares():
    photo = np.full((20, 60, 3), 255, np.uint8)
    photo[:, 20:40] = 0
    tall = np.full((31, 10, 3), 0, np.uint8)
    tall[10:20] = 255
    stub = Stub(SOFT)
    plain.transfer_photo(stub, photo, tall)
    photos.interpolate_photo(stub, photo, tall, photo, 2)
    plain.remove_photo(stub, photo)
    plain.segment_photo(stub, tall)
    black, white = np.full((1, SIZE, SIZE, 3), -1.0), np.full((1, SIZE, SIZE, 3), 1.0)
    for seen, expected in zip(
        stub.seen, [black, white, black, white, black, black, white], strict=True
    ):
        np.testing.assert_array_equal(seen, expected)


def test_segmentation_is_enlarged_and_then_binarised():
    half = np.zeros((SIZE, SIZE))
    half[:, SIZE // 2 :] = 1
    stub, photo = Stub(half), random_photo(32, 48)
    soft = plain.segment_photo(stub, photo, threshold=None)
    # Bilinear, pixel centres a quarter pixel off: the edge's columns are 1/4 and 3/4.
    expected = np.zeros((32, 48))
    expected[:, 23:25], expected[:, 25:40] = (0.25, 0.75), 1
    np.testing.assert_allclose(soft, expected, atol=1e-6)
    assert soft.dtype == np.float32
    for threshold, first in [("stored", 23), (0.5, 24), (0.9, 25)]:
        binary = plain.segment_photo(stub, photo, threshold)
        expected = np.zeros((32, 48), np.float32)
        expected[:, first:40] = 1
        np.testing.assert_array_equal(binary, expected)


def test_removal_passes_the_threshold_on():
    stub = Stub(1.0)
    plain.remove_photo(stub, REFERENCE, threshold=0.7)
    assert stub.threshold == 0.7


def test_interpolation_gives_each_step():
    photo = random_photo(SIZE, 3 * SIZE)
    edits = list(photos.interpolate_photo(Stub(1.0, 1.0), photo, REFERENCE, REFERENCE, 3))
    # Paint 0, 1/2 and 1, that is 127.5 to even, 191.25 and 255.
    assert [int(edit.image[0, SIZE, 0]) for edit in edits] == [128, 191, 255]
    for edit in edits:
        np.testing.assert_array_equal(edit.image[:, :SIZE], photo[:, :SIZE])


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((9, 9, 3), np.float32),
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((1, 9, 9, 3), np.uint8),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_what_is_no_photo_is_refused(photo):
    stub = Stub(SOFT)
    for edit in (
        lambda: plain.transfer_photo(stub, photo, REFERENCE),
        lambda: plain.transfer_photo(stub, REFERENCE, photo),
        lambda: plain.remove_photo(stub, photo),
        lambda: plain.segment_photo(stub, photo),
        lambda: photos.interpolate_photo(stub, REFERENCE, REFERENCE, photo, 2),
    ):
        with pytest.raises(ValueError, match=r"uint8 \(height, width, 3\).*Received: \w+ \("):
            edit()


def test_mask_to_uint8_rounds():
    np.testing.assert_array_equal(
        photos.mask_to_uint8([0, 0.001, 0.003, 0.5, 1]), [0, 0, 1, 128, 255]
    )


# With a real model, on photos of its size, the photo's way and the batch's agree.


@pytest.fixture(scope="module")
def pair():
    return random_photo(32, 32, seed=2), random_photo(32, 32, seed=3)


def batch(photo):
    return to_model_range(photo)[None]


def assert_same_picture(image, expected):
    difference = np.abs(image.astype(int) - to_uint8(expected))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_transfer_of_model_sized_photos(tiny_model, pair):
    target, reference = pair
    edited = photos.transfer_photo(tiny_model, target, reference, mask_floor=0, detail=False)
    edit = tiny_model.transfer(batch(target), batch(reference))
    assert_same_picture(edited.image, edit.image[0])
    np.testing.assert_allclose(edited.mask, edit.mask[0, ..., 0], atol=1e-6)


@pytest.mark.parametrize("threshold", [None, 0.4])
def test_removal_of_model_sized_photos(tiny_model, pair, threshold):
    edited = photos.remove_photo(tiny_model, pair[1], threshold, detail=False)
    edit = tiny_model.remove(batch(pair[1]), threshold)
    assert threshold or 0 < edit.mask.mean() < 1
    assert_same_picture(edited.image, edit.image[0])
    np.testing.assert_array_equal(edited.mask, edit.mask[0, ..., 0])


@pytest.mark.parametrize("threshold", [None, "stored", 0.5])
def test_segmentation_of_model_sized_photos(tiny_model, pair, threshold):
    mask = photos.segment_photo(tiny_model, pair[1], threshold, detail=False)
    expected = tiny_model.segment(batch(pair[1]), threshold)[0, ..., 0]
    np.testing.assert_allclose(mask, expected, atol=1e-6)


def test_interpolation_of_model_sized_photos(tiny_model, pair):
    target, reference = pair
    edits = list(photos.interpolate_photo(tiny_model, target, reference, target, 3, mask_floor=0))
    expected = tiny_model.interpolate(batch(target), batch(reference), batch(target), 3)
    assert len(edits) == 3
    for edit, image, mask in zip(edits, expected.image[0], expected.mask[0], strict=True):
        assert_same_picture(edit.image, image)
        np.testing.assert_allclose(edit.mask, mask[..., 0], atol=1e-6)


class TwoWayStub:
    """Removes with a binary mask in the upper half, then paints the lower half."""

    image_size, framing = SIZE, CENTRE

    def __init__(self):
        upper = np.zeros((1, SIZE, SIZE, 1), np.float32)
        upper[:, : SIZE // 2] = 1.0
        paint = np.ones((1, SIZE, SIZE, 3), np.float32)
        self.layers = [Edit(-paint, upper), Edit(paint, 0.5 * (1.0 - upper))]

    def layers_to_a(self, target, reference):
        return self.layers

    def layers_to_b(self, target, reference):
        return self.layers[::-1]

    def transfer_to_a(self, target, reference):
        raise AssertionError("whole pictures are not asked for")


def test_translation_lays_one_layer_on_the_other_at_the_photos_size():
    photo = random_photo(40, 40)
    edit = plain.translate_photo(TwoWayStub(), photo, REFERENCE, to="a")
    assert edit.image.shape == (40, 40, 3) and edit.image.dtype == np.uint8
    assert (edit.image[:18] == 0).all()
    expected = np.rint((255 + photo[23:].astype(float)) / 2)
    assert np.abs(edit.image[23:] - expected).max() <= 1
    np.testing.assert_allclose(edit.mask[[0, -1]], [[1.0] * 40, [0.5] * 40], atol=1e-6)


def test_translation_by_a_one_way_model_is_transfer():
    photo, stub = random_photo(30, 20), Stub(SOFT, 0.5)
    edit = plain.translate_photo(stub, photo, REFERENCE)
    expected = plain.transfer_photo(stub, photo, REFERENCE)
    np.testing.assert_array_equal(edit.image, expected.image)
    with pytest.raises(ValueError, match="B's part on images of A.*Received: to='a'"):
        plain.translate_photo(stub, photo, REFERENCE, to="a")


@pytest.mark.parametrize("size", [(32, 32), (70, 41)])
@pytest.mark.parametrize("detail", [True, False])
def test_translation_without_a_reference(tiny_fader, size, detail):
    photo = random_photo(*size)
    for to, translate in (("a", tiny_fader.translate_to_a), ("b", tiny_fader.translate_to_b)):
        edit = photos.translate_photo(tiny_fader, photo, None, to, detail=detail)
        rows, columns = square_of(*size)
        assert edit.mask[rows, columns].min() == 1 and edit.mask.sum() == min(size) ** 2
        if size == (32, 32):
            expected = to_uint8(translate(to_model_range(photo[None])).image[0])
            np.testing.assert_allclose(edit.image, expected.astype(int), atol=1)
    with pytest.raises(ValueError, match="takes no reference: leave it out"):
        photos.translate_photo(tiny_fader, photo, photo)


def test_a_model_that_needs_a_reference(tiny_model):
    with pytest.raises(ValueError, match="give a reference image"):
        photos.translate_photo(tiny_model, random_photo(32, 32), None)
