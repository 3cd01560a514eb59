"""Image files with damaged heads: the graph refuses them or reads them, and goes on."""

import functools

import tensorflow as tf

from mbu_tf.exporting import image_bytes
from mbu_tf.exporting.image_sizes import pixels_of
from mbu_tf.exporting.squares import face_square, lay_on, model_input
from mbu_tf.faces import Framing
from tests.exporting.test_encoded import FILES
from tests.fuzzing import hypothesis, mutated, st

SIZE = 8


@functools.cache
def graphs():
    """What decodes a file, and what counts its pixels."""
    signature = [tf.TensorSpec((), tf.string)]
    functions = image_bytes.decode, pixels_of
    return [tf.function(x, autograph=False, input_signature=signature) for x in functions]


@hypothesis.given(st.data())
def test_what_is_decoded_has_the_pixels_that_its_head_says(data):
    decode, count = graphs()
    content = mutated(data.draw, FILES[data.draw(st.sampled_from(sorted(FILES)))])
    try:
        height, width, channels = decode(content).shape
    except tf.errors.InvalidArgumentError:
        return
    assert channels == 3
    assert height * width <= int(count(content)) <= image_bytes.MAX_PIXELS


@functools.cache
def editing():
    """What lays grey on a face by its eyes."""

    def edited(photo, eyes):
        square = face_square(Framing.of("face"), photo, eyes)
        grey = 0.0 * model_input(square, SIZE)
        return lay_on(photo, square, grey, tf.ones_like(grey[..., :1]))

    signature = [tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((4,), tf.float32)]
    return tf.function(edited, autograph=False, input_signature=signature)


COORDINATES = st.floats(width=32) | st.floats(-100, 100, width=32)


@hypothesis.given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.tuples(*[COORDINATES] * 4))
def test_eyes_anywhere(shape, eyes):
    photo = tf.zeros((*shape, 3), tf.uint8)
    try:
        image, opacity = editing()(photo, tf.constant(eyes, tf.float32))
    except tf.errors.InvalidArgumentError:
        return
    assert image.shape == photo.shape and opacity.shape == (*shape, 1)
    assert 0 <= float(tf.reduce_min(opacity)) <= float(tf.reduce_max(opacity)) <= 1
    assert int(tf.reduce_max(image)) <= 128
