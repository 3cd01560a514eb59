"""The compact fixtures are the whole ones, but for what is left out."""

import numpy as np
import pytest

from tests.parity.compact import COMPACT, IMPLEMENTATIONS, compact_arrays, compact_numbers, read
from tests.parity.fixtures import WHOLE, Fixtures


@pytest.mark.skipif(not WHOLE.is_dir(), reason=f"the whole parity fixtures are not in {WHOLE}")
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_made_of_the_whole_ones(implementation):
    numbers, arrays = read(WHOLE, implementation)
    kept_numbers, kept_arrays = read(COMPACT, implementation)
    assert kept_numbers == compact_numbers(numbers)
    expected = compact_arrays(arrays)
    assert set(kept_arrays) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(kept_arrays[name], array, strict=True, err_msg=name)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_the_rule_gives_the_tensors_that_were_recorded(implementation):
    fixtures = Fixtures(implementation)
    size = 64 if implementation == "mbu" else 128
    tensors = {k: x for k, x in fixtures.numbers["tensors"].items() if "l2" in x}
    assert len(tensors) > 30
    for name, entry in tensors.items():
        tensor = fixtures.tensor(name, size).astype(np.float64)
        np.testing.assert_allclose(np.linalg.norm(tensor), entry["l2"], rtol=1e-8, err_msg=name)
        np.testing.assert_allclose(tensor.ravel()[:4], entry["first4"], rtol=1e-7, err_msg=name)
