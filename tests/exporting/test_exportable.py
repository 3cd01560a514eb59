"""What every exporter looks at first: no format is made of a model that is not sound."""

import numpy as np
import pytest

from mbu_tf import exporting

EXPORTERS = {
    "SavedModel": lambda model, path: exporting.export_saved_model(model, path, warm_up=False),
    "folder": lambda model, path: model.export(path / "a"),
    "tflite": lambda model, path: exporting.export_tflite(model, path / "a.tflite"),
    "onnx": lambda model, path: exporting.export_onnx(model, path / "a.onnx"),
}


@pytest.fixture
def spoilt(small_model):
    """`small_model` with a number of a variable's in place of its own, until the test's end."""
    kept = []

    def spoil(variable, number):
        kept.append((variable, variable.numpy()))
        values = np.array(variable)
        values.flat[0] = number
        variable.assign(values)
        return small_model

    yield spoil
    for variable, values in kept:
        variable.assign(values)


@pytest.mark.parametrize("name", EXPORTERS)
def test_weights_that_are_no_numbers_are_refused(small_model, spoilt, name, tmp_path):
    if name == "onnx":
        pytest.importorskip("tf2onnx")
    model = spoilt(small_model.generator_variables[0], float("nan"))
    with pytest.raises(ValueError, match="has weights that are no finite numbers.*: 1 such"):
        EXPORTERS[name](model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_threshold_beyond_its_range_is_refused(small_model, spoilt, tmp_path):
    model = spoilt(small_model._mask_threshold, 5.0)
    with pytest.raises(ValueError, match=r"The model is damaged. .*Received: 5\.0"):
        EXPORTERS["tflite"](model, tmp_path)
