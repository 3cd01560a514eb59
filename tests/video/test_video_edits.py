import os
import signal
from typing import NamedTuple

import numpy as np
import pytest
from clips import pictures, sound_of
from PIL import Image

from mbu_tf import photos
from mbu_tf.data.images import read_image
from mbu_tf.faces import NoFaceError
from mbu_tf.photos import views
from mbu_tf.system.interrupts import Interrupted
from mbu_tf.video import edit_video, edits, remove_video, translate_video
from mbu_tf.video.reading import VideoFile, VideoReadError

EYES = ((20.0, 20.0), (30.0, 20.0))


class Face(NamedTuple):
    box: tuple
    left_eye: tuple
    right_eye: tuple

    @property
    def eyes(self):
        return self.left_eye, self.right_eye


def face_in(shown):
    """A detector that finds a face in the frames whose number, coded in blue, is in `shown`."""

    def find(photo, near=None, min_score=None):
        number = round((int(photo[30, 30, 2]) - 40) / 15)
        return [Face((10, 10, 40, 40), *EYES)] if number in shown else []

    return find


def invert(image, faces):
    return 255 - image


@pytest.fixture
def frames(tmp_path):
    """A folder of frames."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, image in enumerate(pictures()):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


def test_frames_without_a_face_pass_untouched(frames, tmp_path):
    given = []

    def edit(image, faces):
        given.append(faces)
        return 255 - image

    done = edit_video(frames, tmp_path / "out", edit, find=face_in({2, 3, 4}))
    assert done == 8
    for number, image in enumerate(pictures()):
        expected = 255 - image if number in (2, 3, 4) else image
        np.testing.assert_array_equal(read_image(tmp_path / "out" / f"{number}.png"), expected)
    np.testing.assert_allclose(given, [[((20, 20), (30, 20))]] * 3)


def test_a_video_is_edited_with_its_sound(clip, tmp_path):
    source = clip(sound="aac", frames=pictures(30))
    output = tmp_path / "out.mp4"
    edit_video(source, output, invert, find=face_in({0, 1}))
    written = [frame.image.astype(int) for frame in VideoFile(output).frames()]
    for number, image in enumerate(pictures(30)):
        expected = 255 - image if number < 2 else image
        assert np.abs(written[number] - expected).mean() < 3
    assert sound_of(output) == sound_of(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv", "out.mp4"]


def test_without_tracking_every_frame_is_edited(frames, tmp_path):
    given = []
    edit_video(
        frames, tmp_path / "out", lambda image, faces: given.append(faces) or image, face=None
    )
    assert given == [None] * 8


def test_progress_is_told(frames, tmp_path):
    told = []
    edit_video(frames, tmp_path / "out", invert, None, progress=lambda *x: told.append(x))
    assert told == [(number, 8) for number in range(1, 9)]


def test_a_video_without_any_such_face_leaves_nothing(clip, tmp_path):
    with pytest.raises(NoFaceError, match="in any of the 8 frames of .*clip.mkv.*framing centre"):
        edit_video(clip(), tmp_path / "out.mp4", invert, find=face_in(()))
    with pytest.raises(NoFaceError, match="No such face"):
        edit_video(clip(), tmp_path / "out.mp4", invert, face=2, find=face_in({3}))
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_frames_so_far(clip, tmp_path, number):
    source, output = clip(sound="aac", frames=pictures(40)), tmp_path / "out.mp4"
    done = []

    def edit(image, faces):
        done.append(image)
        if len(done) == 12:
            os.kill(os.getpid(), number)
        return image

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match="interrupted: .*out.mp4 holds the first 12") as raised:
        edit_video(source, output, edit, face=None)
    assert raised.value.number == number and signal.getsignal(number) == before
    written = [frame.image.astype(int) for frame in VideoFile(output).frames()]
    assert np.abs(written - np.stack(pictures(12))).mean() < 3
    times, packets = zip(*sound_of(output), strict=True)
    assert packets == tuple(x[1] for x in sound_of(source)[: len(packets)])
    assert 11 / 25 - 0.05 < times[-1] <= 11 / 25


def test_a_signal_while_faces_are_looked_for(clip, tmp_path):
    """Before the first frame is given out: no more is read, and what there is is kept."""
    seen = []

    def find(photo, near=None, min_score=None):
        seen.append(photo)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return []

    with pytest.raises(Interrupted, match="holds the first 1 frames"):
        edit_video(clip(frames=pictures(40)), tmp_path / "out.mp4", invert, find=find)
    assert len(seen) == 3
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 1


def test_what_edit_raises_leaves_the_old_result(clip, tmp_path):
    output = tmp_path / "out.mp4"
    output.write_text("old")

    def fail(image, faces):
        raise MemoryError("own")

    with pytest.raises(MemoryError, match="own"):
        edit_video(clip(), output, fail, face=None)
    assert output.read_text() == "old" and len(list(tmp_path.iterdir())) == 2


def test_wrong_arguments_are_named_before_anything_is_written(clip, tmp_path, frames):
    with pytest.raises(VideoReadError, match="no such file"):
        edit_video(tmp_path / "missing.mp4", tmp_path / "out.mp4", invert)
    with pytest.raises(ValueError, match="would be overwritten"):
        edit_video(frames, frames, invert)
    with pytest.raises(ValueError, match="Received: face='smallest'"):
        edit_video(clip(), tmp_path / "out.mp4", invert, face="smallest")
    assert not (tmp_path / "out.mp4").exists()


# With a real model each frame is what a photo of it would be, up to rounding.

REFERENCE = pictures(1, 70, 50)[0]


def assert_frame(path, expected):
    error = np.abs(read_image(path).astype(int) - expected)
    assert error.max() <= 2 and error.mean() < 0.05


@pytest.mark.slow
def test_translation_is_that_of_photos(tiny_model, frames, tmp_path):
    translate_video(tiny_model, frames, REFERENCE, tmp_path / "out")
    for number, image in enumerate(pictures()):
        expected = photos.translate_photo(tiny_model, image, REFERENCE).image
        assert (expected != image).any()
        assert_frame(tmp_path / "out" / f"{number}.png", expected)


def test_translation_without_a_reference_is_that_of_photos(tiny_fader, frames, tmp_path):
    translate_video(tiny_fader, frames, None, tmp_path / "out", to="a")
    for number, image in enumerate(pictures()):
        expected = photos.translate_photo(tiny_fader, image, None, "a").image
        assert_frame(tmp_path / "out" / f"{number}.png", expected)
    with pytest.raises(ValueError, match="takes no reference"):
        translate_video(tiny_fader, frames, REFERENCE, tmp_path / "other")


def test_removal_is_that_of_photos(tiny_model, frames, tmp_path):
    remove_video(tiny_model, frames, tmp_path / "out", threshold=0.4)
    for number, image in enumerate(pictures()):
        expected = photos.remove_photo(tiny_model, image, 0.4).image
        assert_frame(tmp_path / "out" / f"{number}.png", expected)


def test_a_model_without_faces_is_asked_for_none(tiny_model, frames, tmp_path):
    with pytest.raises(ValueError, match="knows no faces.*Received: face='all'"):
        translate_video(tiny_model, frames, REFERENCE, tmp_path / "out", face="all")


@pytest.mark.slow
def test_a_face_is_framed_in_each_frame(tiny_model, frames, tmp_path, monkeypatch):
    """The reference's face is found once."""
    searched = []

    def find(photo, near=None, min_score=None):
        searched.append(np.shape(photo))
        return [Face((10, 10, 40, 40), *EYES)]

    monkeypatch.setattr(edits, "find_faces", find)
    monkeypatch.setattr(views, "find_faces", find)
    translate_video(tiny_model, frames, REFERENCE, tmp_path / "out", framing="face")
    assert searched.count(REFERENCE.shape) == 1
    expected = photos.translate_photo(
        tiny_model, pictures()[5], REFERENCE, framing="face", face=[EYES], reference_face=[EYES]
    )
    assert (expected.image != pictures()[5]).any()
    assert_frame(tmp_path / "out" / "5.png", expected.image)
