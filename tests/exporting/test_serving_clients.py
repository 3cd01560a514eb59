"""The example clients against stand-ins that answer as TensorFlow Serving documents.

No server is run here: the stand-ins take apart what the clients send, by the
REST interface's rules and by the gRPC service's own messages, and run the
exported SavedModel on it.
"""

import base64
import contextlib
import http.server
import importlib.util
import io
import json
import pathlib
import subprocess
import threading
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf import exporting
from mbu_tf.photos import transfer_photo

pytestmark = pytest.mark.slow
SERVING = pathlib.Path(__file__).parents[2] / "export" / "serving"


def client(name):
    spec = importlib.util.spec_from_file_location(name, SERVING / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def signatures(served):
    return tf.saved_model.load(str(served)).signatures


@pytest.fixture
def files(tmp_path):
    """A target and a reference of other sizes."""
    paths = tmp_path / "target.png", tmp_path / "reference.png"
    for path, shape in zip(paths, ((40, 50, 3), (32, 32, 3)), strict=True):
        pixels = np.random.default_rng(shape[0]).integers(0, 256, shape, np.uint8)
        Image.fromarray(pixels).save(path)
    return paths


@pytest.fixture
def rest(signatures):
    """URL of a stand-in for the REST interface."""
    with answering(signatures) as url:
        yield url


@contextlib.contextmanager
def answering(signatures):
    """The stand-in, while the block lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            try:
                status, answer = 200, {"outputs": self.predict()}
            except Exception as error:
                status, answer = 400, {"error": str(error)}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def predict(self):
            if self.path != "/v1/models/glasses:predict":
                raise ValueError("Malformed request: POST " + self.path)
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            function = signatures[request["signature_name"]]
            # {"b64": ...} stands for bytes; outputs ending in _bytes go back so.
            inputs = {
                key: tf.constant([received(x) for x in values])
                for key, values in request["inputs"].items()
            }
            assert all(key.endswith("_bytes") for key in function.structured_outputs)
            return {
                key: [{"b64": base64.b64encode(x).decode()} for x in value.numpy()]
                for key, value in function(**inputs).items()
            }

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/models/glasses"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def received(value):
    return base64.b64decode(value["b64"], validate=True) if isinstance(value, dict) else value


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["client", *map(str, arguments)])
    module.main()


def test_rest(rest, files, small_model, tmp_path, monkeypatch):
    target, reference = files
    output = tmp_path / "out.png"
    arguments = ("--url", rest, "--target", target, "--reference", reference, "--output", output)
    run(client("rest_client"), monkeypatch, *arguments)
    photos = [np.asarray(Image.open(x)) for x in files]
    got, wanted = np.asarray(Image.open(output)), transfer_photo(small_model, *photos, detail=False)
    assert got.shape == (40, 50, 3)
    assert np.abs(got.astype(int) - wanted.image).max() <= 2


@pytest.mark.slow
def test_rest_with_eyes(files, small_model, tmp_path, monkeypatch):
    framed = type(small_model).from_config({**small_model.get_config(), "framing": "face"})
    framed.set_weights(small_model.get_weights())
    path = exporting.export_saved_model(framed, tmp_path / "framed", warm_up=False)
    signatures, output = tf.saved_model.load(str(path)).signatures, tmp_path / "out.png"
    arguments = ("--target", files[0], "--reference", files[1], "--output", output)
    eyes = [(18.0, 15.0), (29.5, 17.0)], [(12.0, 14.0), (20.0, 14.0)]
    flat = [",".join(str(x) for eye in pair for x in eye) for pair in eyes]
    told = ("--target-eyes", flat[0], "--reference-eyes", flat[1])
    with answering(signatures) as url:
        run(client("rest_client"), monkeypatch, "--url", url, *arguments, *told)
        photos = [np.asarray(Image.open(x)) for x in files]
        got, (target, reference) = np.asarray(Image.open(output)), eyes
        options = {"face": [target], "reference_face": [reference], "detail": False}
        wanted = transfer_photo(framed, *photos, **options)
        assert np.abs(got.astype(int) - wanted.image).max() <= 8
        assert np.abs(got.astype(int) - wanted.image).mean() < 0.1
        # Untold, a face is looked for, and there is none in noise.
        with pytest.raises(SystemExit, match="No face was found"):
            run(client("rest_client"), monkeypatch, "--url", url, *arguments)
    with pytest.raises(SystemExit):
        run(client("rest_client"), monkeypatch, *arguments, *told[:2])


def test_what_the_rest_client_says(rest, files, tmp_path, monkeypatch):
    module = client("rest_client")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    arguments = ("--target", broken, "--reference", files[1], "--output", tmp_path / "out.png")
    with pytest.raises(SystemExit, match="rest_client.py: 400: .*Unknown image file format"):
        run(module, monkeypatch, "--url", rest, *arguments)
    with pytest.raises(SystemExit, match="rest_client.py: .*refused"):
        run(module, monkeypatch, "--url", "http://127.0.0.1:9/v1/models/glasses", *arguments)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON",
        b"[1]",
        b'{"outputs": {}}',
        b'{"outputs": {"image_bytes": [{"b64": "!!!!"}]}}',
        b'{"outputs": {"image_bytes": [{"b64": ""}]}}',
        b'{"outputs": {"image_bytes": [0.5]}}',
    ],
)
def test_an_answer_without_a_picture_is_told(answer, files, tmp_path, monkeypatch):
    module = client("rest_client")
    monkeypatch.setattr(module.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(answer))
    arguments = ("--target", files[0], "--reference", files[1], "--output", tmp_path / "out.png")
    with pytest.raises(SystemExit, match=r"rest_client.py: .*answer .*Received: "):
        run(module, monkeypatch, *arguments)
    assert not (tmp_path / "out.png").exists()


@pytest.fixture
def grpc_server(signatures):
    """Address of a stand-in for the gRPC interface."""
    grpc = pytest.importorskip("grpc")
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            try:
                assert request.model_spec.name == "glasses"
                inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
                outputs = signatures[request.model_spec.signature_name](**inputs)
            except Exception as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error).splitlines()[0])
            response = predict_pb2.PredictResponse()
            for key, value in outputs.items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value.numpy()))
            return response

    server = grpc.server(futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_grpc(grpc_server, files, small_model, tmp_path, monkeypatch):
    module = client("grpc_client")
    target, reference = files
    output = tmp_path / "out.png"
    arguments = ("--server", grpc_server, "--target", target, "--reference", reference)
    run(module, monkeypatch, *arguments, "--output", output, "--size", 32)
    inputs = [2 * module.read(x, 32) - 1 for x in files]
    wanted = np.rint((small_model.transfer(*inputs).image[0] + 1) * 127.5)
    assert np.abs(np.asarray(Image.open(output)).astype(int) - wanted).max() <= 1
    with pytest.raises(SystemExit, match="grpc_client.py: INVALID_ARGUMENT"):
        run(module, monkeypatch, *arguments, "--output", output, "--size", 16)


def test_the_start_script_names_a_folder_without_versions(tmp_path):
    for arguments, message in (((), "usage: serve.sh"), ((tmp_path,), "holds no version")):
        result = subprocess.run(
            ["bash", SERVING / "serve.sh", *arguments], capture_output=True, text=True
        )
        assert result.returncode == 1 and message in result.stderr


def test_the_start_script_opens_ports_to_this_machine_alone(tmp_path, monkeypatch):
    docker, folder = tmp_path / "docker", tmp_path / "model"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    docker.chmod(0o755)
    (folder / "1").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def ports(address=None):
        if address:
            monkeypatch.setenv("ADDRESS", address)
        command = ["bash", SERVING / "serve.sh", folder]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [x for x in lines.splitlines() if x.endswith(("8500", "8501"))]

    assert ports() == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    assert ports("0.0.0.0") == ["0.0.0.0:8500:8500", "0.0.0.0:8501:8501"]


def test_the_picture_of_the_rest_client_is_a_png(rest, files):
    got = client("rest_client").predict(rest, "segment_encoded", {"image": files[0].read_bytes()})
    assert set(got) == {"mask_bytes", "binary_bytes"}
    assert Image.open(io.BytesIO(got["mask_bytes"])).size == (50, 40)
