"""TensorFlow Lite files, run by LiteRT, every signature by name."""

import functools

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from mbu_tf.exporting import export_tflite
from mbu_tf.exporting.tflite import calibration

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
# The largest difference from the Keras model, or the mean one where integers compute.
TOLERANCES = {None: 1e-5, "float16": 5e-3, "dynamic": 0.002, "int8": 0.01}
INTEGERS = ("dynamic", "int8")
slow = pytest.mark.slow
quantizations = pytest.mark.parametrize(
    "quantization",
    [None, "int8", pytest.param("float16", marks=slow), pytest.param("dynamic", marks=slow)],
)


@pytest.fixture(scope="module")
def eight_bit(images):
    return tuple(np.rint(x * 255).astype(np.uint8) for x in images)


@pytest.fixture(scope="module")
def file(small_model, eight_bit, tmp_path_factory):
    """The file of a quantization, written once."""
    folder = tmp_path_factory.mktemp("tflite")

    @functools.cache
    def written(quantization):
        path = folder / f"{quantization}.tflite"
        representative = eight_bit if quantization == "int8" else None
        export_tflite(small_model, path, quantization, representative)
        return path

    return written


@pytest.fixture(scope="module")
def interpreter_of(file):
    return functools.cache(lambda x: litert.Interpreter(str(file(x)), num_threads=1))


@quantizations
def test_the_contract(interpreter_of, quantization):
    interpreter = interpreter_of(quantization)
    assert interpreter.get_signature_list() == {
        "transfer": {"inputs": ["reference", "target"], "outputs": ["image", "mask"]},
        "remove": {"inputs": ["image"], "outputs": ["image", "mask"]},
        "segment": {"inputs": ["image"], "outputs": ["binary", "mask"]},
    }
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        for detail in runner.get_input_details().values():
            assert (detail["dtype"], detail["shape"].tolist()) == (np.float32, [1, 32, 32, 3])
        for detail in runner.get_output_details().values():
            assert detail["dtype"] == np.float32


@quantizations
@pytest.mark.parametrize("name", ["transfer", "remove", "segment"])
def test_agrees_with_the_keras_model(interpreter_of, inputs, agrees, name, quantization):
    runner = interpreter_of(quantization).get_signature_runner(name)
    rows = [runner(**{k: v[i : i + 1] for k, v in inputs[name].items()}) for i in range(5)]
    got = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
    measure = np.mean if quantization in INTEGERS else np.max
    agrees(name, got, TOLERANCES[quantization], measure)


@quantizations
def test_pixels_outside_the_mask(interpreter_of, inputs, quantization):
    image = inputs["remove"]["image"][:1]
    got = interpreter_of(quantization).get_signature_runner("remove")(image=image)
    outside = np.broadcast_to(got["mask"] == 0, image.shape)
    assert outside.any()
    if quantization == "int8":  # The output has levels of its own.
        assert np.abs(got["image"] - image)[outside].max() <= 0.51 / 255
    else:
        assert got["image"][outside].tobytes() == image[outside].tobytes()


@quantizations
def test_by_position_the_first_signature_runs(file, interpreter_of, inputs, quantization):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file(quantization).read_bytes()))
    order = [(x.signatureKey.decode(), x.subgraphIndex) for x in model.signatureDefs]
    assert order == [("transfer", 0), ("remove", 1), ("segment", 2)]
    assert [x.name.decode() for x in model.subgraphs] == ["transfer", "remove", "segment"]
    interpreter = litert.Interpreter(str(file(quantization)), num_threads=1)
    target, reference = interpreter.get_input_details()
    assert [target["name"], reference["name"]] == ["transfer_target:0", "transfer_reference:0"]
    interpreter.allocate_tensors()
    images = {name: x[:1] for name, x in inputs["transfer"].items()}
    interpreter.set_tensor(target["index"], images["target"])
    interpreter.set_tensor(reference["index"], images["reference"])
    interpreter.invoke()
    got = [interpreter.get_tensor(x["index"]) for x in interpreter.get_output_details()]
    wanted = interpreter_of(quantization).get_signature_runner("transfer")(**images)
    for found, name in zip(got, ("mask", "image"), strict=True):
        np.testing.assert_array_equal(found, wanted[name])


@quantizations
def test_built_in_operations_alone(file, quantization):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file(quantization).read_bytes()))
    codes = {x.builtinCode for x in model.operatorCodes}
    assert schema.BuiltinOperator.CONV_2D in codes
    assert schema.BuiltinOperator.CUSTOM not in codes  # Which SELECT_TF_OPS are.
    kernels = {
        graph.tensors[x.inputs[1]].type
        for graph in model.subgraphs
        for x in graph.operators
        if model.operatorCodes[x.opcodeIndex].builtinCode == schema.BuiltinOperator.CONV_2D
    }
    quantised = schema.TensorType.INT8 in kernels
    assert quantised == (quantization in INTEGERS)
    if quantization == "int8":
        assert kernels == {schema.TensorType.INT8}
    deconvolution = schema.BuiltinOperator.TRANSPOSE_CONV
    versions = {x.version for x in model.operatorCodes if x.builtinCode == deconvolution}
    assert versions and max(versions) < 4  # Which some GPU delegates do not take.


@quantizations
def test_signatures_share_their_weights(small_model, file, quantization):
    parameters = sum(x.count_params() for x in small_model.generator_networks)
    # Were each signature to have its own, that would be more than twice as much.
    graph = 80_000
    bytes_each = {None: 4, "float16": 2, "dynamic": 1.1, "int8": 1.1}[quantization]
    size = file(quantization).stat().st_size
    assert size < bytes_each * parameters + graph
    assert quantization is not None or size > 4 * parameters


@pytest.mark.parametrize("name", ["transfer", "remove", "segment"])
def test_the_int8_input_has_the_levels_of_8_bit_images(file, name):
    """Every pixel value is one level, however it was divided by 255."""
    levels = input_quantization(file("int8"), name)
    assert len(levels) == (2 if name == "transfer" else 1)
    pixels = np.arange(256)
    for scale, zero in levels:
        assert (scale, zero) == (pytest.approx(1 / 255, rel=1e-6), -128)
        for dtype in (np.float32, np.float64):
            values = pixels.astype(dtype) / dtype(255)
            for rounded in (np.rint(values / dtype(scale)), np.floor(values / dtype(scale) + 0.5)):
                np.testing.assert_array_equal(rounded + zero, pixels - 128)


def input_quantization(path, name):
    """Scale and zero point of what each input of a signature is turned into."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    signature = next(x for x in model.signatureDefs if x.signatureKey.decode() == name)
    graph = model.subgraphs[signature.subgraphIndex]
    codes = [x.builtinCode for x in model.operatorCodes]
    found = []
    for given in signature.inputs:
        readers = [x for x in graph.operators if given.tensorIndex in x.inputs]
        assert [codes[x.opcodeIndex] for x in readers] == [schema.BuiltinOperator.QUANTIZE]
        quantization = graph.tensors[readers[0].outputs[0]].quantization
        found.append((quantization.scale[0], quantization.zeroPoint[0]))
    return found


def test_calibration_shows_every_signature_its_domains(small_model, eight_bit):
    without, having = eight_bit
    batches = list(calibration(small_model, (without, having[:2]), batch_size=1))
    assert [name for name, _ in batches] == ["transfer"] * 5 + ["remove"] * 2 + ["segment"] * 2
    for step, (_, batch) in enumerate(batches[:5]):
        assert list(batch) == ["target", "reference"]
        if step:  # The first shows both ends of the range besides.
            np.testing.assert_array_equal(batch["target"][0] * 255, without[step])
            np.testing.assert_array_equal(np.rint(batch["reference"][0] * 255), having[step % 2])
    for _, batch in (batches[0], batches[5], batches[7]):
        for images in batch.values():
            assert images.dtype == np.float32 and (images.min(), images.max()) == (0, 1)
    fours = [batch for _, batch in calibration(small_model, eight_bit, batch_size=4)]
    assert {x.shape for batch in fours for x in batch.values()} == {(4, 32, 32, 3)}


@pytest.mark.slow
def test_a_larger_batch(small_model, inputs, agrees, tmp_path):
    export_tflite(small_model, tmp_path / "two.tflite", batch_size=2)
    runner = litert.Interpreter(str(tmp_path / "two.tflite")).get_signature_runner("transfer")
    agrees("transfer", runner(**{k: v[:2] for k, v in inputs["transfer"].items()}), 1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantization": "int4"}, r"must be one of.*Received: quantization='int4'"),
        ({"batch_size": 0}, "positive integer. Received: batch_size=0"),
        ({"batch_size": True}, "positive integer. Received: batch_size=True"),
        ({"quantization": "int8"}, "needed for quantization='int8'.*'int8' without images"),
        ({"representative": ()}, "nothing else. Received: quantization=None with images"),
        (
            {"quantization": "int8", "representative": [np.zeros((2, 8, 8, 3), np.uint8)] * 2},
            r"uint8 arrays \(count, 32, 32, 3\).*Received: uint8 \(2, 8, 8, 3\), uint8",
        ),
        (
            {"quantization": "int8", "representative": [np.zeros((2, 32, 32, 3), np.uint8)]},
            "must be two uint8 arrays",
        ),
        ({"quantization": "int8", "representative": ()}, "Received: none"),
        (
            {"quantization": "int8", "representative": [np.zeros((2, 32, 32, 3))] * 2},
            "Received: float64",
        ),
        (
            {"quantization": "int8", "representative": [np.zeros((0, 32, 32, 3), np.uint8)] * 2},
            r"at least one image.*\(0, 32, 32, 3\)",
        ),
    ],
)
def test_arguments_out_of_range(small_model, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export_tflite(small_model, tmp_path / "model.tflite", **arguments)
    assert not list(tmp_path.iterdir())
