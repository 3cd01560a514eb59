import contextlib
import errno
import resource

import av
import numpy as np
import pytest
from clips import pictures, sound_of
from PIL import Image

from mbu_tf.video import writing
from mbu_tf.video.reading import FrameFolder, VideoFile
from mbu_tf.video.writing import check_output, opened_output, result_name

H264 = {"codec": "libx264", "pix_fmt": "yuv420p"}
VP9 = {"codec": "libvpx-vp9", "pix_fmt": "yuv420p"}


def copy(source, output):
    """Every frame read and written."""
    video = VideoFile(source)
    with opened_output(output, video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame)
        writer.finish()
    return output


def images(path):
    return np.stack([frame.image for frame in VideoFile(path).frames()])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v", ".mkv", ".webm"])
def test_pictures_are_nearly_what_they_were(clip, tmp_path, suffix):
    output = copy(clip(), tmp_path / f"copy{suffix}")
    error = images(output).astype(int) - pictures()
    assert np.abs(error).mean() < 2.5 and abs(error.mean()) < 0.5
    with av.open(str(output)) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == ("vp9" if suffix == ".webm" else "h264")
        assert stream.codec_context.format.name == "yuv420p"
        assert stream.average_rate == 25


@pytest.mark.parametrize(
    ("name", "sound", "video"),
    [("a.mp4", "aac", H264), ("a.mkv", "libmp3lame", H264), ("a.webm", "libopus", VP9)],
)
def test_sound_is_the_same_byte_for_byte(clip, tmp_path, name, sound, video):
    source = clip(name, pictures(30), sound=sound, **video)
    output = copy(source, tmp_path / f"copy-{name}")
    assert len(sound_of(source)) > 20
    assert sound_of(output) == sound_of(source)


def test_a_video_without_sound_has_none(clip, tmp_path):
    with av.open(str(copy(clip(), tmp_path / "copy.mp4"))) as file:
        assert [stream.type for stream in file.streams] == ["video"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_time_stamps_stay(clip, tmp_path, suffix):
    stamps = [0, 40, 90, 100, 300, 333]
    output = copy(clip(frames=pictures(6), stamps=stamps), tmp_path / f"copy{suffix}")
    assert [round(1000 * frame.time) for frame in VideoFile(output).frames()] == stamps


@pytest.mark.parametrize(("height", "width"), [(47, 64), (48, 63), (47, 63)])
def test_of_an_odd_picture_the_edge_is_repeated(clip, tmp_path, height, width):
    source = clip(frames=pictures(3, height, width))
    written = images(copy(source, tmp_path / "copy.mp4"))
    assert written.shape == (3, 48, 64, 3)
    assert np.abs(written[:, :height, :width].astype(int) - images(source)).mean() < 2.5


def test_a_turned_video_is_written_upright(clip, tmp_path):
    source = clip("clip.mp4", angle=90, sample_aspect_ratio=2, **H264)
    output = copy(source, tmp_path / "copy.mp4")
    written = VideoFile(output)
    assert written.size == (64, 48) and written.aspect == 1 / VideoFile(source).aspect
    assert np.abs(images(output).astype(int) - images(source)).mean() < 2.5
    with av.open(str(output)) as file:
        assert next(file.decode(video=0)).rotation == 0


@pytest.mark.parametrize(("range", "matrix"), [(1, 1), (2, 5), (2, 1)])
def test_colours_are_coded_as_they_were(clip, tmp_path, range, matrix):
    source = clip("clip.mp4", color_range=range, colorspace=matrix, **H264)
    output = copy(source, tmp_path / "copy.mp4")
    assert VideoFile(output).colour == VideoFile(source).colour
    assert VideoFile(output).colour[:2] == (matrix, range)
    assert abs((images(output).astype(int) - images(source)).mean()) < 0.5


def test_metadata_stay(clip, tmp_path):
    video = VideoFile(clip("clip.mp4", **H264))
    video.metadata["title"] = "holidays"
    with opened_output(tmp_path / "copy.mp4", video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame)
    assert VideoFile(tmp_path / "copy.mp4").metadata["title"] == "holidays"


def test_sound_that_a_container_cannot_hold_is_named(clip, tmp_path):
    source, output = clip("clip.mp4", sound="aac", **H264), tmp_path / "copy.webm"
    with pytest.raises(ValueError, match="Sound coded as aac cannot be in a .webm file.*mkv"):
        copy(source, output)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_missing_encoder_is_named(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(writing.CODECS, ".mp4", ("x", {}))
    with pytest.raises(ImportError, match="FFmpeg lacks the encoder x: install PyAV"):
        copy(clip(), tmp_path / "copy.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


@contextlib.contextmanager
def full_disk(size):
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [10, 3000])
def test_on_a_full_disk_nothing_is_left(tmp_path, clip, size):
    noise = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), np.uint8)
    source, output = clip(frames=list(noise)), tmp_path / "copy.mp4"
    with pytest.raises(OSError, match="Cannot write") as raised, full_disk(size):
        copy(source, output)
    assert raised.value.errno == errno.EFBIG and raised.value.filename == str(output)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


def test_a_folder_that_is_missing_is_named(clip, tmp_path):
    output = tmp_path / "missing" / "copy.mp4"
    with pytest.raises(OSError, match="folder does not exist") as raised:
        copy(clip(), output)
    assert raised.value.filename == str(output)


def test_frames_of_a_video_are_numbered(clip, tmp_path):
    copy(clip(), tmp_path / "frames")
    written = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in written] == [f"{number:06d}.png" for number in range(8)]
    np.testing.assert_array_equal(np.stack([Image.open(path) for path in written]), pictures())


def test_frames_of_a_folder_keep_their_names(tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name, image in zip(("b.bmp", "a10.png", "a9.tif"), pictures(3), strict=True):
        Image.fromarray(image).save(source / name)
    video = FrameFolder(source)
    with opened_output(output, video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame)
    assert sorted(path.name for path in output.iterdir()) == ["a10.png", "a9.png", "b.png"]
    np.testing.assert_array_equal(Image.open(output / "b.png"), pictures()[0])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("in.mp4", "would be overwritten by its own result"),
        ("z.png", r"must end in .mp4, .*, or have no suffix.*Received: .*z.png"),
        ("z.avi", "must end in .mp4"),
    ],
)
def test_what_a_result_may_not_be_called(tmp_path, output, message):
    with pytest.raises(ValueError, match=message):
        check_output(tmp_path / output, tmp_path / "in.mp4")


def test_frames_of_a_folder_become_no_video(tmp_path):
    with pytest.raises(ValueError, match="says nothing of time.*Received: .*z.mp4"):
        check_output(tmp_path / "z.mp4", tmp_path)
    check_output(tmp_path / "z", tmp_path)


def test_what_results_are_called():
    assert result_name("a/b.MOV") == "b.MOV" and result_name("a/b.avi") == "b.mp4"
