"""Squares of a photo at any turn, against closed forms and NumPy's own interpolation."""

import numpy as np
import pytest
from PIL import Image

from mbu_tf.faces import Placement

TURNED = Placement(20.0, 12.0, 40.0, 15.0)
PLACEMENTS = [
    Placement(3, 5, 24, 0),  # On whole pixels,
    Placement(3.25, 5.5, 24.5, 0.0),  # between them,
    TURNED,
    Placement(70.0, 50.0, -30.0, 12.0),  # upside down,
    Placement(-15.0, -9.0, 60.0, 20.0),  # partly outside,
    Placement(40.0, 20.0, 7.0, -7.0),
]


def random_photo(height=64, width=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def centres(height, width):
    """Centres of the pixels, `(height, width, 2)` as x and y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y], axis=-1) + 0.5


def bilinear(channel, points):
    """Values of a channel at points in pixels, beyond its edges mirrored."""
    height, width = channel.shape
    x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    padded = np.pad(channel.astype(float), 200, mode="symmetric")

    def at(row, column):
        return padded[row + 200, column + 200]

    right, below = x - left, y - top
    upper = (1 - right) * at(top, left) + right * at(top, left + 1)
    lower = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
    return (1 - below) * upper + below * lower


def test_the_corners_of_a_turned_square():
    corners = TURNED.to_photo([(0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)])
    expected = [(20, 12), (60, 27), (5, 52), (45, 67), (32.5, 39.5)]
    np.testing.assert_allclose(corners, expected)
    assert TURNED.side == pytest.approx(np.hypot(40, 15)) and TURNED.pixels == 43


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_points_go_there_and_back(placement):
    points = np.random.default_rng(0).uniform(-1, 2, (50, 2))
    np.testing.assert_allclose(placement.to_square(placement.to_photo(points)), points, atol=1e-12)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_upright_square_is_the_photo_at_its_own_scale(placement):
    photo = random_photo()
    square = placement.upright(photo)
    size = placement.pixels
    assert square.shape == (size, size, 3) and square.dtype == np.uint8
    points = placement.to_photo(centres(size, size) / size)
    for c in range(3):
        expected = bilinear(photo[..., c], points)
        assert np.abs(square[..., c] - expected).max() <= 0.51  # Rounded.


def test_a_square_on_whole_pixels_is_a_part_of_the_photo():
    photo = random_photo()
    np.testing.assert_array_equal(Placement(3, 5, 24, 0).upright(photo), photo[5:29, 3:27])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_channel_comes_back_to_where_it_was(placement):
    size = placement.pixels
    # Positions in the square, which interpolation keeps exactly.
    channel = (centres(size, size)[..., 0] + 3 * centres(size, size)[..., 1]).astype(np.float32)
    rows, columns, values = placement.back(channel, 64, 96)
    place = placement.to_square(centres(64, 96)) * size
    inner = ((place >= 0.5) & (place <= size - 0.5)).all(axis=-1)
    assert inner.any()
    whole = np.zeros((64, 96))
    whole[rows, columns] = values
    error = np.abs(whole - (place[..., 0] + 3 * place[..., 1]))[inner]
    assert error.max() <= 1e-3  # Of a pixel: far below the half that is allowed.
    outside = ((place < -0.5) | (place > size + 0.5)).any(axis=-1)
    assert not whole[outside].any()


def test_a_smooth_picture_survives_the_way_there_and_back():
    picture = Image.fromarray(random_photo(8, 12)).resize((96, 64), Image.Resampling.BICUBIC)
    photo = np.asarray(picture)
    square = TURNED.upright(photo)
    rows, columns, values = TURNED.back(square[..., 1].astype(np.float32), 64, 96)
    place = TURNED.to_square(centres(64, 96))[rows, columns]
    inner = ((place > 0.05) & (place < 0.95)).all(axis=-1)
    assert np.abs(values - photo[rows, columns, 1])[inner].mean() < 1.5


def test_a_square_outside_the_photo_gives_nothing_back():
    channel = np.ones((20, 20), np.float32)
    for placement in (Placement(200, 10, 20, 0), Placement(-90.5, 10.0, 20.0, 3.0)):
        channel = np.ones((placement.pixels,) * 2, np.float32)
        assert placement.back(channel, 64, 96)[2].size == 0


def test_beyond_the_edges_the_photo_is_mirrored_as_often_as_needed():
    photo = random_photo(5, 7)
    square = Placement(-12, -9, 40, 0).upright(photo)
    expected = np.pad(photo, ((9, 26), (12, 21), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(square, expected)


def test_absurd_squares_are_refused_before_memory_is_taken():
    with pytest.raises(ValueError, match="eyes' positions.*Received: a square of 1000000000 "):
        Placement(0.5, 0.0, 1e9, 0.0).upright(random_photo())
