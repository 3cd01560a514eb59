"""Tracking, of pictures whose faces are two dots and of a detector of such dots."""

from typing import NamedTuple

import numpy as np
import pytest
from marked import find, picture
from portraits import HOPPER_EYES, hopper, turned

from mbu_tf.faces import find_faces
from mbu_tf.faces.tracking import AHEAD, FaceTracker, follow_faces

RATE = 30


class Frame(NamedTuple):
    image: np.ndarray
    time: float


def eyes(x, y, distance=20.0, roll=0.0):
    way = distance / 2 * np.exp(1j * np.radians(roll))
    return tuple((float(z.real), float(z.imag)) for z in (x + 1j * y - way, x + 1j * y + way))


def clip(*frames):
    """Frames, each with the faces given for it."""
    return [Frame(picture(faces), number / RATE) for number, faces in enumerate(frames)]


def follow(frames, face="largest", find=find):
    given, faces = zip(*follow_faces(frames, find, face), strict=True)
    assert list(given) == list(frames)
    return list(faces)


def assert_eyes(found, expected, atol=0.3):
    np.testing.assert_allclose(found, expected, atol=atol)


def test_a_moving_turning_growing_face_is_followed():
    way = [eyes(40 + 2 * i, 60 - i, 18 + 0.3 * i, 2 * i) for i in range(25)]
    for found, expected in zip(follow(clip(*[[x] for x in way])), way, strict=True):
        assert_eyes(found, [expected])


def test_frames_without_a_face_have_none():
    assert follow(clip([], [], [])) == [[], [], []]
    assert list(follow_faces([], find)) == []


def trembling(seed, size):
    """The detector with errors, each as if the frame were seen anew."""
    random = np.random.default_rng(seed)

    def find_badly(photo, near=None, min_score=None):
        if near is not None:
            near = [face._replace(box=(*face.left_eye, *face.right_eye)) for face in near]
        return [
            face._replace(
                left_eye=tuple(random.normal(face.left_eye, size)),
                right_eye=tuple(random.normal(face.right_eye, size)),
            )
            for face in find(photo, near)
        ]

    return find_badly


def test_of_the_detectors_trembling_little_is_left():
    frames = clip(*[[eyes(80, 60, 40)]] * 45)
    raw = [trembling(seed, 0.4)(frame.image)[0].left_eye for seed, frame in enumerate(frames)]
    found = follow(frames, find=trembling(0, 0.4))
    left = np.array([x[0][0] for x in found])
    steps = np.abs(np.diff(left, axis=0)).mean() / np.abs(np.diff(raw, axis=0)).mean()
    assert steps < 0.15
    assert_eyes(left[10:-10], np.tile(eyes(80, 60, 40)[0], (25, 1)), atol=0.6)


@pytest.mark.parametrize("missing", [1, 5, 9])
def test_a_short_gap_is_bridged(missing):
    way = [eyes(40 + 2 * i, 60) for i in range(40)]
    frames = clip(*[[] if 15 <= i < 15 + missing else [x] for i, x in enumerate(way)])
    for found, expected in zip(follow(frames), way, strict=True):
        assert_eyes(found, [expected], atol=0.5)


def test_after_a_long_gap_it_is_a_new_face_and_in_the_gap_none():
    missing = int(AHEAD * RATE) + 2
    shown = [[eyes(60, 60)]] * 12 + [[]] * missing + [[eyes(60, 60)]] * 12
    found = follow(clip(*shown))
    assert [len(x) for x in found] == [len(x) for x in shown]


def crossing(i):
    """Two faces that pass each other, one higher than the other."""
    return [eyes(30 + 4 * i, 46), eyes(130 - 4 * i, 72, 19)]


def test_two_faces_that_cross_stay_who_they_are():
    found = follow(clip(*[crossing(i) for i in range(26)]), face="all")
    for i, faces in enumerate(found):
        assert_eyes(faces, crossing(i))


@pytest.mark.parametrize(("face", "index"), [("largest", 0), (1, 0), (2, 1)])
def test_the_face_asked_for_is_given(face, index):
    faces = [eyes(40, 60, 24), eyes(110, 60, 18)]
    for found in follow(clip(*[faces[::-1]] * 5), face):
        assert_eyes(found, [faces[index]])
    assert follow(clip(*[faces] * 3), 3) == [[], [], []]


def test_faces_of_nearly_one_size_do_not_take_turns():
    sizes = [(20, 21), (21, 20)] * 8
    shown = [[eyes(40, 60, a), eyes(110, 60, b)] for a, b in sizes]
    found = follow(clip(*shown))
    assert {round(x[0][0][0] / 100) for x in found} == {1}  # Always the one that was larger first.


def test_a_much_larger_face_overtakes():
    shown = [[eyes(30, 60, 16)]] * 3 + [[eyes(30, 60, 16), eyes(110, 60, 24)]] * 30
    found = follow(clip(*shown))
    assert_eyes(found[0], [shown[0][0]])
    assert_eyes(found[-1], [shown[-1][1]])


def test_a_face_that_comes_later_is_found():
    shown = [[eyes(40, 60)]] * 5 + [[eyes(40, 60), eyes(110, 60)]] * 25
    assert [len(x) for x in follow(clip(*shown), "all")][-12:] == [2] * 12


def test_the_whole_frame_is_searched_now_and_then_only():
    searched = []

    def counting(photo, near=None, min_score=None):
        searched.append(near is None)
        return find(photo, near)

    follow(clip(*[[eyes(80, 60)]] * 31), find=counting)
    assert sum(searched) == 4 and len(searched) == 30 + 4


def test_a_known_face_that_leaps_is_searched_for_at_once():
    shown = [[eyes(40, 60)]] * 5 + [[eyes(110, 60)]] * 5
    assert [len(x) for x in follow(clip(*shown), "all")] == [1] * 10


def test_times_may_be_uneven_and_frames_rare():
    way = [eyes(40 + 10 * i, 60) for i in range(6)]
    times = [0, 0.5, 1.2, 1.3, 2.5, 2.9]
    frames = [Frame(picture([x]), time) for x, time in zip(way, times, strict=True)]
    assert [len(x) for x in follow(frames)] == [1] * 6


def test_a_frame_is_asked_for_a_third_of_a_second_later():
    """No more frames are held in memory than smoothing looks ahead to."""
    read = []

    def reading():
        for frame in clip(*[[eyes(80, 60)]] * 40):
            read.append(frame)
            yield frame

    for number, _ in enumerate(follow_faces(reading(), find)):
        assert len(read) <= number + 1 + round(AHEAD * RATE) + 1


def test_the_past_is_forgotten():
    tracker = FaceTracker(find)
    for frame in clip(*[[eyes(80, 60)]] * 100):
        tracker.see(frame.image, frame.time)
        tracker.eyes(frame.time)
    assert len(tracker._waiting) <= 1 and len(tracker._tracks) <= 1


def test_a_real_face_is_followed_by_the_real_detector():
    shown = [turned(hopper(), 3 * i, size=500, scale=0.6 + 0.02 * i) for i in range(6)]
    frames = [Frame(image, number / RATE) for number, (image, _) in enumerate(shown)]
    frames.insert(3, Frame(np.zeros_like(frames[0].image), 2.5 / RATE))
    followed = follow(frames, find=find_faces)
    del followed[3]  # Bridged.
    for (_, way), [found] in zip(shown, followed, strict=True):
        expected = way(np.array(HOPPER_EYES))
        distance = np.linalg.norm(expected[1] - expected[0])
        assert np.abs(found - expected).max() < 0.06 * distance


@pytest.mark.parametrize("face", ["smallest", 0, -1, 1.5, True, None])
def test_a_wrong_face_is_named(face):
    with pytest.raises(ValueError, match="'largest', 'all' or a number.*Received: face="):
        next(follow_faces([], find, face))
