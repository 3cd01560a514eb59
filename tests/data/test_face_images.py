"""Which photos are kept, how they are framed, and what is remembered; faces are drawn squares."""

from typing import NamedTuple

import numpy as np
import pytest

from mbu_tf.data import face_images
from mbu_tf.data.face_images import find_face_images
from mbu_tf.data.folders import load_folders
from mbu_tf.data.images import read_source, resize_image, write_png
from mbu_tf.faces import CENTRE, FACE


class DrawnFace(NamedTuple):
    box: tuple
    eyes: tuple


def face(x, y, size):
    """A face of `size` pixels whose upper left corner is at (x, y)."""
    eyes = ((x + 0.3 * size, y + 0.4 * size), (x + 0.7 * size, y + 0.4 * size))
    return DrawnFace((x, y, x + size, y + size), eyes)


@pytest.fixture
def looked_at(monkeypatch):
    """Stands in for the detector: each photo's first pixel says what it shows."""
    seen = []
    shown = {
        1: [],
        2: [face(10, 10, 20)],
        3: [face(10, 10, 20), face(40, 5, 9)],
        4: [face(10, 10, 20), face(30, 5, 11)],
    }

    def find_faces(photo):
        seen.append(int(photo[0, 0, 0]))
        return shown[seen[-1]]

    monkeypatch.setattr(face_images, "find_faces", find_faces)
    return seen


@pytest.fixture
def photo(tmp_path):
    """Makes a photo whose first pixel is `kind`."""

    def make(name, kind):
        pixels = np.random.default_rng(kind).integers(5, 256, (48, 64, 3), np.uint8)
        pixels[0, 0] = kind
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, pixels)
        return path

    return make


def test_photos_without_one_face_are_left_out_by_name(photo, looked_at, tmp_path):
    files = [photo(f"{i}.png", kind) for i, kind in enumerate([2, 1, 3, 4])]
    broken = tmp_path / "photos" / "broken.png"
    broken.write_bytes(b"no picture")
    messages = []
    found = find_face_images([*files, broken], FACE, tmp_path / "kept", messages.append)
    assert [image.source for image in found] == [files[0], files[2]]
    expected = FACE.placement(48, 64, face(10, 10, 20).eyes)
    np.testing.assert_allclose(found[1].placement, expected)
    assert [message.split(":")[0] for message in messages] == [
        "1 of 5 photos are left out, they show no face",
        "1 of 5 photos are left out, they show several faces",
        "1 of 5 photos are left out, they cannot be read",
    ]
    for name, message in zip(("1.png", "3.png", "broken.png"), messages, strict=True):
        assert message.endswith(name)


def test_faces_are_found_once_until_a_photo_changes(photo, looked_at, tmp_path):
    files = [photo("a.png", 2), photo("b.png", 3)]
    first = find_face_images(files, FACE, tmp_path)
    again = find_face_images(files, FACE, tmp_path)
    assert sorted(looked_at) == [2, 3]
    assert list(again) == list(first) and again.stamp() == first.stamp()
    photo("a.png", 3)
    assert find_face_images(files, FACE, tmp_path).stamp() != first.stamp()
    assert len(looked_at) == 4


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_damaged_memory_is_made_anew(photo, looked_at, tmp_path, content):
    files = [photo("a.png", 2)]
    find_face_images(files, FACE, tmp_path)
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(content)
    assert len(find_face_images(files, FACE, tmp_path)) == 1
    assert len(looked_at) == 2
    assert len(find_face_images(files, FACE, tmp_path)) == 1 and len(looked_at) == 2


def test_the_memory_is_the_users_cache(photo, looked_at, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    find_face_images([photo("a.png", 2)], FACE)
    assert len(list((tmp_path / "cache" / "mbu_tf").iterdir())) == 1
    # A cache that cannot be written to is done without.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "photos" / "a.png"))
    assert len(find_face_images([photo("b.png", 2)], FACE)) == 1


def test_no_face_at_all(photo, looked_at, tmp_path):
    with (
        pytest.warns(UserWarning, match="show no face: .*a.png"),
        pytest.raises(ValueError, match="None of 1 photos shows one face.*Received: .*a.png"),
    ):
        find_face_images([photo("a.png", 1)], FACE, tmp_path)


@pytest.mark.parametrize("cache", ["memory", "none", "disk:{}"])
def test_folders_of_framed_faces(photo, looked_at, tmp_path, monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for domain in "AB":
        for name in ("1.png", "2.png"):
            photo(f"train{domain}/{name}", 2)
    cache = cache.format(tmp_path / "disk")
    domains = load_folders(tmp_path / "photos", image_size=16, cache=cache, framing="face")
    assert domains.framing == FACE and domains.first(1).framing == FACE
    assert domains.exchanged().framing == FACE
    (first, *_) = find_face_images([tmp_path / "photos" / "trainA" / "1.png"], FACE)
    square = read_source(first)
    assert square.shape == (29, 29, 3)  # 8 pixels from eye to eye, 0.28 of it.
    np.testing.assert_array_equal(domains.a.take([0])[0], resize_image(square, 16))
    assert load_folders(tmp_path / "photos", image_size=16).framing == CENTRE
    with pytest.raises(ValueError, match="in place of a crop.*Received: crop=None"):
        load_folders(tmp_path / "photos", image_size=16, crop=None, framing="face")
