import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer

TINY = {"image_size": 32, "depth": 4, "width": 0.03, "separate_channels": 2}


@pytest.fixture
def tiny():
    """A small compiled model of its own for each test."""
    import keras

    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY)
    model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3))
    return model


@pytest.fixture
def images():
    """Images a and b, `(8, 32, 32, 3)` each; b has a dark bar across."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 8, 1, 1, 3)).repeat(32, 2).repeat(32, 3).astype("float32")
    b[:, 12:16] = -0.9
    return a, b
