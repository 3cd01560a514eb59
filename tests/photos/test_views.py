"""Squares of photos with faces, at any turn."""

from typing import NamedTuple

import numpy as np
import pytest

from mbu_tf import photos
from mbu_tf.data.images import resize_image
from mbu_tf.faces import CENTRE, FACE
from mbu_tf.models.inference import Edit
from mbu_tf.photos import views

SIZE = 16
EYES = {
    "upright": ((60.0, 50.0), (90.0, 50.0)),
    "rolled": ((61.5, 70.2), (83.3, 41.9)),
    "upside_down": ((90.0, 60.0), (60.0, 62.0)),
    "cut_off": ((3.0, 10.0), (30.0, 14.0)),
    "tiny": ((60.0, 50.0), (63.0, 51.0)),
}
REFERENCE = np.zeros((30, 30, 3), np.uint8)


class Found(NamedTuple):
    eyes: tuple
    box: tuple = (0, 0, 1, 1)


class Painter:
    """Paints its disc white, whatever it is shown, and remembers that."""

    image_size, framing, has_masks = SIZE, FACE, True

    def __init__(self):
        y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
        self.mask = np.float32(x**2 + y**2 < 16)[None, ..., None]
        self.seen = []

    def detailed_transfer_layer(self, target, reference):
        self.seen.append(target)
        return Edit(np.ones((1, SIZE, SIZE, 3), np.float32), self.mask)

    def detailed_removal_layer(self, image, threshold):
        return self.detailed_transfer_layer(image, None)

    def detailed_segmentation(self, image):
        return self.mask

    def checked_threshold(self, threshold):
        return 0.5


def random_photo(height=120, width=150):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
@pytest.mark.parametrize("edit", ["transfer", "remove"])
def test_outside_the_mask_every_pixel_is_the_photos_own_at_any_turn(eyes, edit):
    photo, model = random_photo(), Painter()
    given = photo.copy()
    photo.flags.writeable = False
    if edit == "transfer":
        edited = photos.transfer_photo(model, photo, REFERENCE, face=[eyes], reference_face=[eyes])
    else:
        edited = photos.remove_photo(model, photo, face=[eyes])
    outside = edited.mask == 0
    np.testing.assert_array_equal(edited.image[outside], given[outside])
    assert outside.any() and not outside.all()
    # The disc lies in the middle of the face's square, as large as there.
    placement = FACE.placement(120, 150, eyes)
    reach = 0.34 + 2 / placement.side
    y, x = np.mgrid[:120, :150] + 0.5
    away = np.linalg.norm(placement.to_square(np.stack([x, y], -1)) - 0.5, axis=-1)
    assert (edited.mask[away < 0.18] > 0.9).all() and not edited.mask[away > reach].any()
    assert (edited.image[away < 0.18] >= 254).all()


def test_the_model_sees_the_face_upright():
    """A photo turned by a quarter shows the model what the upright one shows it."""
    photo, model = random_photo(), Painter()
    (left, right) = EYES["upright"]
    photos.remove_photo(model, photo, face=[(left, right)])
    turned = np.rot90(photo)  # To the left: (x, y) goes to (y, width - x).
    eyes = [(y, 150 - x) for x, y in (left, right)]
    photos.remove_photo(model, turned, face=[tuple(eyes)])
    np.testing.assert_allclose(model.seen[0], model.seen[1], atol=2 / 127.5)


def test_with_detail_the_model_is_shown_as_many_pixels_as_the_photo_has(monkeypatch):
    model, photo = Painter(), random_photo()
    # And twice its own at least.
    for distance, side in ((3, 32), (4.4, 32), (6, 32), (30, 128), (70, 256)):
        photos.remove_photo(model, photo, face=[((60.0, 50.0), (60.0 + distance, 50.0))])
        assert model.seen[-1].shape == (1, side, side, 3)
    monkeypatch.setattr("mbu_tf.photos.edits.LARGEST", 64)
    photos.transfer_photo(
        model, photo, REFERENCE, face=[EYES["upright"]], reference_face=[EYES["tiny"]]
    )
    assert model.seen[-1].shape == (1, 64, 64, 3)


@pytest.fixture
def two_faces(monkeypatch):
    faces = [Found(EYES["upright"]), Found(((10.0, 90.0), (22.0, 91.0)))]
    monkeypatch.setattr(views, "find_faces", lambda photo: faces)
    monkeypatch.setattr(
        views, "choose_faces", lambda faces, which: faces if which == "all" else faces[:1]
    )
    return faces


def test_the_largest_face_or_all(two_faces):
    photo, model = random_photo(), Painter()
    one = photos.segment_photo(model, photo)
    both = photos.segment_photo(model, photo, face="all")
    assert one[50:55, 70:80].all() and both[50:55, 70:80].all()
    assert not one[85:105].any() and both[85:105].any()
    edited = photos.transfer_photo(model, photo, photo, face="all")
    assert (edited.mask[both > 0] == 1).all() and 0 < edited.mask.mean() < 2 * both.mean()


def test_the_framing_may_be_overruled(two_faces):
    photo, model = random_photo(), Painter()
    edited = photos.transfer_photo(model, photo, REFERENCE, framing="centre")
    assert edited.mask[60, 75] == 1 and len(model.seen) == 1
    model.framing = CENTRE
    np.testing.assert_array_equal(
        photos.transfer_photo(model, photo, REFERENCE).image, edited.image
    )
    framed = photos.transfer_photo(model, photo, REFERENCE, framing="face")
    assert (framed.image != edited.image).any()
    with pytest.raises(ValueError, match="centre square and knows no faces.*Received: face='all'"):
        photos.transfer_photo(model, photo, REFERENCE, face="all")


def test_a_square_is_laid_back_where_it_was_cut():
    """What the model is shown, painted back as it is, changes next to nothing."""
    smooth = resize_image(random_photo(9, 9), 128)
    view = views.View(smooth, FACE.placement(128, 128, ((50.2, 55.1), (80.9, 61.3))))
    edited = views.unedited(smooth)
    size = view.placement.pixels
    view.lay(edited, Edit(view.at(size), np.ones((1, size, size, 1), np.float32)))
    assert (edited.mask > 0.99).sum() > 0.9 * view.placement.side**2 * 0.8
    difference = np.abs(edited.image.astype(int) - smooth)
    assert difference.mean() < 1.0


def test_a_view_of_the_reference_stands_for_it():
    """And is cut out of it once."""
    shown = []

    class Reader(Painter):
        def detailed_transfer_layer(self, target, reference):
            shown.append(reference)
            return super().detailed_transfer_layer(target, reference)

    reference = views.View(REFERENCE, FACE.placement(30, 30, ((10.0, 12.0), (20.0, 12.0))))
    assert views.views(reference, CENTRE) == [reference]
    for eyes in (EYES["rolled"], EYES["tiny"]):
        photos.transfer_photo(Reader(), random_photo(), reference, face=[eyes], detail=True)
    assert all(image is reference.at(image.shape[1]) for image in shown) and len(shown) == 2
