import functools

import pytest

from tests.parity.fixtures import Fixtures
from tests.parity.run import train


@pytest.fixture(scope="session")
def mbu():
    return Fixtures("mbu")


@pytest.fixture(scope="session")
def trained(mbu):
    """`trained(size, dtype)`: the recorded training run, made once."""
    return functools.cache(functools.partial(train, mbu))
