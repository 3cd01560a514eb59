"""The page's web server."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from export_scripts import EXPORT, load_script


@pytest.fixture(scope="module")
def serve():
    return load_script(EXPORT / "web" / "serve.py")


@contextlib.contextmanager
def running(server):
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_page_is_isolated_and_its_modules_typed(serve):
    with running(serve.make_server(0)) as port:
        for path, kind in (
            ("", "text/html"),
            ("js/page.js", "text/javascript"),
            ("models/models.json", "application/json"),
        ):
            with urllib.request.urlopen(f"http://localhost:{port}/{path}") as answer:
                assert answer.headers["Content-Type"].startswith(kind)
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
                assert answer.read()
        for path in ("../../setup.py", "%00"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://localhost:{port}/{path}")


def test_half_a_request_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(serve.Handler, "timeout", 0.2)
    with running(serve.make_server(0)) as port:
        with socket.create_connection(("localhost", port), timeout=30) as half:
            half.sendall(b"GET / HTTP/1.0\r\nHost:")
            assert half.recv(1) == b""  # The server has closed it.


def test_a_taken_port_and_a_bad_certificate_are_told(serve, tmp_path, monkeypatch):
    with serve.make_server(0) as server:
        port = server.server_port
        with pytest.raises(ValueError, match=f"Port {port} is taken.*--port"):
            serve.make_server(port)
        monkeypatch.setattr("sys.argv", ["serve.py", "--port", str(port)])
        with pytest.raises(SystemExit, match=f"serve.py: Port {port} is taken"):
            serve.main()
    with pytest.raises(ValueError, match="Port 99999 .*--port"):
        serve.make_server(99999)
    (tmp_path / "no.pem").write_text("no certificate")
    for name in ("no.pem", "missing.pem"):
        with pytest.raises(ValueError, match=f"{name} is no PEM file .*Received: "):
            serve.make_server(0, certificate=tmp_path / name)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_https_with_the_certificate_of_the_readme(serve, tmp_path):
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    trusting = ssl.create_default_context(cafile=certificate)
    with running(serve.make_server(0, certificate=both)) as port:
        with urllib.request.urlopen(f"https://localhost:{port}/", context=trusting) as answer:
            assert b"Face filter" in answer.read()
