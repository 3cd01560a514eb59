"""Every layer's output in evaluation mode, to see which one is the first to differ."""

import keras
import numpy as np
import pytest
from keras import ops

from mbu_tf.interop.codes import code_of_model
from tests.parity.outputs import TOLERANCE, channels_first
from tests.parity.run import model_at_start


def inputs(implementation, model, a, b):
    """What each network was given, by the published names."""
    if implementation == "didd":
        common, separate = model.common_code(b), model.separate_encoder_a(a)
        codes = ops.concatenate([common, separate, ops.zeros_like(separate)], axis=-1)
        return {
            "e_common": b,
            "e_separate_A": a,
            "e_separate_B": b,
            "decoder": codes,
            "disc": common,
        }
    # Their A, with content, is our b.
    common, separate = model.common_code(a), model.separate_code(b)
    codes = ops.concatenate([common, separate], axis=-1)
    without = ops.concatenate([common, ops.zeros_like(separate)], axis=-1)
    decoders = {"decoder": codes} if implementation == "cd" else {"d_a": without, "d_b": codes}
    return {"e1": a, "e2": b, **decoders, "disc": common}


def layer_outputs(network, x):
    uncounted = (keras.layers.InputLayer, keras.layers.Flatten)
    layers = [layer for layer in network.layers if not isinstance(layer, uncounted)]
    # A mask decoder's heads are no layers of the published one.
    layers = [layer for layer in layers if layer.name not in ("mask", "raw")]
    return keras.Model(network.input, [layer.output for layer in layers])(x)


@pytest.mark.parametrize("implementation,size", [("mbu", 64), ("cd", 128), ("didd", 128)])
def test_every_layer(fixtures, implementation, size):
    didd = implementation == "didd"
    numbers = fixtures(implementation, "per_call" if didd else None)
    # DIDD's values are of the first call of each network.
    arguments = {"spectral_updates": "training"} if didd else {}
    model = model_at_start(numbers, size, **arguments)
    a, b = numbers.images("eval", size)
    recorded = numbers.numbers[f"eval_layers{size}"]
    compared = 0
    for module, x in inputs(implementation, model, a, b).items():
        _, ours = code_of_model(model).networks[module]
        outputs = list(layer_outputs(getattr(model, ours), x))
        if module == "disc":
            if didd:  # Positive for A there, for B here.
                outputs[-1] = -outputs[-1]
            outputs.append(ops.sigmoid(outputs[-1]))
        names = [name for name in recorded if name.startswith(f"{module}.")]
        for name, output in zip(names, outputs, strict=True):
            layer, output = recorded[name], channels_first(output)
            assert list(output.shape) == layer["shape"], name
            np.testing.assert_allclose(
                np.linalg.norm(output.astype(np.float64)), layer["l2"], rtol=1e-5, err_msg=name
            )
            np.testing.assert_allclose(
                output.ravel()[:4], layer["first4"], atol=TOLERANCE, err_msg=name
            )
            compared += 1
    assert compared == len(recorded) > 50
