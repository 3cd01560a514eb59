"""`model.export`, as users of Keras call it."""

import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.slow
def test_a_saved_model_lies_in_the_folder_itself(small_model, inputs, agrees, tmp_path, capsys):
    folder = tmp_path / "made" / "glasses"
    for _ in range(2):  # It may be written again.
        small_model.export(folder)
        assert capsys.readouterr().out == f"Saved artifact at '{folder}'.\n"
    assert [path.name for path in folder.parent.iterdir()] == ["glasses"]
    assert (folder / "assets.extra" / "mbu_tf.json").is_file()
    loaded = tf.saved_model.load(folder)
    for name, images in [*inputs.items(), ("serving_default", inputs["transfer"])]:
        got = loaded.signatures[name](**{k: tf.constant(x) for k, x in images.items()})
        stated = "transfer" if name == "serving_default" else name
        agrees(stated, {k: x.numpy() for k, x in got.items()}, 1e-5)
    assert "transfer_encoded" in loaded.signatures


def test_a_folder_of_something_else_stays(small_model, tmp_path):
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(FileExistsError, match="something else than a SavedModel"):
        small_model.export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.slow
def test_litert(small_model, inputs, agrees, tmp_path, capsys):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    small_model.export(
        tmp_path / "a.tflite", format="litert", verbose=False, quantization="float16"
    )
    assert capsys.readouterr().out == ""
    runner = litert.Interpreter(str(tmp_path / "a.tflite")).get_signature_runner("remove")
    agrees("remove", runner(image=inputs["remove"]["image"][:1]), 5e-3)


@pytest.mark.slow
def test_onnx_is_one_file_for_the_first_operation_or_a_folder(
    small_model, inputs, agrees, tmp_path
):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    small_model.export(tmp_path / "a.onnx", format="onnx", verbose=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    names = [x.name for x in session.get_outputs()]
    agrees("transfer", dict(zip(names, session.run(names, inputs["transfer"]), strict=True)), 1e-4)
    small_model.export(str(tmp_path / "all"), format="onnx", verbose=False)
    files = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert files == ["remove.onnx", "segment.onnx", "transfer.onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "openvino"}, "OpenVINO and others convert these.*'openvino'"),
        ({"format": "litert"}, r"ends in \.tflite.*filepath='.*a'"),
        ({"input_signature": [tf.TensorSpec((1,))]}, "leave out `input_signature`"),
    ],
)
def test_what_cannot_be_is_told(small_model, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        small_model.export(tmp_path / "a", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_tensorflow_converts_the_model_as_keras_calls_it(small_model, images):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    content = tf.lite.TFLiteConverter.from_keras_model(small_model).convert()
    runner = litert.Interpreter(model_content=content).get_signature_runner()
    target, reference = (2 * x[:1] - 1 for x in images)  # In the model's own range.
    keys = sorted(runner.get_input_details())
    got = runner(**dict(zip(keys, (target, reference), strict=True)))
    wanted = small_model((target, reference))
    for key in ("image", "mask"):
        np.testing.assert_allclose(got[key], wanted[key], atol=1e-5)
