import sys

import av
import numpy as np
import pytest
from clips import RATE, pictures
from PIL import Image

from mbu_tf.video.reading import FrameFolder, VideoFile, VideoReadError, is_video


def images(video):
    return [frame.image for frame in video.frames()]


def test_frames_are_read_as_they_are(clip):
    video = VideoFile(clip())
    np.testing.assert_array_equal(images(video), pictures())
    assert video.count == 8
    times = [frame.time for frame in video.frames()]
    np.testing.assert_allclose(times, np.arange(8) / RATE)
    assert all(image.flags.c_contiguous for image in images(video))


def test_time_stamps_are_the_files_own(clip):
    stamps = [0, 40, 90, 100, 300, 333]
    video = VideoFile(clip(frames=pictures(6), stamps=stamps))
    assert [round(frame.time * 1000) for frame in video.frames()] == stamps
    assert [round(frame.stamp * video.time_base * 1000) for frame in video.frames()] == stamps


@pytest.mark.parametrize("angle", [90, 180, -90])
def test_frames_are_turned_upright(clip, angle):
    path = clip("clip.mp4", codec="libx264", pix_fmt="yuv420p", angle=angle)
    with av.open(str(path)) as file:
        flat = next(file.decode(video=0)).to_ndarray(format="rgb24")
    turned = Image.fromarray(flat).rotate(angle, expand=True)  # Anticlockwise, as FFmpeg's.
    shown = images(VideoFile(path))[0]
    assert shown.shape == np.shape(turned)
    assert np.abs(shown.astype(int) - turned).mean() < 3


def test_transparency_is_laid_on_white(clip):
    rgba = [np.dstack([image, np.full(image.shape[:2], 102, np.uint8)]) for image in pictures(2)]
    path = clip("clip.mov", rgba, codec="png", pix_fmt="rgba")
    expected = 0.4 * pictures(2)[1] + 0.6 * 255
    np.testing.assert_allclose(images(VideoFile(path))[1], expected, atol=0.51)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le", "yuv420p"])
def test_coded_colours_are_seen_as_they_were(clip, pix_fmt):
    path = clip(frames=pictures(2), pix_fmt=pix_fmt)
    error = images(VideoFile(path))[1][10:, 10:].astype(int) - pictures(2)[1][10:, 10:]
    assert np.abs(error).max() <= 3 and abs(error.mean()) < 0.5


def test_high_definition_has_its_own_matrix_where_nothing_is_said(clip):
    small, large = (
        VideoFile(clip(f"{x}.mkv", [np.zeros((x, 16, 3), np.uint8)])) for x in (576, 720)
    )
    assert (small.colour.matrix, large.colour.matrix) == (5, 1)


def test_high_dynamic_range_is_refused(clip):
    path = clip(pix_fmt="yuv420p10le", color_trc=16)
    with pytest.raises(VideoReadError, match=r"clip.mkv: .*dynamic range \(PQ\).*Convert it"):
        VideoFile(path)


def no_videos(folder, clip):
    yield folder / "missing.mp4", "there is no such file. Mend the path"
    text = folder / "text.mp4"
    text.write_text("no video at all")
    yield text, r"it is no video, or damaged \(.*\). Copy it again"
    empty = folder / "empty.mp4"
    empty.touch()
    yield empty, "it is no video, or damaged"
    cut = clip("cut.mp4", codec="libx264", pix_fmt="yuv420p")
    cut.write_bytes(cut.read_bytes()[:-400])
    yield cut, "it is no video, or damaged"
    picture = folder / "picture.mp4"
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    yield picture, "it is a picture. Name a video, or a folder"
    song = folder / "song.mp4"
    with av.open(str(song), "w") as file:
        stream = file.add_stream("aac", rate=48000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        tone.sample_rate = 48000
        file.mux(stream.encode(tone))
        file.mux(stream.encode(None))
    yield song, "it has no pictures. Name a video"


def test_what_is_no_video_is_named(tmp_path, clip):
    for path, message in no_videos(tmp_path, clip):
        with pytest.raises(VideoReadError, match=f"^Cannot read the video {path}: {message}"):
            list(VideoFile(path).frames())


def test_a_damaged_video_ends_in_an_error(clip):
    path = clip("clip.mp4", codec="libx264", pix_fmt="yuv420p")
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    with pytest.raises(VideoReadError, match="it is no video, or damaged"):
        list(VideoFile(path).frames())


def test_without_pyav_its_package_is_named(clip, monkeypatch):
    path = clip()
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install 'mbu_tf\[video\]'"):
        VideoFile(path)


def test_a_folder_is_read_in_its_natural_order(tmp_path):
    for number in (10, 9, 1, 100):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(tmp_path / f"frame{number}.png")
    Image.new("RGB", (4, 3), (3, 0, 0)).save(tmp_path / "Frame3.BMP")
    for name in ("notes.txt", ".frame2.png"):
        (tmp_path / name).touch()
    folder = FrameFolder(tmp_path)
    assert folder.names == ["frame1", "Frame3", "frame9", "frame10", "frame100"]
    assert [int(image[0, 0, 0]) for image in images(folder)] == [1, 3, 9, 10, 100]
    assert folder.count == 5


def test_a_folder_without_frames_or_with_two_of_one_name(tmp_path):
    with pytest.raises(VideoReadError, match=f"no frames in the folder {tmp_path}"):
        FrameFolder(tmp_path)
    for name in ("a.png", "a.bmp"):
        Image.new("RGB", (4, 3)).save(tmp_path / name)
    with pytest.raises(VideoReadError, match="Two frames in the folder .* are called a"):
        FrameFolder(tmp_path)


def test_what_is_called_as_a_video_or_is_a_folder(tmp_path):
    assert is_video("a.mp4") and is_video("A.MOV") and is_video(tmp_path)
    assert not is_video("a.png") and not is_video("a") and not is_video("a.gif")
