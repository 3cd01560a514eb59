"""SavedModels, run as TensorFlow Serving runs them: a session, and tensors by name."""

import io
import re
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf.data.images import read_image
from mbu_tf.exporting import export_saved_model
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.photos import MASK_FLOOR

NUMBERS = ("transfer", "remove", "segment")


class Server:
    """One loaded version; `call` feeds and fetches a signature's tensors by name."""

    def __init__(self, version):
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], str(version))
        self.functions = loaded.graph_def.library.function
        # Beside them lies TensorFlow's own, which restores the variables.
        self.signatures = {
            k: v for k, v in loaded.signature_def.items() if v.method_name.endswith("/predict")
        }

    def call(self, name, inputs):
        signature = self.signatures[name]
        feeds = {self._tensor(signature.inputs[key]): value for key, value in inputs.items()}
        fetches = [self._tensor(tensor) for tensor in signature.outputs.values()]
        # What `run` does but for checking shapes in Python, which no server does.
        values = self._session._call_tf_sessionrun(None, feeds, fetches, [], None)
        return dict(zip(signature.outputs, values, strict=True))

    def _tensor(self, info):
        return self._session.graph.get_tensor_by_name(info.name)._as_tf_output()


@pytest.fixture(scope="module")
def server(served):
    return Server(served)


def test_what_is_there(server, served):
    names = {*NUMBERS, *(f"{name}_encoded" for name in NUMBERS)}
    assert set(server.signatures) == names | {"serving_default"}
    assert served.name == "1"
    for name in names - {f"{x}_encoded" for x in NUMBERS}:
        for tensor in server.signatures[name].inputs.values():
            assert [x.size for x in tensor.tensor_shape.dim] == [-1, 32, 32, 3]


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("name", NUMBERS)
def test_agrees_with_the_keras_model(server, inputs, agrees, name, count):
    agrees(name, server.call(name, {k: v[:count] for k, v in inputs[name].items()}), 1e-5)


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("name", NUMBERS)
def test_files_of_the_models_size_give_what_numbers_give(server, inputs, name, count):
    numbers = {key: images[:count] for key, images in inputs[name].items()}
    files = {key: [png(image) for image in images] for key, images in numbers.items()}
    got = server.call(f"{name}_encoded", files)
    wanted = server.call(name, numbers)
    assert set(got) == {f"{key}_bytes" for key in wanted}
    if name == "transfer":  # Photos are left alone where a soft mask is very faint.
        seen = wanted["mask"] >= MASK_FLOOR
        wanted = {
            "image": np.where(seen, wanted["image"], numbers["target"]),
            "mask": np.where(seen, wanted["mask"], 0),
        }
    for key, value in wanted.items():
        decoded = np.stack([read_image(x) for x in got[f"{key}_bytes"]])
        assert np.abs(decoded - 255 * value).max() <= 0.51


def png(image):
    file = io.BytesIO()
    Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_the_default_is_transfer(server, inputs, agrees):
    agrees("transfer", server.call("serving_default", inputs["transfer"]), 1e-5)


def test_pixels_outside_the_mask_are_the_input_bit_for_bit(server, inputs):
    got = server.call("remove", inputs["remove"])
    outside = np.broadcast_to(got["mask"] == 0, got["image"].shape)
    assert outside.any()
    assert got["image"][outside].tobytes() == inputs["remove"]["image"][outside].tobytes()


def test_the_discriminator_is_not_exported(small_model, served):
    loaded = tf.train.load_checkpoint(str(served / "variables" / "variables"))
    shapes = loaded.get_variable_to_shape_map().items()
    sizes = [int(np.prod(shape)) for name, shape in shapes if name.startswith("weights/")]
    networks = sum(x.count_params() for x in small_model.generator_networks)
    assert sum(sizes) == networks


IMAGE = np.full((1, 32, 32, 3), 0.5, np.float32)
REFUSED = {
    "another size": (IMAGE[:, :16, :16], r"\[1,16,16,3\]"),
    "one channel": (IMAGE[..., :1], r"\[1,32,32,1\]"),
    "no batch": (IMAGE[0], r"\[32,32,3\]"),
    "empty": (IMAGE[:0], "must hold at least one image"),
    "8-bit range": (IMAGE * 255, "divide 8-bit images by 255"),
    "model range": (IMAGE - 1, "divide 8-bit images by 255"),
    "not a number": (IMAGE * np.nan, "divide 8-bit images by 255"),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("case", REFUSED)
def test_bad_images_are_refused_and_the_next_request_is_answered(server, inputs, name, case):
    bad, message = REFUSED[case]
    for key in inputs[name]:
        good = {k: v[:1] for k, v in inputs[name].items()}
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            server.call(name, {**good, key: bad})
        assert server.call(name, good)["mask"].shape == (1, 32, 32, 1)


def test_targets_and_references_of_other_numbers(server, inputs):
    target, reference = inputs["transfer"].values()
    with pytest.raises(tf.errors.InvalidArgumentError, match="equally many"):
        server.call("transfer", {"target": target, "reference": reference[:2]})
    assert len(server.call("transfer", inputs["transfer"])["image"]) == 5


def test_warm_up_requests_replayed(server, served):
    from tensorflow_serving.apis import prediction_log_pb2

    path = served / "assets.extra" / "tf_serving_warmup_requests"
    asked = set()
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        assert request.model_spec.name == "tiny"
        name = request.model_spec.signature_name
        asked.add(name)
        got = server.call(name, {k: tf.make_ndarray(v) for k, v in request.inputs.items()})
        assert all(len(value) == 1 for value in got.values())
    assert asked == set(server.signatures) - {"serving_default"}


@pytest.mark.slow
def test_mixed_precision_exports_as_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    model = MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)
    path = export_saved_model(model, tmp_path / "mixed", encoded=False, warm_up=False)
    assert keras.config.dtype_policy().name == "mixed_float16"
    server = Server(path)
    nodes = [node for function in server.functions for node in function.node_def]
    dtypes = {value.type for node in nodes for value in node.attr.values()}
    assert tf.float32.as_datatype_enum in dtypes and tf.float16.as_datatype_enum not in dtypes
    image = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    got = server.call("segment", {"image": image})["mask"]
    np.testing.assert_allclose(got, model.segment(2 * image - 1), atol=5e-3)


def test_without_the_package_for_warm_up(small_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=re.escape("`mbu_tf[serving]`")):
        export_saved_model(small_model, tmp_path / "glasses")
    assert not (tmp_path / "glasses").exists()
