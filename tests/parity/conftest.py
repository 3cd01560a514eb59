import functools
import gc

import pytest

from tests.parity.compact import COMPACT
from tests.parity.fixtures import WHOLE, Fixtures
from tests.parity.run import train


@pytest.fixture
def fixtures(request):
    """`fixtures(implementation, variant)`: in slow tests the whole ones, where they are."""
    slow = request.node.get_closest_marker("slow")
    return functools.partial(Fixtures, folder=WHOLE if slow and WHOLE.is_dir() else COMPACT)


@pytest.fixture(scope="session")
def trained():
    """`trained(a run, dtype)`: what `run.train` gives of it, made once."""

    @functools.cache
    def result(run, dtype):
        gc.collect()  # Full-size models refer to themselves.
        numbers = Fixtures(run.implementation, run.variant)
        return train(numbers, run.size, dtype, getattr(run, dtype))

    return result


@pytest.fixture(autouse=True, scope="module")
def released():
    """So that they do not pile up."""
    yield
    gc.collect()
