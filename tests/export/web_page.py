"""The face-filter page as tests drive it: what it needs, its state, its pictures."""

import base64
import importlib.util
import io
import pathlib

import numpy as np
import pytest
from export_scripts import EXPORT
from PIL import Image

WEB = EXPORT / "web"
MODEL = WEB / "models" / "avatars-glasses.tflite"
CHROMIUM = pathlib.Path("/usr/bin/chromium")
NEEDED = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None,
        reason="Playwright is not installed: pip install -e '.[web]'",
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("ai_edge_litert") is None,
        reason="LiteRT is not installed: pip install -e '.[test]'",
    ),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's package chromium is not installed"),
    pytest.mark.skipif(
        not (WEB / "node_modules").is_dir(),
        reason="LiteRT.js is not installed: npm ci --prefix export/web",
    ),
]

# What the page shows, and what it was made of, as base64 of RGBA bytes.
STATE = """
async () => {
  const { state } = await import("./js/page.js");
  const { last } = state;
  const encode = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) {
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return btoa(text);
  };
  const view = document.getElementById("view");
  const shown = view.getContext("2d").getImageData(0, 0, view.width, view.height);
  const picture = (p) => ({ rgba: encode(p.data), width: p.width, height: p.height });
  const numbers = ({ x, y, right, down }) => [x, y, right, down];
  return {
    mode: last.mode,
    side: last.side,
    placements: last.placements.map(numbers),
    shown: picture(shown),
    referencePlacement: state.prepared?.square && numbers(state.prepared.square),
    notice: document.getElementById("notice").innerText,
    threads: state.engine.threads,
    frame: picture(last.frame),
    reference: picture(last.reference),
    picture: picture(last.picture),
    mask: encode(new Uint8Array(last.mask.buffer)),
  };
}
"""

WAIT = """
async (condition) => {
  const { state } = await import("./js/page.js");
  const holds = new Function("state", `with (state) return ${condition}`);
  const end = performance.now() + 60000;
  while (!holds(state)) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
"""


# Query that opens the page on the avatars' model.
AVATARS = "?model=avatars-glasses"
FINEST = (
    "!changed && !model?.whole && last?.model === model"
    " && last.side === (model.detailSize ?? model.size)"
)


def first_edit(page, address):
    """Opens the page on the avatars' model and waits for its first picture as sharp as it is."""
    page.goto(address + AVATARS)
    wait_for(page, FINEST)


def wait_for(page, condition):
    """Waits until `condition` on the page's `state` holds."""
    page.evaluate(WAIT, condition)


def state(page, transparent=()):
    """The page's latest edit: pictures uint8 `(height, width, 3)`, its mask `(height, width)`.

    All but those named `transparent` must be opaque.
    """
    received = page.evaluate(STATE)
    for name in ("frame", "reference", "picture", "shown"):
        picture = received[name]
        rgba = np.frombuffer(base64.b64decode(picture["rgba"]), np.uint8)
        rgba = rgba.reshape(picture["height"], picture["width"], 4)
        assert (rgba[..., 3] == 255).all() == (name not in transparent)
        received[name] = rgba[..., :3]
    mask = np.frombuffer(base64.b64decode(received["mask"]), np.float32)
    received["mask"] = mask.reshape(received["frame"].shape[:2])
    return received


def message(page):
    page.wait_for_selector("#message:not([hidden])")
    return page.inner_text("#message")


def assert_near(picture, expected):
    """At most 1 of 255 off, and that at few pixels."""
    difference = np.abs(picture.astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def png(photo):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    return {"name": "photo.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
