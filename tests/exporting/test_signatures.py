"""The contract, and that another method states its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.exporting import Operation, operations, saved_model, signatures, tflite
from mbu_tf.exporting.encoded import encoded_signatures
from mbu_tf.exporting.exportable import exportable
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.inference import Edit
from mbu_tf.models.methods import METHODS
from mbu_tf.photos import translate_photo
from tests.conftest import fitting


def test_the_contract(small_model):
    table = signatures(small_model)
    assert {name: (list(x.inputs), x.outputs) for name, x in table.items()} == {
        "transfer": (["target", "reference"], ("image", "mask")),
        "remove": (["image"], ("image", "mask")),
        "segment": (["image"], ("mask", "binary")),
    }
    for signature in table.values():
        for name, spec in signature.inputs.items():
            assert (spec.shape.as_list(), spec.dtype, spec.name) == (
                [None, 32, 32, 3],
                tf.float32,
                name,
            )
    assert signatures(small_model, 4)["remove"].inputs["image"].shape[0] == 4


@pytest.mark.parametrize("name", ["transfer", "remove", "segment"])
def test_the_keras_model_in_another_range(small_model, inputs, agrees, name):
    signature = signatures(small_model)[name]
    got = signature.function(**{k: tf.constant(v) for k, v in inputs[name].items()})
    assert set(got) == set(signature.outputs)
    agrees(name, {k: np.asarray(v) for k, v in got.items()}, 1e-6)


def test_pixels_outside_the_mask_are_the_input_bit_for_bit(small_model, inputs):
    got = signatures(small_model)["remove"].function(**inputs["remove"])
    outside = np.broadcast_to(got["mask"] == 0, got["image"].shape)
    assert outside.any() and not outside.all()
    given = inputs["remove"]["image"]
    assert np.asarray(got["image"])[outside].tobytes() == given[outside].tobytes()


class TwoWay(keras.Model):
    """A method of other operations: paints its reference's mean, both ways, and outlines."""

    image_size = 8

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gain = self.add_weight(name="gain", shape=(), initializer="ones")

    def paint(self, target, reference):
        colour = tf.reduce_mean(reference, axis=(1, 2), keepdims=True)
        paint = self.gain * tf.ones_like(target) * colour
        return [Edit(paint, tf.cast(target[..., :1] > 0, tf.float32))]


@operations.register
def _(model: TwoWay):
    return {
        "transfer_to_b": Operation(model.paint, {"target": "a", "reference": "b"}),
        "transfer_to_a": Operation(model.paint, {"target": "b", "reference": "a"}),
        "segment_a": Operation(
            lambda image: [Edit(None, image[..., :1] * 0.5 + 0.5)], {"image": "a"}, threshold=0.25
        ),
    }


@pytest.mark.slow
def test_a_method_of_other_operations(tmp_path):
    model = TwoWay()
    saved_model.export_saved_model(model, tmp_path / "two_way", warm_up=False)
    loaded = tf.saved_model.load(str(tmp_path / "two_way" / "1"))
    names = {"transfer_to_b", "transfer_to_a", "segment_a"}
    encoded = {f"{name}_encoded" for name in names}
    assert set(loaded.signatures) == names | encoded | {"serving_default"}
    rng = np.random.default_rng(0)
    target, reference = rng.random((2, 1, 8, 8, 3), np.float32)
    got = loaded.signatures["transfer_to_a"](
        target=tf.constant(target), reference=tf.constant(reference)
    )
    inside = target[..., :1] > 0.5
    wanted = np.where(inside, reference.mean(axis=(1, 2), keepdims=True), target)
    np.testing.assert_allclose(got["image"], wanted, atol=1e-6)
    np.testing.assert_array_equal(got["mask"], inside)
    got = loaded.signatures["segment_a"](image=tf.constant(target))
    np.testing.assert_array_equal(got["binary"], np.asarray(got["mask"]) >= 0.25)

    tflite.export_tflite(model, tmp_path / "two_way.tflite")
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(
        str(tmp_path / "two_way.tflite")
    )
    assert set(interpreter.get_signature_list()) == names
    got = interpreter.get_signature_runner("transfer_to_b")(target=target, reference=reference)
    np.testing.assert_allclose(got["image"], wanted, atol=1e-6)


TINY = {"image_size": 32, "depth": 4, "width": 0.03, "separate_channels": 2}
EDITS = {  # Signature: method of the model, its part if it has one.
    "transfer": ("transfer", None),
    "remove": ("remove", None),
    "transfer_to_a": ("transfer_to_a", None),
    "transfer_to_b": ("transfer_to_b", None),
    "remove_a": ("remove", "part_a"),
    "remove_b": ("remove", "part_b"),
    "translate_to_a": ("translate_to_a", None),
    "translate_to_b": ("translate_to_b", None),
}
OUTLINES = {"segment": None, "segment_a": "part_a", "segment_b": "part_b"}
NAMES = {
    "mbu": {"transfer", "remove", "segment"},
    "cd": {"transfer", "remove", "segment"},
    "didd": {"transfer_to_a", "transfer_to_b", "combine"},
    "masked_didd": {"transfer_to_a", "transfer_to_b", *("remove_a", "remove_b")}
    | {"segment_a", "segment_b"},
    "fader": {"translate_to_a", "translate_to_b"},
}


@pytest.mark.parametrize("method", METHODS)
def test_every_signature_of_every_method_is_the_models_own(method):
    keras.utils.set_random_seed(0)
    model = METHODS[method](**fitting(METHODS[method], **TINY))
    table = signatures(model)
    assert set(table) == NAMES[method]
    rng = np.random.default_rng(1)
    for name, signature in table.items():
        images = {key: rng.random((2, 32, 32, 3), np.float32) for key in signature.inputs}
        got = signature.function(**images)
        ours = {key: x * 2 - 1 for key, x in images.items()}
        if name == "combine":
            np.testing.assert_allclose(got["image"] * 2 - 1, model.combine(**ours), atol=1e-5)
        elif name in OUTLINES:
            editor = getattr(model, OUTLINES[name] or "", model)
            soft = editor.segment(**ours)
            np.testing.assert_allclose(got["mask"], soft, atol=1e-6)
            np.testing.assert_array_equal(got["binary"], soft >= editor.mask_threshold)
        else:
            own_name, part = EDITS[name]
            edit = getattr(getattr(model, part or "", model), own_name)(**ours)
            np.testing.assert_allclose(got["image"] * 2 - 1, edit.image, atol=1e-5)
            np.testing.assert_allclose(got["mask"], edit.mask, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["didd", "masked_didd", "fader"])
def test_two_way_models_run_exported(method, tmp_path):
    keras.utils.set_random_seed(0)
    model = METHODS[method](**fitting(METHODS[method], **TINY))
    table = signatures(model)
    saved_model.export_saved_model(model, tmp_path / "two_way", encoded=False, warm_up=False)
    loaded = tf.saved_model.load(str(tmp_path / "two_way" / "1")).signatures
    tflite.export_tflite(model, tmp_path / "two_way.tflite")
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(
        str(tmp_path / "two_way.tflite")
    )
    assert set(interpreter.get_signature_list()) == set(table)
    rng = np.random.default_rng(1)
    for name, signature in table.items():
        images = {key: rng.random((1, 32, 32, 3), np.float32) for key in signature.inputs}
        expected = signature.function(**images)
        results = (
            loaded[name](**{key: tf.constant(x) for key, x in images.items()}),
            interpreter.get_signature_runner(name)(**images),
        )
        for result in results:
            for key in ("image", "mask"):
                if key in expected:
                    np.testing.assert_allclose(result[key], expected[key], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("detail_size", [None, 64])
@pytest.mark.parametrize("method", ["didd", "masked_didd", "fader"])
def test_files_are_translated_as_the_library_translates_photos(method, detail_size):
    keras.utils.set_random_seed(0)
    model = METHODS[method](**fitting(METHODS[method], **TINY))
    photo, reference = np.random.default_rng(1).integers(0, 256, (2, 40, 50, 3), np.uint8)
    if method == "fader":
        name, files, reference = "translate_to_a", {"image": photo}, None
    else:
        name, files = "transfer_to_a", {"target": photo, "reference": reference}
    function = encoded_signatures(model, detail_size)[f"{name}_encoded"].function
    got = function(**{key: tf.constant([encode_png(x)]) for key, x in files.items()})
    expected = translate_photo(model, photo, reference, "a", detail=detail_size is not None)
    image = tf.io.decode_png(got["image_bytes"][0]).numpy()
    difference = np.abs(image.astype(int) - expected.image)
    assert difference.max() <= 3 and difference.mean() < 0.2
    mask = tf.io.decode_png(got["mask_bytes"][0]).numpy()[..., 0] / 255
    np.testing.assert_allclose(mask, expected.mask, atol=0.02)


def encode_png(photo):
    return tf.io.encode_png(photo).numpy()


def test_a_model_without_a_table():
    with pytest.raises(ValueError, match="operations.register.*Received: Sequential"):
        signatures(keras.Sequential())


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float32"])
def test_any_precision_becomes_float32(policy):
    keras.config.set_dtype_policy(policy)
    model = MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)
    model.mask_threshold = 0.3
    copy = exportable(model)
    assert keras.config.dtype_policy().name == policy
    layers = [x for network in copy.generator_networks for x in network.layers]
    assert {x.compute_dtype for x in layers} == {"float32"}
    assert copy.mask_threshold == pytest.approx(0.3)
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    tolerance = {"mixed_bfloat16": 0.05, "mixed_float16": 5e-3, "float32": 0}[policy]
    np.testing.assert_allclose(copy.segment(image), model.segment(image), atol=tolerance)
