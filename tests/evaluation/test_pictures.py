import numpy as np
import pytest

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import read_image, resize_image
from mbu_tf.evaluation.pictures import (
    BACKGROUND,
    GAP,
    LABEL_HEIGHT,
    labelled_grid,
    mask_picture,
    model_grid,
    portraits,
    row_of_squares,
    segmentation_picture,
    transfer_grid,
)
from mbu_tf.faces import NoFaceError, Placement, find_faces
from mbu_tf.models.inference import Edit
from mbu_tf.pretrained import SAMPLES


def plain(*colour, size=8):
    return np.full((size, size, 3), colour, np.uint8)


def cell_of(sheet, row, column, cell, top):
    """The pixels of one cell of a grid."""
    y, x = (GAP + i * (cell + GAP) for i in (row, column))
    return sheet[top + y : top + y + cell, x : x + cell]


def blank(sheet):
    return (sheet == BACKGROUND).all()


def test_portraits_have_their_eyes_at_the_same_places():
    photos = [read_image(path) for path in sorted(SAMPLES.glob("*.jpg"))]
    for place, photo in zip(portraits(*photos), photos, strict=True):
        shares = place.to_square(find_faces(photo)[0].eyes)
        np.testing.assert_allclose(shares, [(0.39, 0.42), (0.61, 0.42)], atol=1e-6)
    with pytest.raises(NoFaceError):
        portraits(plain(0, 0, 0, size=64))


def test_squares_stand_side_by_side():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    places = Placement(0, 0, 8, 0), Placement(10, 4, 16, 0)
    row = row_of_squares([(place, picture) for place in places], 8)
    assert row.shape == (8, 16, 3)
    np.testing.assert_array_equal(row[:, :8], picture[:8, :8])
    np.testing.assert_array_equal(row[:, 8:], resize_image(picture[4:20, 10:26], 8))


def test_mask_picture_is_grey():
    mask = np.float32([[0.0, 0.5], [1.0, 1.2]])[..., None]
    picture = mask_picture(mask)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(
        picture, np.stack([np.uint8([[0, 128], [255, 255]])] * 3, axis=-1)
    )


def test_segmentation_picture_tints_the_content_and_fades_the_rest():
    image = plain(255, 100, 0, size=2)
    mask = np.float32([[1, 0], [0, 0.5]])[..., None]
    picture = segmentation_picture(image, mask)
    inside, outside = (254, 50, 127), (227, 150, 100)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, [[inside, outside], [outside, inside]])


def test_the_pictures_stand_in_their_cells():
    rows = [[plain(10, 20, 30), None, plain(40, 50, 60)], [plain(70, 80, 90)]]
    sheet = labelled_grid(rows, cell=24)
    assert sheet.shape == (GAP + 2 * (24 + GAP), GAP + 3 * (24 + GAP), 3)
    assert sheet.dtype == np.uint8
    expected = np.full_like(sheet, 255)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            if picture is not None:
                cell_of(expected, row, column, 24, 0)[:] = picture[0, 0]
    np.testing.assert_array_equal(sheet, expected)


def test_enlarged_pictures_keep_their_pixels():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    sheet = labelled_grid([[picture]], cell=24)
    np.testing.assert_array_equal(cell_of(sheet, 0, 0, 24, 0), picture.repeat(3, 0).repeat(3, 1))


def test_shrunk_pictures_are_averaged():
    stripes = plain(0, 0, 0, size=64)
    stripes[:, ::2] = 200
    inner = cell_of(labelled_grid([[stripes]], cell=16), 0, 0, 16, 0)[2:-2, 2:-2]
    assert np.abs(inner.astype(int) - 100).max() <= 8


def test_each_label_stands_over_its_column():
    sheet = labelled_grid([[plain(0, 0, 0)] * 3], ["first", "", "third"], cell=48)
    assert sheet.shape == (LABEL_HEIGHT + GAP + 48 + GAP, GAP + 3 * (48 + GAP), 3)
    strip = sheet[: LABEL_HEIGHT + GAP]
    columns = [strip[:, GAP + j * (48 + GAP) :][:, :48] for j in range(3)]
    assert [blank(column) for column in columns] == [False, True, False]
    for j in range(3):
        assert not cell_of(sheet, 0, j, 48, LABEL_HEIGHT).any()


class Stub:
    """Transfers the mean of both images, removes to white and finds references above grey."""

    def transfer(self, target, reference):
        assert reference.shape == (1, 8, 8, 3)
        image = (target + reference) / 2
        return Edit(image, np.full((*image.shape[:3], 1), 0.2, np.float32))

    def remove(self, image):
        return Edit(np.ones_like(image), np.ones((*image.shape[:3], 1), np.float32))

    def segment(self, image, threshold=None):
        assert threshold == "stored"
        return np.float32(image[..., :1] > 0)


@pytest.mark.parametrize("cell", [16, 96])
def test_transfer_grid(cell):
    targets, references = (0, 100, 200), (50, 250)
    sheet = transfer_grid(
        Stub(),
        to_model_range([plain(grey, grey, grey) for grey in targets]),
        to_model_range([plain(grey, grey, grey) for grey in references]),
        cell,
    )
    magenta = (125 + 127, 125, 125 + 127)  # 250 halved, tinted.
    expected = [
        [None, 0, 100, 200, None, None],
        [50, 25, 75, 125, 125, 255],  # Segmented as nothing: 50 halved, plus 100.
        [None, 51, 51, 51, 0, None],
        [250, 125, 175, 225, magenta, 255],
        [None, 51, 51, 51, 255, None],
    ]
    size = (LABEL_HEIGHT + GAP + 5 * (cell + GAP), GAP + 6 * (cell + GAP), 3)
    assert sheet.shape == size and sheet.dtype == np.uint8
    for i, row in enumerate(expected):
        for j, colour in enumerate(row):
            found = cell_of(sheet, i, j, cell, LABEL_HEIGHT)
            difference = np.abs(found.astype(int) - (255 if colour is None else colour))
            assert difference.max() <= 1, (i, j)


def test_transfer_grid_of_a_real_model(tiny_model):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    sheet = transfer_grid(tiny_model, images[:2], images[2:], cell=32)
    edit = tiny_model.transfer(images[:2], images[2:])
    shown = to_model_range(cell_of(sheet, 1, 2, 32, LABEL_HEIGHT))
    np.testing.assert_allclose(shown, edit.image[1], atol=0.51 / 127.5)


class Blending:
    """Paints the attribute, from black to white."""

    def translate(self, images, attribute):
        return Edit(np.full_like(images, 2 * attribute - 1), np.ones_like(images[..., :1]))


def test_translations_stand_beside_their_images():
    a, b = (to_model_range(np.stack([plain(i, i, i) for i in x])) for x in ((10, 20), (200,)))
    sheet = model_grid(Blending(), a, b, cell=8)
    for row, grey in enumerate((10, 20, 200)):
        assert (cell_of(sheet, row, 0, 8, LABEL_HEIGHT) == grey).all()
        for column, white in enumerate((0, 64, 128, 191, 255), start=1):
            assert (
                np.abs(cell_of(sheet, row, column, 8, LABEL_HEIGHT).astype(int) - white).max() < 2
            )
