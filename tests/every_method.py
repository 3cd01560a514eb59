"""All methods, for `pytest.mark.parametrize` and `params` of long tests."""

import pytest

from mbu_tf.models.methods import METHODS

# With masks and without, one way and two ways, all parts of the others are in these.
QUICK = ("mbu", "masked_didd")
EVERY_METHOD = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in METHODS
]
