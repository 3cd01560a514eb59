"""Every output of DIDD's networks in evaluation mode, at both sizes, against the fixtures.

Each recorded array is the first result after loading the state, since the published
code goes on iterating at inference. With `spectral_updates="training"` every
result of ours is such a first one.
"""

import keras
import numpy as np
import pytest

from mbu_tf.interop import published
from tests.parity.outputs import INSTANCE_NORM, channels_first, check_array, check_norms, recorded
from tests.parity.run import model_at_start


@pytest.fixture
def didd(fixtures):
    return fixtures("didd", "per_call")


@pytest.mark.slow
@pytest.mark.parametrize("size,dtype", [(128, "float32"), (128, "float64"), (192, "float64")])
def test_every_array(didd, size, dtype):
    keras.config.set_dtype_policy(dtype)
    model = model_at_start(didd, size, spectral_updates="training")
    a, b = didd.images("eval", size)
    found = {
        "rec_a": model.combine(common=a, separate_a=a),
        "rec_b": model.combine(common=b, separate_b=b),
        "b_to_a": model.transfer_to_a(b, a).image,
        "a_to_b": model.transfer_to_b(a, b).image,
        "both": model.combine(common=b, separate_a=a, separate_b=b),
    }
    for letter, images in (("a", a), ("b", b)):
        code = model.common_code(images)
        found[f"e_common_of_{letter}"] = code
        found[f"e_separate_A_of_{letter}"] = model.separate_encoder_a(images)
        found[f"e_separate_B_of_{letter}"] = model.separate_encoder_b(images)
        # Positive for A there, for B here.
        found[f"disc_of_{letter}"] = keras.ops.sigmoid(-model.discriminator(code))[:, 0]
        found[f"common_only_{letter}"] = model.combine(common=images)
        found[f"sep_A_only_{letter}"] = model.combine(separate_a=images)
        found[f"sep_B_only_{letter}"] = model.combine(separate_b=images)
    found = {name: channels_first(x) for name, x in found.items()}
    expected, summaries = recorded(didd, size), didd.numbers[f"eval{size}"]
    whole = {name for name in expected if name.endswith(".sample0_full")}
    for name, array in expected.items():
        ours = found[name.split(".")[0]]
        ours = ours[0] if name in whole else ours
        check_array(name, ours, array, INSTANCE_NORM[dtype])
    assert set(found) == set(expected) - whole
    check_norms(found, summaries)


def test_the_published_code_iterates_at_inference(didd):
    """Codes, singular values, u and v of three calls in a row."""
    model = model_at_start(didd, 128)
    a, _ = didd.images("eval", 128)
    for call in didd.numbers["eval128_e_common_of_a_called_three_times"]:
        code = channels_first(model.common_code(a))
        np.testing.assert_allclose(np.linalg.norm(code), call["l2"], rtol=1e-5)
        np.testing.assert_allclose(code.ravel()[:8], call["first8"], atol=5e-5)
        arrays = published.to_checkpoint(model)["e_common"]
        assert len(call["layers"]) == 6
        for layer, values in call["layers"].items():
            kernel, u, v = (arrays[f"{layer}.0.module.weight_{name}"] for name in ("bar", "u", "v"))
            found = u @ kernel.reshape(len(u), -1) @ v
            np.testing.assert_allclose(found, values["sigma"], rtol=1e-5, err_msg=layer)
            for name, vector in (("u", u), ("v", v)):
                first = values[f"weight_{name}_first4"]
                np.testing.assert_allclose(vector[:4], first, atol=1e-6, err_msg=layer)
