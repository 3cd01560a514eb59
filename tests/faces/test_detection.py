"""Faces found in photos with none, one, many, tiny, rolled, upside-down and cut-off ones."""

import concurrent.futures
import csv

import numpy as np
import pytest
from portraits import ASTRONAUT_EYES, HOPPER_EYES, astronaut, hopper, turned

from mbu_tf.data import read_image
from mbu_tf.faces import Face, NoFaceError, choose_faces, find_faces
from tests.portrait_sets import PORTRAITS, needs_portraits


def error(found, expected):
    """Mean distance of both eyes, in eye distances."""
    distances = np.linalg.norm(np.subtract(found, expected), axis=-1)
    return distances.mean() / np.linalg.norm(np.subtract(*expected))


def noise():
    return np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)


@pytest.mark.parametrize(
    ("photo", "eyes"), [(astronaut, ASTRONAUT_EYES), (hopper, HOPPER_EYES)], ids=lambda _: ""
)
def test_one(photo, eyes):
    (face,) = find_faces(photo())
    assert error(face.eyes, eyes) < 0.05
    left, top, right, bottom = face.box
    assert left < eyes[0][0] < eyes[1][0] < right and top < eyes[0][1] < bottom
    assert 0.7 <= face.score <= 1
    assert face.eyes == (face.left_eye, face.right_eye)


def test_none():
    assert find_faces(noise()) == []
    assert find_faces(np.zeros((1, 1, 3), np.uint8)) == []
    assert find_faces(np.full((20, 3000, 3), 200, np.uint8)) == []


def test_near_a_known_face_there_it_is_found_and_no_other():
    photo = np.concatenate([astronaut(), hopper()[:512]], axis=1)
    known, other = find_faces(photo)
    moved, _ = turned(photo, 4, size=1100)
    moved_known, moved_other = find_faces(moved)
    for face, expected in ((known, moved_known), (other, moved_other)):
        shift = (38, 294)  # The picture has grown around its middle.
        place = face._replace(
            box=tuple(np.add(face.box, (*shift, *shift))),
            left_eye=tuple(np.add(face.left_eye, shift)),
            right_eye=tuple(np.add(face.right_eye, shift)),
        )
        (found,) = find_faces(moved, near=[place])
        assert error(found.eyes, expected.eyes) < 0.03
    assert find_faces(moved, near=[known]) == [] == find_faces(moved, near=[])


def test_many_the_largest_first():
    photo = noise()
    photo = np.tile(photo, (3, 3, 1))
    photo[:512, :512] = astronaut()
    photo[250:850, 600:1112] = hopper()
    small, way = turned(astronaut(), 0, size=256, scale=0.5)
    photo[600:856, 200:456] = small
    faces = find_faces(photo)
    expected = [
        np.add(HOPPER_EYES, (600, 250)),
        np.array(ASTRONAUT_EYES),
        way(np.array(ASTRONAUT_EYES)) + (200, 600),
    ]
    assert len(faces) == 3
    assert [error(face.eyes, eyes) < 0.06 for face, eyes in zip(faces, expected, strict=True)] == [
        True
    ] * 3


def test_tiny():
    photo, way = turned(astronaut(), 0, scale=40 / 95)
    (face,) = find_faces(photo)
    assert error(face.eyes, way(np.array(ASTRONAUT_EYES))) < 0.06
    photo, way = turned(astronaut(), 0, scale=20 / 95)
    (face,) = find_faces(photo, smallest=20)
    assert error(face.eyes, way(np.array(ASTRONAUT_EYES))) < 0.1


@pytest.mark.parametrize("degrees", [-90, -45, 30, 60])
def test_rolled(degrees):
    photo, way = turned(hopper(), degrees)
    (face,) = find_faces(photo)
    assert error(face.eyes, way(np.array(HOPPER_EYES))) < 0.05
    box = np.reshape(face.box, (2, 2))
    np.testing.assert_allclose(np.ptp(box, axis=0), 205, rtol=0.1)


@pytest.mark.parametrize("degrees", [180, 150])
def test_upside_down(degrees):
    photo, way = turned(astronaut(), degrees)
    assert find_faces(photo) == []
    (face,) = find_faces(photo, upside_down=True)
    assert error(face.eyes, way(np.array(ASTRONAUT_EYES))) < 0.06
    assert face.left_eye[0] > face.right_eye[0]


def test_cut_off():
    """Without forehead or chin a face is found; of half a face nothing is."""
    photo, eyes = astronaut(), np.array(ASTRONAUT_EYES)
    (face,) = find_faces(photo[95:])
    assert error(face.eyes, eyes - (0, 95)) < 0.05
    (face,) = find_faces(photo[:150])
    assert error(face.eyes, eyes) < 0.05
    assert face.box[3] > 150  # The box tells of the part that is not there.
    assert find_faces(photo[:, :225]) == find_faces(photo[:, 225:]) == []


def test_a_photo_of_many_megapixels_is_looked_at_in_tiles():
    photo = np.full((1700, 2600, 3), (90, 120, 90), np.uint8)
    for left, top in ((0, 0), (1150, 620), (2088, 1188)):  # Across tiles, and in corners.
        photo[top : top + 512, left : left + 512] = astronaut()
    faces = find_faces(photo)
    found = sorted(face.left_eye for face in faces)
    expected = np.add([(0, 0), (1150, 620), (2088, 1188)], ASTRONAUT_EYES[0])
    np.testing.assert_allclose(found, expected, atol=3)


def test_near_known_faces():
    known = find_faces(hopper())
    gone = known[0]._replace(box=(-900.0, -900.0, -700.0, -700.0), left_eye=(-850.0, -850.0))
    moved = np.roll(hopper(), (6, 9), axis=(0, 1))
    (face,) = find_faces(moved, near=[*known, gone])
    assert error(face.eyes, np.add(HOPPER_EYES, (9, 6))) < 0.05
    assert find_faces(astronaut(), near=known) == find_faces(moved, near=[]) == []


def test_in_threads_as_alone():
    photos = [astronaut(), hopper()] * 2
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(find_faces, photos))
    for faces, photo in zip(together, photos, strict=True):
        (face,), (alone,) = faces, find_faces(photo)
        np.testing.assert_allclose(face.eyes, alone.eyes, atol=1e-2)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((20, 20, 3), np.float32),
        np.zeros((0, 20, 3), np.uint8),
    ],
    ids=["grey", "RGBA", "floats", "empty"],
)
def test_no_photo(photo):
    with pytest.raises(ValueError, match=r"A photo must be RGB, uint8.*Received: .*20"):
        find_faces(photo)


@pytest.mark.parametrize("smallest", [0, -3, float("nan")])
def test_smallest_must_be_a_size(smallest):
    with pytest.raises(ValueError, match=f"positive number of pixels. Received: {smallest}"):
        find_faces(noise(), smallest=smallest)


FACES = [Face((0, 0, s, s), (s / 4, s / 2), (3 * s / 4, s / 2), 0.9) for s in (90.0, 60.0, 30.0)]


def test_choose_faces():
    assert choose_faces(FACES) == FACES[:1] == choose_faces(FACES, 1)
    assert choose_faces(FACES, "all") == FACES
    assert choose_faces(FACES, np.int64(3)) == FACES[2:]


@pytest.mark.parametrize("which", ["largest", "all", 1, 2])
def test_no_face_to_choose(which):
    with pytest.raises(NoFaceError, match="No face was found.*another photo.*--framing centre"):
        choose_faces([], which)


def test_too_few_faces_to_choose_from():
    with pytest.raises(ValueError, match="3 faces were found.*from 1 to 3. Received: 4") as raised:
        choose_faces(FACES, 4)
    assert not isinstance(raised.value, NoFaceError)
    with pytest.raises(ValueError, match="1 face was found"):
        choose_faces(FACES[:1], 2)


@pytest.mark.parametrize("which", [0, -1, 1.5, True, "second", None])
def test_what_cannot_be_chosen(which):
    with pytest.raises(ValueError, match=f"`which` must be .* Received: {which!r}"):
        choose_faces(FACES, which)


@pytest.mark.slow
@needs_portraits
def test_portraits():
    """Real portraits against dlib's landmarks, whose pixels' centres are whole numbers."""
    with open(PORTRAITS / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))[::80]
    errors = []
    for row in rows:
        eyes = [
            [float(row[f"{side}_eye_{axis}"]) + 0.5 for axis in "xy"] for side in ("left", "right")
        ]
        faces = find_faces(read_image(PORTRAITS / row["file"]))
        errors.append(min((error(face.eyes, eyes) for face in faces), default=1.0))
        assert len(faces) <= 1
    assert np.mean(np.array(errors) < 0.15) > 0.96
    assert np.median(errors) < 0.05
