"""All methods, for `parametrize` and `params` of long tests."""

import pytest

from mbu_tf.models.methods import METHODS

# It has the parts of all others, two ways and masks; the models room tests MBU in detail besides.
QUICK = "masked_didd"
EVERY_METHOD = [
    pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in METHODS
]
