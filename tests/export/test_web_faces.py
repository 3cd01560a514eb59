"""Faces on the page in headless Chromium: found, followed, framed as the model says."""

import base64
import itertools

import face_model
import numpy as np
import pytest
from export_scripts import EXPORT, load_script
from face_model import DETAIL_SIZE, SIZE, off
from PIL import Image
from web_page import FINEST, NEEDED, WEB, assert_near, first_edit, png, state, wait_for

from mbu_tf.faces import FACE, Placement, find_faces
from mbu_tf.faces.framing import EYES

pytestmark = NEEDED


@pytest.fixture(scope="module")
def model_files(tmp_path_factory):
    """A model of faces, without and with detail."""
    folder = tmp_path_factory.mktemp("models")
    files = {name: folder / f"{name}.tflite" for name in ("plain", "detailed")}
    for name, path in files.items():
        face_model.write_face_model(path, detailed=name == "detailed")
    return files


@pytest.fixture(scope="module")
def woman():
    return face_model.woman()


@pytest.fixture(scope="module")
def man():
    return face_model.man()


@pytest.fixture(scope="module")
def film(woman):
    """Makes the first frames of a film in which she goes once round, and her eyes in each."""
    moving_face = load_script(EXPORT / "web" / "film.py").moving_face
    (face,) = find_faces(woman)

    def make(first, round):
        frames = moving_face(woman, (120, 10, 340, 200), face.eyes, round)
        return list(itertools.islice(frames, first))

    return make


@pytest.fixture
def face_page(page, address, model_files, man):
    """The page with the model of faces and a reference."""
    open_faces(page, address, model_files["plain"], man)
    return page


def open_faces(page, address, model, reference):
    first_edit(page, address)
    page.set_input_files("#model-file", model)
    page.set_input_files("#reference-file", png(reference))
    wait_for(page, "model.framing.kind === 'face' && !model.whole")


def show(page, photo):
    page.set_input_files("#target-file", png(photo))
    height, width = photo.shape[:2]
    wait_for(page, f"last.frame.width === {width} && last.frame.height === {height}")
    wait_for(page, "last.frame === source.frame() && prepared?.model === model && " + FINEST)
    return state(page)


def eyes_of(placement, framing=FACE):
    return np.array(Placement(*placement).to_photo(framing.eyes))


def assert_edited(edit, edit_photo, model):
    """The picture is what Python makes of it at the page's places, untouched elsewhere."""
    photo, reference_eyes = edit["frame"], eyes_of(edit["referencePlacement"])
    expected, mask = np.array(photo), np.zeros(photo.shape[:2], np.float32)
    for placement in edit["placements"]:
        eyes = eyes_of(placement)
        if edit["mode"] == "transfer":
            made = edit_photo.transfer(model, photo, edit["reference"], eyes, reference_eyes)
        else:
            made = edit_photo.remove(model, photo, eyes)
        expected = np.where(made[1][..., None] > 0, made[0], expected)
        mask = np.maximum(mask, made[1])
    assert_near(edit["picture"], expected)
    np.testing.assert_allclose(edit["mask"], mask, atol=1e-4)
    np.testing.assert_array_equal(edit["picture"][mask == 0], photo[mask == 0])
    assert 0.001 < (edit["picture"] != photo).any(-1).mean() < 0.2


def test_a_face_is_found_and_edited_where_it_is(face_page, woman, man, edit_photo, model_files):
    edit = show(face_page, woman)
    (placement,), (face,) = edit["placements"], find_faces(woman)
    assert off(eyes_of(placement), face.eyes) < 0.03
    assert off(eyes_of(edit["referencePlacement"]), find_faces(man)[0].eyes) < 0.03
    assert edit["notice"] == "" and edit["side"] == SIZE and face_page.is_disabled("#detail")
    model = edit_photo.Model(model_files["plain"])
    assert_edited(edit, edit_photo, model)
    face_page.check("input[value=remove]")
    wait_for(face_page, "last.mode === 'remove'")
    assert_edited(state(face_page), edit_photo, model)


@pytest.mark.slow
def test_every_face_or_the_largest(face_page, woman, man):
    both = np.full((600, 1000, 3), 90, np.uint8)
    both[80:592, 480:992] = woman
    both[50:550, 0:480] = np.array(Image.fromarray(man[:500]).resize((480, 500)))
    edit = show(face_page, both)
    faces = find_faces(both)
    assert len(edit["placements"]) == len(faces) == 2
    for placement, face in zip(edit["placements"], faces, strict=True):
        assert off(eyes_of(placement), face.eyes) < 0.05
    face_page.uncheck("#every-face")
    wait_for(face_page, "last.placements.length === 1")
    assert state(face_page)["placements"] == edit["placements"][:1]


@pytest.mark.slow
def test_no_face_is_said_and_the_picture_left_alone(face_page, woman, man):
    nobody = np.random.default_rng(0).integers(90, 120, (300, 400, 3)).astype(np.uint8)
    edit = show(face_page, nobody)
    assert edit["notice"].startswith("No face was found here")
    np.testing.assert_array_equal(edit["shown"], nobody)
    assert not edit["mask"].any()
    assert show(face_page, woman)["notice"] == ""
    face_page.set_input_files("#reference-file", png(nobody))
    wait_for(face_page, "last.reference.width === 400")
    edit = state(face_page)
    assert edit["notice"].startswith("No face was found in the reference")
    np.testing.assert_array_equal(edit["shown"], woman)


@pytest.mark.slow
def test_detail_is_shown_larger_squares(page, address, woman, man, edit_photo, model_files):
    open_faces(page, address, model_files["detailed"], man)
    edit = show(page, woman)
    assert edit["side"] == DETAIL_SIZE
    assert_edited(edit, edit_photo, edit_photo.Model(model_files["detailed"]))
    page.uncheck("#detail")
    wait_for(page, f"last.side === {SIZE}")
    plain = edit_photo.Model(model_files["detailed"], detail=False)
    assert_edited(state(page), edit_photo, plain)


@pytest.mark.slow
def test_a_model_of_the_centre_square_needs_no_faces(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    first_edit(page, address)
    assert len(state(page)["placements"]) == 1
    assert not any("faces.tflite" in url for url in asked)


def test_the_page_opens_on_the_model_of_faces(page, address):
    """The listed one; two sample portraits, the reference's own glasses on the other face."""
    if not (WEB / "models" / "faces-glasses.tflite").exists():
        pytest.skip("models/faces-glasses.tflite is not there")
    page.goto(address)
    wait_for(page, FINEST)
    edit = state(page)
    (placement,), (face,) = edit["placements"], find_faces(edit["frame"])
    assert off(eyes_of(placement, EYES), face.eyes) < 0.05 and edit["notice"] == ""
    changed = (edit["picture"] != edit["frame"]).any(-1)
    assert 0.001 < changed.mean() < 0.1 and not changed[edit["mask"] == 0].any()


# Frame after frame given to the page's own tracker, 30 a second whatever the machine's load.
FOLLOW = """
async (frames) => {
  const { state } = await import("./js/page.js");
  const { readPicture } = await import("./js/camera.js");
  state.squares.forget();
  const placements = [];
  for (const [i, png] of frames.entries()) {
    const blob = await (await fetch(`data:image/png;base64,${png}`)).blob();
    const found = await state.squares.of(state.model, await readPicture(blob), i / 30);
    placements.push(found.map(({ x, y, right, down }) => [x, y, right, down]));
  }
  return placements;
}
"""


@pytest.mark.slow
def test_a_moving_face_is_followed(face_page, film):
    shown = film(24, 60)
    encoded = [base64.b64encode(png(frame)["buffer"]).decode() for frame, _ in shown]
    followed = face_page.evaluate(FOLLOW, encoded)
    assert [len(found) for found in followed] == [1] * len(shown)
    errors = [off(eyes_of(x), eyes) for (x,), (_, eyes) in zip(followed, shown, strict=True)]
    assert max(errors) < 0.1 and np.mean(errors) < 0.05


@pytest.mark.slow
def test_the_edit_follows_a_face_before_the_camera(
    chromium, playwright, address, tmp_path, film, man, edit_photo, model_files
):
    shown, path = film(75, 300), tmp_path / "film.mjpeg"
    frames = [frame for frame, _ in shown]
    chromium.write_mjpeg(path, *frames, *reversed(frames))  # There and back, over and over.
    model = edit_photo.Model(model_files["plain"])
    with chromium.launched(playwright, path) as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        open_faces(page, address, model_files["plain"], man)
        page.click("#camera")
        wait_for(page, "last.frame.width === 640 && last.placements.length === 1")
        seen = []
        for _ in range(5):
            page.wait_for_timeout(300)
            edit = state(page)
            assert len(edit["placements"]) == 1 and edit["notice"] == ""
            assert_edited(edit, edit_photo, model)
            truth = shown[nearest(edit["frame"], frames)][1]
            assert off(eyes_of(edit["placements"][0]), truth) < 0.15
            seen.append(np.mean(truth, axis=0))
        assert np.ptp(seen, axis=0).max() > 30  # It did move.


def nearest(frame, frames):
    """Which of the frames it is, which the camera has compressed."""
    few = [each[::16, ::16].astype(int) for each in frames]
    return int(np.argmin([np.abs(frame[::16, ::16] - each).mean() for each in few]))
