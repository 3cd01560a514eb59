"""What graphs do with squares of photos, against the class that does it in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.exporting import squares
from mbu_tf.faces import CENTRE, FACE

EYES = [
    ((40.0, 30.0), (62.0, 30.0)),
    ((41.3, 44.8), (60.1, 29.9)),
    ((62.0, 31.0), (40.0, 30.0)),  # Upside down.
    ((2.0, 3.0), (20.0, 5.0)),  # Partly outside.
    ((40.0, 30.0), (43.0, 31.0)),
]


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (64, 90, 3), np.uint8)


@pytest.mark.parametrize("eyes", [None, *EYES])
def test_there_and_back(photo, eyes):
    if eyes is None:
        expected, square = CENTRE.placement(64, 90), squares.CentreSquare(tf.constant(photo))
    else:
        expected = FACE.placement(64, 90, eyes)
        flat = tf.constant(np.ravel(eyes), tf.float32)
        square = squares.face_square(FACE, tf.constant(photo), flat)
        points = np.random.default_rng(2).uniform(-1, 2, (7, 2)).astype(np.float32)
        np.testing.assert_allclose(square.to_photo(points), expected.to_photo(points), atol=1e-3)
    assert int(square.pixels) == expected.pixels

    difference = np.abs(square.upright().numpy().astype(int) - expected.upright(photo))
    assert difference.max() <= 1 and difference.mean() < 0.02

    channel = np.random.default_rng(1).random((expected.pixels,) * 2).astype(np.float32)
    whole = np.zeros((64, 90), np.float32)
    rows, columns, values = expected.back(channel, 64, 90)
    whole[rows, columns] = values
    given = square.back(channel[..., None])[..., 0]
    # On the square's very border a pixel may fall to either side.
    assert (np.abs(given - whole) > 1e-3).mean() < 0.002


@pytest.mark.parametrize("eyes", [(5, 5, 5, 5), (np.nan, 1, 2, 3), (0, 0, 1e9, 0)])
def test_eyes_that_cannot_be_are_refused(photo, eyes):
    with pytest.raises(tf.errors.InvalidArgumentError, match="eyes must be pixels of the photo"):
        squares.face_square(FACE, tf.constant(photo), tf.constant(eyes, tf.float32))
