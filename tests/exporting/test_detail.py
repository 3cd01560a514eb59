"""The operations at the size of a photo, in every format, against the Keras model."""

import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.exporting import export_onnx, export_saved_model, export_tflite, signatures
from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.mask_editing import composite_edit
from mbu_tf.networks.refiner import Refiner
from mbu_tf.photos.edits import HALF

SIDE = 64
NAMES = ["transfer_detail", "remove_detail", "segment_detail"]
PARTS = ["transfer_detail_reference", "transfer_detail_target"]


@pytest.fixture(
    scope="module", params=["by its masks", pytest.param("by a refiner", marks=pytest.mark.slow)]
)
def small_model(request, small_model):
    if request.param == "by its masks":
        return small_model
    refiner = Refiner(4)
    change = refiner.get_layer("change_deconv")
    change.kernel.assign(300.0 * change.kernel)  # Untrained it would hardly change anything.
    return small_model.refined_by(refiner)


@pytest.fixture(scope="module")
def photos():
    """Smooth pictures with a dark ring, `(3, 64, 64, 3)` in [0, 1], two of them."""
    rng = np.random.default_rng(0)
    axis = np.linspace(-1, 1, SIDE)
    ring = np.abs(np.hypot(axis[None], axis[:, None]) - 0.5)[..., None] < 0.08
    slopes = rng.uniform(0.2, 0.8, (2, 3, 1, 1, 3)) + 0.1 * axis[:, None, None]
    return tuple(np.where(ring, 0.05, x).astype(np.float32) for x in slopes)


@pytest.fixture(scope="module")
def given(photos):
    target, reference = photos
    return {
        "transfer_detail": {"target": target, "reference": reference},
        "remove_detail": {"image": reference},
        "segment_detail": {"image": reference},
    }


@pytest.fixture(scope="module")
def wanted(small_model, photos):
    target, reference = (2.0 * x - 1.0 for x in photos)

    def edited(layer, background):
        image = np.asarray(composite_edit(layer, background).image)
        return {"image": image / 2.0 + 0.5, "mask": layer.mask}

    mattes = small_model.detailed_segmentation(reference)
    return {
        "transfer_detail": edited(small_model.detailed_transfer_layer(target, reference), target),
        "remove_detail": edited(small_model.detailed_removal_layer(reference), reference),
        "segment_detail": {"mask": mattes, "binary": np.float32(mattes >= HALF)},
    }


@pytest.fixture(scope="module")
def agrees(wanted):
    def compare(name, got, tolerance):
        assert set(got) == set(wanted[name])
        for key, value in got.items():
            expected = wanted[name][key][: len(value)]
            assert value.shape == expected.shape and value.dtype == np.float32
            differences = np.abs(value - expected)
            if key == "binary":  # Either side is right where the matte is half.
                matte = wanted[name]["mask"][: len(value)]
                differences = differences[np.abs(matte - HALF) > 20 * tolerance]
            # Here and there a sharp edge turns rounding into more.
            assert differences.mean() <= tolerance, (name, key)
            assert np.quantile(differences, 0.99) <= 20 * tolerance, (name, key)

    return compare


def test_the_contract(small_model):
    table = signatures(small_model, detail_size=SIDE)
    assert list(table) == ["transfer", "remove", "segment", *NAMES]
    for name in NAMES:
        plain, detailed = table[name.removesuffix("_detail")], table[name]
        assert list(detailed.inputs) == list(plain.inputs)
        assert detailed.outputs == plain.outputs
        for spec in detailed.inputs.values():
            assert spec.shape.as_list() == [None, SIDE, SIDE, 3]


def test_detail_is_its_two_steps_in_sequence(small_model, given):
    table = signatures(small_model, detail_size=SIDE, parts=True)
    assert list(table)[-2:] == PARTS and list(signatures(small_model, parts=True)) == [
        "transfer",
        "remove",
        "segment",
    ]
    first, second = (table[name] for name in PARTS)
    images = {key: tf.constant(x) for key, x in given["transfer_detail"].items()}
    cutout = first.function(reference=images["reference"])
    assert list(cutout) == list(first.outputs)
    assert list(second.inputs) == ["target", *cutout]
    for name, tensor in cutout.items():
        assert second.inputs[name].shape.is_compatible_with(tensor.shape)
    got = second.function(target=images["target"], **cutout)
    wanted = table["transfer_detail"].function(**images)
    for name in second.outputs:
        np.testing.assert_array_equal(got[name], wanted[name])


def test_a_step_serves_target_after_target(small_model, given):
    """What is computed of a reference does not depend on the target."""
    table = signatures(small_model, detail_size=SIDE, parts=True)
    target, reference = (tf.constant(x) for x in given["transfer_detail"].values())
    cutout = table[PARTS[0]].function(reference=reference[:1])
    for i in range(len(target)):
        got = table[PARTS[1]].function(target=target[i : i + 1], **cutout)
        pair = {"target": target[i : i + 1], "reference": reference[:1]}
        wanted = table["transfer_detail"].function(**pair)
        np.testing.assert_array_equal(got["image"], wanted["image"])


def test_models_without_masks_have_no_steps():
    model = ContentDisentanglement(image_size=32, depth=4, width=0.03, separate_channels=2)
    assert not set(PARTS) & set(signatures(model, detail_size=SIDE, parts=True))


@pytest.mark.slow
@pytest.mark.parametrize("quantization", [None, "float16"])
def test_tflite(small_model, given, agrees, tmp_path, quantization):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    schema = pytest.importorskip("tensorflow.lite.python.schema_py_generated")
    path = tmp_path / "model.tflite"
    export_tflite(small_model, path, quantization, detail_size=SIDE)
    content = path.read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    custom = schema.BuiltinOperator.CUSTOM
    assert custom not in {x.builtinCode for x in model.operatorCodes}
    interpreter = litert.Interpreter(str(path), num_threads=1)
    for name in NAMES:
        runner = interpreter.get_signature_runner(name)
        rows = [runner(**{k: v[i : i + 1] for k, v in given[name].items()}) for i in range(3)]
        got = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
        agrees(name, got, 1e-4 if quantization is None else 5e-3)
    # In two steps it is the same.
    first, second = map(interpreter.get_signature_runner, PARTS)
    images = {key: x[:1] for key, x in given["transfer_detail"].items()}
    whole = interpreter.get_signature_runner("transfer_detail")(**images)
    got = second(target=images["target"], **first(reference=images["reference"]))
    for key, value in whole.items():
        np.testing.assert_allclose(got[key], value, atol=1e-5)


@pytest.mark.slow
def test_onnx(small_model, given, agrees, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    files = export_onnx(small_model, tmp_path, detail_size=SIDE)
    assert set(NAMES) < set(files)
    for name in NAMES:
        session = onnxruntime.InferenceSession(files[name], providers=["CPUExecutionProvider"])
        outputs = [x.name for x in session.get_outputs()]
        answers = session.run(outputs, given[name])
        keys = [x.removesuffix("_out") for x in outputs]
        agrees(name, dict(zip(keys, answers, strict=True)), 1e-4)


@pytest.mark.slow
def test_saved_model(small_model, given, agrees, tmp_path):
    version = export_saved_model(
        small_model, tmp_path / "tiny", encoded=False, warm_up=False, detail_size=SIDE
    )
    loaded = tf.saved_model.load(str(version))
    for name in NAMES:
        tensors = {key: tf.constant(x) for key, x in given[name].items()}
        got = loaded.signatures[name](**tensors)
        agrees(name, {key: value.numpy() for key, value in got.items()}, 1e-4)
    small = tf.zeros((1, 32, 32, 3))
    with pytest.raises(Exception, match="64"):
        loaded.signatures["segment_detail"](image=small)


def test_pixels_outside_the_matte_are_the_input_bit_for_bit(small_model, given):
    stored = small_model.mask_threshold
    small_model.mask_threshold = 0.99
    try:
        signature = signatures(small_model, detail_size=SIDE)["remove_detail"]
        got = {k: np.asarray(v) for k, v in signature.function(**given["remove_detail"]).items()}
    finally:
        small_model.mask_threshold = stored
    image = given["remove_detail"]["image"]
    outside = np.broadcast_to(got["mask"] == 0, image.shape)
    assert outside.any() and not outside.all()
    assert got["image"][outside].tobytes() == image[outside].tobytes()


def test_operations_without_detail_have_no_such_signature():
    model = DomainIntersectionDifference(image_size=32, depth=4, width=0.03, separate_channels=2)
    table = signatures(model, detail_size=SIDE)
    assert {"combine", "transfer_to_b_detail", "transfer_to_a_detail"} < set(table)
    assert "combine_detail" not in table


@pytest.mark.parametrize("size", [32, 96, 100, 16])
def test_other_sizes_are_refused(small_model, tmp_path, size):
    message = rf"the model's 32 px times 2, 4, 8, .*Received: detail_size={size}"
    for export in (export_tflite, export_saved_model, export_onnx):
        with pytest.raises(ValueError, match=message):
            export(small_model, tmp_path / "out", detail_size=size)
    assert not list(tmp_path.iterdir())


def test_integers_are_too_coarse(small_model, tmp_path):
    images = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match="not computed in integers.*detail_size=64"):
        export_tflite(small_model, tmp_path / "out", "int8", (images, images), detail_size=SIDE)
