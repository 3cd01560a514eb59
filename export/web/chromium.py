"""The page in a headless Chromium, for tests and measurements.

Needs Debian's `chromium` and the extra `web`.
"""

import contextlib
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import serve  # noqa: E402

EXECUTABLE = "/usr/bin/chromium"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextlib.contextmanager
def serving():
    """The address of the page, served while the block runs."""
    with serve.make_server(0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def launched(playwright, camera=None):
    """A browser; `camera` is an .mjpeg or .y4m file that its camera shows."""
    flags = list(FLAGS)
    if camera:
        flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        flags += [f"--use-file-for-fake-video-capture={camera}"]
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=flags)
    try:
        yield browser
    finally:
        browser.close()


def write_mjpeg(path, *frames):
    """A film, shown over and over, as Chromium's fake camera reads it.

    `frames` are uint8 `(height, width, 3)`; they are shown 30 a second.
    """
    from PIL import Image

    with open(path, "wb") as file:
        for frame in frames * 2 if len(frames) == 1 else frames:
            Image.fromarray(frame).save(file, "JPEG", quality=95)
