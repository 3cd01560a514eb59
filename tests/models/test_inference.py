"""What an edit is, apart from how it is made."""

import io

import numpy as np
import pytest
from PIL import Image

from mbu_tf.models.inference import Edit


def shown(edit):
    """The picture that a notebook shows, uint8."""
    return np.asarray(Image.open(io.BytesIO(edit._repr_png_())))


def test_a_notebook_shows_images_above_their_masks():
    image = np.random.default_rng(0).uniform(-1, 1, (3, 4, 5, 3)).astype("float32")
    mask = np.random.default_rng(1).uniform(0, 1, (3, 4, 5, 1)).astype("float32")
    pixels = shown(Edit(image, mask))
    assert pixels.shape == (8, 15, 3)
    for i in range(3):
        column = pixels[:, 5 * i : 5 * i + 5]
        np.testing.assert_array_equal(column[:4], np.rint((image[i] + 1) * 127.5))
        np.testing.assert_allclose(column[4:], np.repeat(mask[i] * 255, 3, -1), atol=0.501)


def test_an_interpolation_has_a_row_for_each_target():
    image = np.zeros((2, 6, 4, 4, 3), "float32")
    image[1] = 1
    pixels = shown(Edit(image, np.ones((2, 6, 4, 4, 1), "float32")))
    assert pixels.shape == (16, 24, 3)
    rows = pixels[::4, 0, 0]
    assert list(rows) == [128, 255, 255, 255]


@pytest.mark.parametrize("shape", [(30,), (20, 30)])
def test_of_many_the_first_eight_are_shown(shape):
    image = np.zeros((*shape, 4, 4, 3), "float32")
    pixels = shown(Edit(image, image[..., :1]))
    assert pixels.shape == (8 * 8 if len(shape) == 2 else 8, 8 * 4, 3)
