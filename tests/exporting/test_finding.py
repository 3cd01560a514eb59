"""Faces found inside a graph, against `find_faces` on two portraits in the public domain."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf.exporting.finding import largest_face
from mbu_tf.faces import find_faces


def portraits():
    matplotlib, skimage = pytest.importorskip("matplotlib"), pytest.importorskip("skimage")
    hopper = pathlib.Path(matplotlib.__file__).parent / "mpl-data/sample_data/grace_hopper.jpg"
    collins = pathlib.Path(skimage.__file__).parent / "data/astronaut.png"
    return [np.asarray(Image.open(path).convert("RGB")) for path in (hopper, collins)]


def scene():
    """One face rolled to the left, and a smaller one of another person."""
    hopper, collins = map(Image.fromarray, portraits())
    picture = Image.new("RGB", (900, 640), (90, 120, 110))
    picture.paste(hopper.rotate(35, expand=True).resize((560, 600)), (20, 20))
    picture.paste(collins.crop((120, 0, 360, 240)), (640, 200))
    return np.asarray(picture)


@pytest.mark.slow
def test_it_agrees_with_the_detector():
    for photo in (*portraits(), scene()):
        left, right = find_faces(photo)[0].eyes
        distance = np.hypot(right[0] - left[0], right[1] - left[1])
        np.testing.assert_allclose(largest_face(photo), (*left, *right), atol=0.06 * distance)


@pytest.mark.parametrize("shape", [(200, 300), (64, 64), (1, 1), (1, 500)])
def test_where_there_is_no_face_the_graph_fails_and_goes_on(shape):
    photo = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    with pytest.raises(tf.errors.InvalidArgumentError, match="No face was found in the photo"):
        largest_face(photo)
    assert largest_face(portraits()[1]).shape == (4,)
