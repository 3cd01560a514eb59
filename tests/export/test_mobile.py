"""The mobile example's pre- and post-processing against the library's own edits of photos."""

import sys
import types

import face_model
import numpy as np
import pytest
from export_scripts import EXPORT, load_script
from PIL import Image

from mbu_tf import photos
from mbu_tf.exporting.metadata import append_to_tflite
from mbu_tf.faces import CENTRE, FACE, find_faces
from mbu_tf.models.inference import Edit
from mbu_tf.photos.views import views

FACES = EXPORT / "web" / "models" / "faces.tflite"
SIZE = 16
# Shape of the photo and the eyes of the face in it; without them the centre square is meant.
SHOWN = [((SIZE, SIZE), None), ((41, 32), None), ((17, 60), None), ((8, 8), None), ((1, 5), None)]
SHOWN += [
    ((41, 60), ((20.5, 18.0), (32.0, 21.5))),
    ((41, 60), ((50, 30), (38.2, 14))),  # Rolled over, beyond the edges.
]


class Painter:
    """A model that paints a smooth picture and a mask; `exported` is its exported form."""

    image_size = SIZE

    def __init__(self, mask, paint, framing):
        self.mask = np.broadcast_to(np.float32(mask), (1, SIZE, SIZE, 1))
        self.paint = np.broadcast_to(np.float32(paint), (1, SIZE, SIZE, 3))
        self.framing = framing

    def transfer_layer(self, target, reference):
        return Edit(self.paint, self.mask)

    def removal_layer(self, image, threshold):
        return Edit(self.paint, (self.mask >= 0.5).astype(np.float32))

    def segment(self, image):
        return self.mask

    def checked_threshold(self, threshold):
        return 0.5

    def run(self, signature, **images):
        if signature == "segment":
            return {"mask": self.mask, "binary": (self.mask >= 0.5).astype(np.float32)}
        input = images.get("target", images.get("image"))
        mask = self.mask if signature == "transfer" else (self.mask >= 0.5).astype(np.float32)
        return {"image": mask * (self.paint / 2 + 0.5) + (1 - mask) * input, "mask": mask}

    @property
    def exported(self):
        return types.SimpleNamespace(size=SIZE, framing=self.framing.get_config(), run=self.run)


def faces(eyes):
    """As the library is told of them."""
    return [eyes] if eyes else "largest"


def painter(mask, eyes):
    paint = np.random.default_rng(1).uniform(-1, 1, (SIZE, SIZE, 3))
    return Painter(mask, paint, FACE if eyes else CENTRE)


@pytest.fixture
def mask():
    """From empty to full, smooth, with an edge."""
    ramp = np.linspace(-0.5, 1, SIZE).clip(0)[:, None, None] * np.ones((1, SIZE, 1))
    ramp[:, :3] = 0
    return ramp[None]


@pytest.mark.parametrize("shape, eyes", SHOWN)
def test_the_model_is_shown_what_the_library_shows_it(shape, eyes, edit_photo, random_photo):
    photo, framing = random_photo(*shape), FACE if eyes else CENTRE
    place = edit_photo.placement(framing.get_config(), *shape, eyes)
    assert place == pytest.approx(framing.placement(*shape, eyes), abs=1e-9)
    shown = edit_photo.model_input(photo, place, SIZE)
    assert shown.dtype == np.float32 and shown.shape == (1, SIZE, SIZE, 3)
    (view,) = views(photo, framing, faces(eyes))
    np.testing.assert_allclose(2 * shown - 1, view.at(SIZE), atol=1e-6)


@pytest.mark.parametrize("shape, eyes", SHOWN)
def test_edits_are_the_librarys(shape, eyes, mask, edit_photo, random_photo):
    photo, model = random_photo(*shape), painter(mask, eyes)
    ours = edit_photo.transfer(model.exported, photo, photo, eyes, eyes)
    face = faces(eyes)
    theirs = photos.transfer_photo(
        model, photo, photo, face=face, reference_face=face, detail=False
    )
    removed = edit_photo.remove(model.exported, photo, eyes)
    for mine, librarys in (
        (ours, theirs),
        (removed, photos.remove_photo(model, photo, face=face, detail=False)),
    ):
        assert np.abs(mine[0].astype(int) - librarys.image).max() <= 1
        np.testing.assert_allclose(mine[1], librarys.mask, atol=1e-6)
        assert 0 < (mine[1] > 0).mean() < 1


@pytest.mark.parametrize("shape, eyes", SHOWN)
def test_pixels_outside_the_mask_are_the_photos_own(shape, eyes, mask, edit_photo, random_photo):
    photo, model = random_photo(*shape), painter(mask, eyes).exported
    photo.flags.writeable = False
    for edited, where in (
        edit_photo.transfer(model, photo, photo, eyes, eyes),
        edit_photo.remove(model, photo, eyes),
    ):
        np.testing.assert_array_equal(edited[where == 0], photo[where == 0])


@pytest.mark.parametrize("shape, eyes", SHOWN)
def test_segmentations_are_the_librarys(shape, eyes, mask, edit_photo, random_photo):
    photo, model = random_photo(*shape), painter(mask, eyes)
    # The threshold that `binary` tells lies at the faintest pixel above the stored one.
    model.checked_threshold = lambda threshold: mask[mask >= 0.5].min()
    expected = photos.segment_photo(model, photo, face=faces(eyes), detail=False)
    np.testing.assert_array_equal(edit_photo.segment(model.exported, photo, eyes), expected)


def test_metadata_are_read(edit_photo, tmp_path):
    path, told = tmp_path / "model.tflite", {"image_size": 64, "framing": FACE.get_config()}
    path.write_bytes(append_to_tflite(b"TFL3" * 99, told))
    assert edit_photo.metadata_of(path) == told
    path.write_bytes(b"TFL3" * 99)
    assert edit_photo.metadata_of(path) == {"framing": {"kind": "centre"}}


def test_the_committed_example_comes_out_again(edit_photo, tmp_path, monkeypatch):
    """The pictures that a port to a phone is checked against, from the files beside them."""
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed: pip install '.[web]'")
    faces, model = EXPORT / "web" / "faces", EXPORT / "web" / "models" / "avatars-glasses.tflite"
    target, worn = faces / "target-1.png", faces / "target-with-glasses.png"
    for edit, arguments in (
        ("transfer", ["--target", target, "--reference", faces / "reference-sunglasses.png"]),
        ("remove", ["--target", worn]),
        ("segment", ["--target", worn]),
    ):
        output = tmp_path / f"{edit}.png"
        command = ["edit_photo.py", model, edit, *arguments, "--output", output]
        monkeypatch.setattr(sys, "argv", list(map(str, command)))
        edit_photo.main()
        made = np.array(Image.open(output)).astype(int)
        kept = np.array(Image.open(EXPORT / "mobile" / "expected" / f"{edit}.png"))
        # Kernels of other processors differ in the last bits; a cut mask may flip.
        off = np.abs(made - kept)
        assert (off > 1).mean() < 1e-3


@pytest.fixture(scope="module")
def finder():
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed: pip install '.[web]'")
    return load_script(EXPORT / "mobile" / "find_faces.py").FaceFinder(FACES)


@pytest.mark.slow
def test_faces_are_found_where_the_library_finds_them(finder):
    photos = [face_model.woman(), face_model.man()]
    turned = Image.fromarray(photos[0]).rotate(35, Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))
    both = np.full((900, 1300, 3), 90, np.uint8)
    both[200:712, :512], both[250:850, 700:1212] = photos
    small = np.array(Image.fromarray(photos[1]).resize((128, 150)))
    for photo, count in zip((*photos, np.array(turned), both, small), (1, 1, 1, 2, 1), strict=True):
        found, expected = finder.eyes(photo), find_faces(photo)
        assert len(found) == len(expected) == count
        for eyes, face in zip(found, expected, strict=True):
            assert face_model.off(eyes, face.eyes) < 0.04
    assert finder.eyes(np.full((200, 300, 3), 90, np.uint8)) == []


def test_the_face_in_a_photo_is_edited(finder, edit_photo, tmp_path, monkeypatch, capsys):
    model, output = tmp_path / "model.tflite", tmp_path / "edited.png"
    face_model.write_face_model(model, detailed=True)
    target, reference = tmp_path / "target.png", tmp_path / "reference.png"
    for path, photo in ((target, face_model.woman()), (reference, face_model.man())):
        Image.fromarray(photo).save(path)

    def run(*options):
        command = ["edit_photo.py", model, "transfer", "--target", target]
        command += ["--reference", reference, "--output", output, *options]
        monkeypatch.setattr(sys, "argv", list(map(str, command)))
        edit_photo.main()
        return np.array(Image.open(output))

    made = run("--faces", FACES)
    changed = (made != face_model.woman()).any(-1)
    left, right = finder.eyes(face_model.woman())[0]
    middle = np.mean(np.argwhere(changed), axis=0)[::-1]
    distance = np.hypot(*np.subtract(right, left))
    assert np.hypot(*(middle - np.add(left, right) / 2)) < 0.1 * distance
    eyes, there = (
        ",".join(str(x) for eye in finder.eyes(photo)[0] for x in eye)
        for photo in (face_model.woman(), face_model.man())
    )
    np.testing.assert_array_equal(run("--eyes", eyes, "--reference-eyes", there), made)
    with pytest.raises(SystemExit):
        run("--eyes", eyes)
    assert "--reference-eyes X,Y,X,Y" in capsys.readouterr().err
