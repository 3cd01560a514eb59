"""Serves this folder: python serve.py [--port 8000] [--everywhere] [--certificate FILE]

Beyond `python -m http.server` it sends the two headers without which browsers
give a page no threads. A phone needs https for its camera, hence `--certificate`.
"""

import argparse
import functools
import http
import http.server
import pathlib
import ssl
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of `FOLDER` with the headers that isolate the page."""

    # Seconds for which a request, or a shaking of hands, may say nothing more.
    timeout = 20

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def send_head(self):
        try:
            return super().send_head()
        except ValueError:  # Of a name that no file can have.
            self.send_error(http.HTTPStatus.NOT_FOUND, "File not found")

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def make_server(port, host="localhost", certificate=None):
    """A server of `FOLDER`, not yet serving; port 0 takes a free one.

    Args:
        certificate: PEM file of a certificate and its private key, for https.

    Raises:
        ValueError: if the port is taken or the certificate cannot be used; the message
            says so.
    """
    context = _tls(certificate) if certificate else None
    handler = functools.partial(Handler, directory=FOLDER)
    try:
        server = http.server.ThreadingHTTPServer((host, port), handler)
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"Port {port} is taken or may not be used. Choose another with --port. "
            f"Received: {error}"
        ) from error
    if context:
        # Hands are shaken in each connection's own thread: none holds up the others.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


def _tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A key's password is not asked for: the server may have no terminal.
        context.load_cert_chain(certificate, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError.
        raise ValueError(
            f"{certificate} is no PEM file of a certificate and its private key without a "
            f"password. README.md says how to make one. Received: {error}"
        ) from error
    return context


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--everywhere", action="store_true", help="for other devices too")
    parser.add_argument("--certificate", metavar="FILE", help="PEM file, serves https")
    arguments = parser.parse_args()
    host = "0.0.0.0" if arguments.everywhere else "localhost"
    try:
        server = make_server(arguments.port, host, arguments.certificate)
    except ValueError as error:
        sys.exit(f"serve.py: {error}")
    scheme = "https" if arguments.certificate else "http"
    print(f"Open {scheme}://localhost:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
