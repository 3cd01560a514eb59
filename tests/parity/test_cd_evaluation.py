"""Every output of CD's networks in evaluation mode, at both sizes, against the fixtures."""

import keras
import pytest

from tests.parity.outputs import INSTANCE_NORM, channels_first, check_array, check_norms, recorded
from tests.parity.run import model_at_start


@pytest.mark.parametrize(
    "size,dtype",
    [
        (128, "float32"),
        pytest.param(128, "float64", marks=pytest.mark.slow),
        pytest.param(192, "float64", marks=pytest.mark.slow),
    ],
)
def test_every_array(fixtures, size, dtype):
    keras.config.set_dtype_policy(dtype)
    cd = fixtures("cd", None)
    model = model_at_start(cd, size)
    a, b = cd.images("eval", size)  # b is with content: the fixtures' A.
    code_a, code_b = model.common_code(a), model.common_code(b)
    separate_b = model.separate_code(b)
    found = {
        "e1_a": code_b,
        "e1_b": code_a,
        "e2_a": separate_b,
        "e2_b": model.separate_code(a),
        "disc_a": keras.ops.sigmoid(model.discriminator(code_b))[:, 0],
        "disc_b": keras.ops.sigmoid(model.discriminator(code_a))[:, 0],
        "transfer": model.transfer(a, b).image,
        "rec_a": model.decode(code_b, separate_b),
        "rec_b": model.decode_a(code_a),
        "removal": model.remove(b).image,
    }
    found = {name: channels_first(x) for name, x in found.items()}
    expected, summaries = recorded(cd, size), cd.numbers[f"eval{size}"]
    for name, array in expected.items():
        check_array(name, found[name.removesuffix(".full")], array, INSTANCE_NORM[dtype])
    assert set(found) == set(expected) - {"transfer.full"}
    check_norms(found, summaries)
