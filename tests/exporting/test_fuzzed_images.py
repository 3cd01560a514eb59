"""Image files with damaged heads: the graph refuses them or reads them, and goes on."""

import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.exporting import image_bytes
from mbu_tf.exporting.image_sizes import pixels_of
from tests.exporting.test_encoded import FILES

SIGNATURE = [tf.TensorSpec((), tf.string)]
MUTANTS = 40


@pytest.mark.parametrize("name", FILES)
def test_what_is_decoded_has_the_pixels_that_its_head_says(name):
    decode = tf.function(image_bytes.decode, autograph=False, input_signature=SIGNATURE)
    count = tf.function(pixels_of, autograph=False, input_signature=SIGNATURE)
    rng, content = np.random.default_rng(len(name)), np.frombuffer(FILES[name], np.uint8)
    for _ in range(MUTANTS):
        mutant = content.copy()
        # Half of them in the first bytes, where sizes stand.
        end = len(content) if rng.random() < 0.5 else 40
        mutant[rng.integers(0, end, rng.integers(1, 4))] = rng.integers(0, 256)
        if rng.random() < 0.2:
            mutant = mutant[: rng.integers(0, len(mutant))]
        try:
            height, width, channels = decode(mutant.tobytes()).shape
        except tf.errors.InvalidArgumentError:
            continue
        assert channels == 3
        assert height * width <= int(count(mutant.tobytes())) <= image_bytes.MAX_PIXELS
