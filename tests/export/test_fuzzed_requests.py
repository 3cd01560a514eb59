"""Whatever bytes the page's server and the client of TensorFlow Serving are sent, they go on."""

import functools
import io
import json
import pathlib
import unittest.mock

from export_scripts import EXPORT, load_script

from tests.fuzzing import hypothesis, mutated, replaced, st

REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /js/page.js?a=1 HTTP/1.0\r\nIf-Modified-Since: Thu, 26 Nov 2026 09:00:00 GMT\r\n\r\n",
    b"HEAD /%2e%2e/%2e%2e/setup.py HTTP/1.1\r\nRange: bytes=0-9\r\n\r\n",
    b"GET /js//../..//%00/..%2f HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
    b"POST /models/ HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}",
    b"GET /models\r\n",
)


class Connection:
    """A socket whose other end has said everything already."""

    def __init__(self, said):
        self.said, self.answer = io.BytesIO(said), b""

    def makefile(self, mode, size):
        return self.said

    def settimeout(self, seconds):
        assert seconds

    def sendall(self, part):
        self.answer += bytes(part)


@functools.cache
def handler():
    """The server's `Handler`, which keeps the paths that it opens in `opened`."""
    serve = load_script(EXPORT / "web" / "serve.py")

    class Quiet(serve.Handler):
        opened = []

        def log_message(self, *arguments):
            pass

        def translate_path(self, path):
            self.opened.append(super().translate_path(path))
            return self.opened[-1]

    return functools.partial(Quiet, directory=serve.FOLDER)


@hypothesis.given(st.data())
def test_requests(data):
    request = mutated(data.draw, data.draw(st.sampled_from(REQUESTS)))
    connection = Connection(request)
    handler()(connection, ("127.0.0.1", 9), None)
    opened = handler().func.opened
    assert all(pathlib.Path(x).is_relative_to(EXPORT / "web") for x in opened)
    opened.clear()


ANSWER = {"outputs": {"image_bytes": [{"b64": "iVBORw0KGgo="}], "mask_bytes": [{"b64": ""}]}}


@hypothesis.given(st.data())
def test_answers(data):
    client = rest_client()
    if data.draw(st.booleans()):
        answer = json.dumps(replaced(data.draw, ANSWER)).encode()
    else:
        answer = mutated(data.draw, json.dumps(ANSWER).encode())
    with unittest.mock.patch("urllib.request.urlopen", lambda *x, **y: io.BytesIO(answer)):
        try:
            files = client.predict("http://localhost", "transfer_encoded", {"target": b"x"})
        except RuntimeError as error:
            assert "Received: " in str(error)
        else:
            assert all(file.startswith(client.PNG) for file in files.values())


@functools.cache
def rest_client():
    return load_script(EXPORT / "serving" / "rest_client.py")
