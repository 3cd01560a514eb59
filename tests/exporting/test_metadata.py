"""Every format carries how the model's images are framed."""

import json
import unittest.mock
import zipfile

import pytest

from mbu_tf import exporting
from mbu_tf.exporting.metadata import NAME, append_to_tflite, metadata
from mbu_tf.faces import FACE, Framing

FACE_MODEL = {
    "image_size": 32,
    "framing": {"kind": "face", "left_eye": [0.36, 0.45], "right_eye": [0.64, 0.45]},
    "detail_size": None,
}


@pytest.fixture(scope="module")
def face_model(small_model):
    with unittest.mock.patch.object(small_model, "framing", FACE):
        yield small_model


def test_of_the_framings(face_model):
    assert metadata(face_model) == FACE_MODEL
    assert metadata(face_model, detail_size=256) == {**FACE_MODEL, "detail_size": 256}
    with unittest.mock.patch.object(face_model, "framing", Framing()):
        assert metadata(face_model) == {**FACE_MODEL, "framing": {"kind": "centre"}}


def test_what_is_appended_is_a_stored_zip_and_the_same_every_time():
    content = bytes(range(256)) * 5
    made = append_to_tflite(content, FACE_MODEL)
    assert made.startswith(content) and made == append_to_tflite(content, FACE_MODEL)
    assert json.dumps(FACE_MODEL).encode() in made


@pytest.mark.slow
def test_tflite(face_model, inputs, agrees, tmp_path):
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="no ai-edge-litert")
    path = tmp_path / "face.tflite"
    exporting.export_tflite(face_model, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.namelist() == [NAME]
        assert json.loads(archive.read(NAME)) == FACE_MODEL
    given = {name: x[:1] for name, x in inputs["transfer"].items()}
    for interpreter in (litert.Interpreter(str(path)), litert.Interpreter(None, path.read_bytes())):
        agrees("transfer", interpreter.get_signature_runner("transfer")(**given), 1e-5)


def test_saved_model(face_model, tmp_path):
    version = exporting.export_saved_model(face_model, tmp_path, encoded=False, warm_up=False)
    assert json.loads((version / "assets.extra" / NAME).read_text()) == FACE_MODEL


def test_onnx(face_model, tmp_path):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    for path in exporting.export_onnx(face_model, tmp_path).values():
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        carried = session.get_modelmeta().custom_metadata_map
        assert json.loads(carried["mbu_tf"]) == FACE_MODEL
