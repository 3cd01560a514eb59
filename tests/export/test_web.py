"""The face-filter page in headless Chromium, its pictures against Python's on the same pixels.

LiteRT's kernels in WebAssembly and in Python differ in the last bits of a
float32, so that a rounded pixel may differ by 1 of 255; all around the model is
equal to the bit (test_web_images.py).
"""

import base64
import io
import struct

import icc
import numpy as np
import pytest
from PIL import Image
from web_page import (
    AVATARS,
    FINEST,
    MODEL,
    NEEDED,
    WEB,
    assert_near,
    first_edit,
    message,
    png,
    state,
    wait_for,
)

pytestmark = NEEDED

# Films a picture in the browser and chooses the film as the target's file.
CHOOSE_VIDEO = """
async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
  const film = new Promise((done) => (recorder.ondataavailable = (event) => done(event.data)));
  recorder.start();
  for (let i = 0; i < 15; i++) {
    context.drawImage(image, 0, 0);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  recorder.stop();
  const chosen = new DataTransfer();
  chosen.items.add(new File([await film], "film.webm", { type: "video/webm" }));
  const input = document.getElementById("target-file");
  input.files = chosen.files;
  input.dispatchEvent(new Event("change"));
}
"""
# By how many bytes LiteRT's memory grows over many calls and models.
GROWTH = """
async () => {
  const { state } = await import("./js/page.js");
  const { openModel } = await import("./js/engine.js");
  const memory = () => state.engine.litert.getGlobalLiteRt().liteRtWasm.HEAPU8.length;
  const bytes = new Uint8Array(await (await fetch("models/avatars-glasses.tflite")).arrayBuffer());
  const open = async () => (await openModel(state.engine, bytes)).close();
  await open(); // From now on there is room for two models side by side.
  const before = memory();
  for (const [side, times] of [[state.model.size, 300], [state.model.detailSize, 20]]) {
    const image = new Float32Array(3 * side ** 2);
    for (let i = 0; i < times; i++) {
      const reference = await state.model.prepare(image, side);
      await state.model.edit("transfer", side, image, reference);
      state.model.release(reference);
    }
  }
  for (let i = 0; i < 10; i++) await open();
  return memory() - before;
}
"""
CUT_OUT = """
() => {
  const canvas = document.getElementById("found-content");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data);
}
"""
KEEP_STREAM = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await ask(wish));
"""


@pytest.fixture(scope="module")
def model(edit_photo):
    return edit_photo.Model(MODEL)


def assert_transferred(edit, edit_photo, model):
    expected, mask = edit_photo.transfer(model, edit["frame"], edit["reference"])
    assert_near(edit["picture"], expected)
    np.testing.assert_allclose(edit["mask"], mask, atol=1e-4)
    changed = (edit["picture"] != edit["frame"]).any(axis=-1)
    assert 0.005 < changed.mean() < 0.5  # It did put glasses on, and not all over.
    assert not changed[edit["mask"] == 0].any()


def photo(width, height):
    """A photo made of a sample face, of another size and shape."""
    face = Image.open(WEB / "faces" / "target-1.png").convert("RGB")
    canvas = Image.new("RGB", (width, height), (90, 140, 110))
    side = min(width, height)
    canvas.paste(face.resize((side, side)), ((width - side) // 2, (height - side) // 2))
    return np.array(canvas)


def test_it_works_at_once_without_a_camera(page, address, edit_photo, model):
    first_edit(page, address)
    edit = state(page)
    face = np.array(Image.open(WEB / "faces" / "target-1.png").convert("RGB"))
    np.testing.assert_array_equal(edit["frame"], face)
    assert edit["mode"] == "transfer" and edit["threads"] == 1
    assert_transferred(edit, edit_photo, model)
    np.testing.assert_array_equal(edit["shown"], edit["picture"])
    assert page.is_hidden("#message")


def test_the_camera_is_edited_live(chromium, playwright, address, tmp_path, edit_photo, model):
    film = tmp_path / "film.mjpeg"
    chromium.write_mjpeg(film, photo(640, 480))
    with chromium.launched(playwright, film) as browser:
        page = browser.new_page()
        page.add_init_script(KEEP_STREAM)
        first_edit(page, address)
        page.click("#camera")
        wait_for(page, "last.frame.width === 640")
        edit = state(page)
        assert edit["frame"].shape == (480, 640, 3)
        # The fake camera shows the film; the colours of JPEG and video differ a little.
        assert np.abs(edit["frame"].astype(int) - photo(640, 480)).mean() < 12
        assert_transferred(edit, edit_photo, model)
        page.evaluate("async () => { window.earlier = (await import('./js/page.js')).state.last; }")
        wait_for(page, "last !== window.earlier")  # It goes on by itself.
        assert "frames/s" in page.inner_text("#figures") and page.is_hidden("#message")
        page.evaluate("window.stream.getTracks().forEach((track) => track.stop())")
        assert "The camera has stopped" in message(page)


@pytest.mark.parametrize("size", [(301, 200), (48, 90)])
def test_a_file_is_edited_at_its_own_size(size, page, address, edit_photo, model):
    first_edit(page, address)
    page.set_input_files("#target-file", png(photo(*size)))
    wait_for(page, f"last.frame.width === {size[0]}")
    edit = state(page)
    np.testing.assert_array_equal(edit["frame"], photo(*size))
    assert_transferred(edit, edit_photo, model)


@pytest.mark.slow
def test_a_video_file_is_edited_live(page, address, edit_photo, model):
    first_edit(page, address)
    page.evaluate(CHOOSE_VIDEO, base64.b64encode(png(photo(320, 240))["buffer"]).decode())
    wait_for(page, "last.frame.width === 320")
    edit = state(page)
    assert np.abs(edit["frame"].astype(int) - photo(320, 240)).mean() < 12
    assert_transferred(edit, edit_photo, model)


@pytest.mark.slow
def test_tensors_and_models_are_freed(page, address):
    first_edit(page, address)
    assert page.evaluate(GROWTH) < 8_000_000  # 48 MB of tensors, 23 MB of models otherwise.


def test_the_picture_is_saved_as_shown(page, address, tmp_path):
    first_edit(page, address)
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "transfer.png"
    download.value.save_as(tmp_path / "saved.png")
    saved = np.array(Image.open(tmp_path / "saved.png").convert("RGB"))
    np.testing.assert_array_equal(saved, state(page)["shown"])


def test_removal_and_segmentation(page, address, edit_photo, model):
    first_edit(page, address)
    page.click("#targets button:last-child")
    page.check("input[value=remove]")
    wait_for(page, "last.mode === 'remove' && last.frame === source.frame()")
    edit = state(page)
    expected, mask = edit_photo.remove(model, edit["frame"])
    assert_near(edit["picture"], expected)
    np.testing.assert_allclose(edit["mask"], mask, atol=1e-4)
    assert 0.01 < mask.mean() < 0.3
    page.check("input[value=segment]")
    wait_for(page, "last.mode === 'segment'")
    edit = state(page)
    np.testing.assert_array_equal(edit["picture"], edit["frame"])
    wrong = edit["mask"] != edit_photo.segment(model, edit["frame"])
    assert wrong.mean() < 1e-3
    changed = (edit["shown"] != edit["frame"]).any(axis=-1)
    np.testing.assert_array_equal(changed, edit["mask"] > 0)


def test_a_reference_of_ones_own_and_the_mask_shown(page, address, edit_photo, model):
    first_edit(page, address)
    reference = np.array(Image.open(WEB / "faces" / "reference-sunglasses.png").convert("RGB"))
    page.set_input_files("#reference-file", png(reference[10:, 3:]))
    wait_for(page, "last.reference.height === 246")
    edit = state(page)
    np.testing.assert_array_equal(edit["reference"], reference[10:, 3:])
    assert_transferred(edit, edit_photo, model)
    page.check("#show-mask")
    wait_for(page, "last.masked")
    edit = state(page)
    outside = edit["mask"] == 0
    np.testing.assert_array_equal(edit["shown"][outside], edit["frame"][outside])
    assert (edit["shown"] != edit["picture"]).any()


@pytest.mark.slow
def test_two_threads_give_the_same_picture(page, address, edit_photo, model):
    if page.evaluate("navigator.hardwareConcurrency") < 2:
        pytest.skip("one processor core: the page offers no threads")
    first_edit(page, address)
    with page.expect_request("**/litert_wasm_threaded_internal.wasm"):
        page.select_option("#threads", "2")  # Loads the page anew.
    wait_for(page, FINEST)
    edit = state(page)
    assert edit["threads"] == 2 and "2 threads" in page.inner_text("#figures")
    assert_transferred(edit, edit_photo, model)


@pytest.mark.slow
def test_a_browser_without_relaxed_simd(page, address, edit_photo, model):
    """It gets LiteRT's compatible build, which has one thread."""
    page.add_init_script("""
        const instantiate = WebAssembly.instantiate;
        WebAssembly.instantiate = (module, ...rest) =>
          module.byteLength < 100 // LiteRT asks what there is by such modules.
            ? Promise.reject(new Error("not supported"))
            : instantiate(module, ...rest);
    """)
    with page.expect_request("**/litert_wasm_compat_internal.wasm"):
        page.goto(address + AVATARS + "&threads=2")
    wait_for(page, FINEST)
    edit = state(page)
    assert edit["threads"] == 1 and page.is_hidden("#message")
    assert_transferred(edit, edit_photo, model)


@pytest.mark.slow
def test_a_model_file_of_ones_own(page, address, edit_photo, model):
    page.route("**/*.tflite", lambda route: route.fulfill(status=404))
    page.goto(address + AVATARS)
    assert "There is no model models/avatars-glasses.tflite (404)" in message(page)
    page.set_input_files("#model-file", MODEL)
    wait_for(page, FINEST)
    assert page.is_hidden("#message")
    assert_transferred(state(page), edit_photo, model)


@pytest.fixture(scope="module")
def foreign_model():
    """A TFLite file with another signature."""
    import tensorflow as tf

    class Double(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
        def __call__(self, x):
            return {"y": 2.0 * x}

    module = Double()
    function = module.__call__.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function], module).convert()


@pytest.mark.slow
def test_foreign_model_files_are_refused(page, address, foreign_model):
    first_edit(page, address)
    for name, content, complaint in (
        ("text.tflite", b"no model at all", "This is no TFLite file"),
        ("foreign.tflite", foreign_model, "lacks the signature transfer"),
        ("cut.tflite", MODEL.read_bytes()[:2000], "cannot run this model"),
    ):
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        page.set_input_files("#model-file", file)
        page.wait_for_function(
            "(text) => document.getElementById('message').innerText.includes(text)", arg=complaint
        )
        assert "mbu-tf export MODEL" in message(page) and "Received: " in message(page)
    # The model from before goes on.
    page.check("input[value=remove]")
    wait_for(page, "last.mode === 'remove'")
    assert page.is_hidden("#message") or "cannot run" in message(page)


def test_no_camera(page, address):
    first_edit(page, address)
    page.click("#camera")
    assert "There is no camera" in message(page)


@pytest.mark.slow
def test_the_camera_is_refused(page, address):
    page.add_init_script("""
        navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("refused", "NotAllowedError");
        };
    """)
    first_edit(page, address)
    page.click("#camera")
    assert "Allow it in the browser's site settings" in message(page)


@pytest.mark.slow
def test_a_page_that_may_not_ask_for_a_camera(page, address):
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    first_edit(page, address)
    page.click("#camera")
    assert "https://" in message(page)


def test_no_simd(page, address):
    page.add_init_script("WebAssembly.validate = () => false")
    page.goto(address)
    assert "lacks WebAssembly's SIMD" in message(page)


def test_litert_js_is_not_installed(page, address):
    page.route("**/node_modules/**", lambda route: route.fulfill(status=404))
    page.goto(address)
    assert "Run `npm ci` in export/web" in message(page)


@pytest.mark.slow
def test_a_display_p3_photo_is_shown_and_saved_in_srgb(page, address, tmp_path):
    first_edit(page, address)
    colours = (
        np.random.default_rng(0).integers(90, 170, (6, 9, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    )
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG", icc_profile=icc.display_p3())
    page.set_input_files("#target-file", {**png(colours), "buffer": buffer.getvalue()})
    wait_for(page, "last.frame.width === 180 && " + FINEST)
    expected = icc.p3_in_srgb(colours)
    assert np.abs(expected - colours).max() > 10
    assert np.abs(state(page)["frame"] - expected).max() <= 2
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "saved.png")
    saved = Image.open(tmp_path / "saved.png")
    assert "icc_profile" not in saved.info  # sRGB, as all without one.
    np.testing.assert_array_equal(np.array(saved.convert("RGB")), state(page)["shown"])


@pytest.mark.slow
def test_a_transparent_picture_comes_back_transparent(page, address, tmp_path):
    first_edit(page, address)
    face = np.array(Image.open(WEB / "faces" / "target-1.png").convert("RGB"))
    alpha = np.full((256, 256), 255, np.uint8)
    alpha[:40], alpha[40:60] = 0, 128
    page.set_input_files("#target-file", png(np.dstack([face, alpha])))
    wait_for(page, "last.frame.own && " + FINEST)
    edit = state(page, transparent=("picture", "shown"))
    white = np.full_like(face, 255)
    np.testing.assert_array_equal(edit["frame"][60:], face[60:])
    np.testing.assert_array_equal(edit["frame"][:40], white[:40])
    mixed = (face[40:60] * 128.0 + 255 * 127) / 255
    assert np.abs(edit["frame"][40:60] - mixed).max() <= 2  # A canvas keeps 8 bits times alpha.
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "saved.png")
    saved = np.array(Image.open(tmp_path / "saved.png"))
    np.testing.assert_array_equal(saved[..., 3], alpha)
    outside = (edit["mask"] == 0) & (alpha == 255)
    np.testing.assert_array_equal(saved[outside, :3], face[outside])
    assert (saved[~outside & (alpha == 255), :3] != face[~outside & (alpha == 255)]).any()


@pytest.mark.slow
def test_more_pixels_than_can_be_are_refused_by_the_header(page, address):
    first_edit(page, address)
    head = struct.pack(">IIBBBBB", 23_000, 23_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + b"IHDR" + head
    for control in ("#target-file", "#reference-file"):
        page.evaluate("document.getElementById('message').hidden = true")
        file = {"name": "bomb.png", "mimeType": "image/png", "buffer": bomb}
        page.set_input_files(control, file)
        assert "bomb.png has over 50 megapixels. Shrink it." in message(page)
        assert "23000 x 23000" in message(page)
    page.check("input[value=remove]")
    wait_for(page, "last.mode === 'remove'")


@pytest.mark.slow
def test_what_is_found_in_the_reference_is_shown(page, address, edit_photo, model):
    first_edit(page, address)
    assert page.is_visible("#found-mask") and page.is_visible("#found-content")
    cut = page.evaluate(CUT_OUT)
    reference = state(page)["reference"]
    place = edit_photo.placement(model.framing, *reference.shape[:2])
    shown = edit_photo.model_input(reference, place, model.size)
    mask = model.run("segment", image=shown)["mask"][0, ..., 0]
    alpha = np.reshape(cut, (*mask.shape, 4))[..., 3]
    np.testing.assert_allclose(alpha, 255 * mask, atol=2)
    assert 0.005 < (alpha > 128).mean() < 0.3
    page.evaluate("async () => { window.first = (await import('./js/page.js')).state.prepared; }")
    page.click("#references button:last-child")
    wait_for(page, "prepared.drawn && prepared.reference !== window.first.reference")
    assert page.evaluate(CUT_OUT) != cut


@pytest.mark.slow
def test_a_file_that_is_no_picture(page, address):
    first_edit(page, address)
    file = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#target-file", file)
    assert "notes.png is no picture" in message(page)
