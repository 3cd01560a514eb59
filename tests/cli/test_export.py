"""`mbu-tf export`: what it writes and says; the formats are tested in tests/exporting."""

import shutil

import pytest


@pytest.mark.slow
def test_tflite(mbu_tf, model_file, tmp_path):
    output = tmp_path / "tiny.tflite"
    arguments = ("--format", "tflite", "--quantization", "float16", "--output", output)
    status, error = mbu_tf("export", model_file, *arguments, "--detail-size", "64")
    assert (status, error) == (0, "")
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    names = ("transfer", "remove", "segment")
    assert set(litert.Interpreter(str(output)).get_signature_list()) == {
        *names,
        *(f"{name}_detail" for name in names),
        "transfer_detail_reference",
        "transfer_detail_target",
    }


@pytest.mark.slow
def test_saved_model_adds_a_version(mbu_tf, model_file, tmp_path):
    folder = tmp_path / "serving" / "glasses"
    (folder / "4").mkdir(parents=True)
    arguments = ("--format", "saved_model", "--output", folder, "--no-warm-up")
    status, error = mbu_tf("export", model_file, *arguments)
    assert (status, error) == (0, "")
    assert sorted(x.name for x in folder.iterdir()) == ["4", "5"]
    assert (folder / "5" / "saved_model.pb").is_file()


@pytest.mark.slow
def test_int8_from_a_folder(mbu_tf, model_file, photo, tmp_path):
    for domain in "AB":
        photo(f"train{domain}/face.png")
    output = tmp_path / "tiny.tflite"
    arguments = ("--format", "tflite", "--quantization", "int8", "--output", output)
    status, error = mbu_tf("export", model_file, *arguments, "--representative", tmp_path)
    assert (status, error) == (0, "")
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    assert len(litert.Interpreter(str(output)).get_signature_list()) == 3


ERRORS = [
    (("--format", "onnx", "--quantization", "float16"), "--quantization goes with --format tflite"),
    (("--format", "saved_model", "--batch-size", "2"), "--batch-size goes with --format tflite"),
    (("--format", "tflite", "--no-warm-up"), "--no-warm-up goes with --format saved_model"),
    (("--format", "tflite", "--quantization", "int8"), "int8 needs --representative"),
    (("--format", "tflite", "--representative", "photos"), "nothing else does"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_options_that_do_not_go_together(mbu_tf, tmp_path, arguments, message):
    status, error = mbu_tf("export", "missing.keras", *arguments, "--output", tmp_path / "out")
    assert status == 1 and message in error
    assert not (tmp_path / "out").exists()


def test_what_is_missing(mbu_tf, model_file, tmp_path):
    output = tmp_path / "out.tflite"
    status, error = mbu_tf("export", "missing.keras", "--format", "tflite", "--output", output)
    assert status == 1 and "There is no model file missing.keras" in error
    arguments = ("--format", "tflite", "--quantization", "int8", "--output", output)
    status, error = mbu_tf("export", model_file, *arguments, "--representative", tmp_path / "no")
    assert status == 1 and "The data folder must be an existing folder" in error
    status, error = mbu_tf(
        "export", model_file, "--format", "tflite", "--output", tmp_path / "no" / "out.tflite"
    )
    assert status == 1 and "its folder does not exist; create it first" in error
    assert mbu_tf("export", model_file, "--output", output)[0] == 2
    assert not output.exists()


def test_a_model_is_replaced_only_when_told_to(mbu_tf, model_file, tmp_path):
    model = shutil.copy(model_file, tmp_path / "m.keras")
    before = model.read_bytes()
    for form in ("tflite", "onnx"):
        arguments = ("export", model, "--format", form, "--output")
        status, error = mbu_tf(*arguments, model, "--overwrite")
        if form == "tflite":
            assert status == 1 and "would be overwritten by its own result" in error
        name = tmp_path / {"tflite": "old.tflite", "onnx": "transfer.onnx"}[form]
        name.write_text("old")
        status, error = mbu_tf(*arguments, name if form == "tflite" else tmp_path)
        assert status == 1 and f"{name.name} is there already" in error
        assert name.read_text() == "old"
    assert model.read_bytes() == before
