"""`mbu-tf transfer` and `remove` of videos and folders of frames."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from mbu_tf import photos
from mbu_tf.data.images import read_image


@pytest.fixture
def clip(tmp_path):
    """Writes a lossless video of noise; gives its path."""

    def write(name="clip.mkv", count=3, size=32):
        path = tmp_path / name
        noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
        with av.open(str(path), "w") as file:
            stream = file.add_stream("ffv1", rate=25)
            stream.width = stream.height = size
            stream.pix_fmt = "bgr0"
            for number in range(count):
                image = np.roll(noise, number, axis=1)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            file.mux(stream.encode(None))
        return path

    return write


def frames_of(path):
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_each_frame_of_a_video_is_edited(mbu_tf, clip, photo, model_file, tiny_model, tmp_path):
    source, reference, output = clip(), photo("b.png"), tmp_path / "out" / "frames"
    status, error = mbu_tf(
        "transfer", model_file, "--target", source, "--reference", reference, "--output", output
    )
    assert status == 0
    assert re.fullmatch(r"3 of 3 frames, [\d.]+ per second\n", error)
    for number, frame in enumerate(frames_of(source)):
        expected = photos.transfer_photo(tiny_model, frame, read_image(reference)).image
        np.testing.assert_allclose(read_image(output / f"{number:06d}.png"), expected, atol=2)


def test_a_video_becomes_a_video(mbu_tf, clip, photo, model_file, tmp_path):
    source, output = clip(), tmp_path / "z.mp4"
    status, _ = mbu_tf(
        "transfer",
        model_file,
        "--target",
        source,
        "--reference",
        photo("b.png"),
        "--output",
        output,
    )
    assert status == 0 and len(frames_of(output)) == 3


def test_a_folder_of_frames_becomes_a_folder(mbu_tf, photo, model_file, tmp_path):
    for name in ("frames/1.png", "frames/2.jpg"):
        photo(name)
    output = tmp_path / "out"
    status, _ = mbu_tf(
        *("transfer", model_file, "--target", tmp_path / "frames"),
        *("--reference", photo("b.png"), "--output", output),
    )
    assert status == 0
    assert sorted(path.name for path in output.iterdir()) == ["1.png", "2.png"]


@pytest.mark.parametrize(
    ("target", "output", "more", "message"),
    [
        ("a.png", "z.mp4", (), "--output: must end in .png. Received: z.mp4"),
        ("a.mp4", "z.png", (), "must end in .mp4, .m4v, .mov, .mkv, .webm, or have no suffix"),
        ("a.mp4", "a.mp4", (), "would be overwritten by its own result"),
        ("a.mp4", "z.mp4", ("--mask", "m.png"), "--mask is written of images alone"),
        ("a.mp4", "z.mp4", (), "Cannot read the video a.mp4: there is no such file"),
    ],
)
def test_what_does_not_fit_is_named(
    mbu_tf, photo, model_file, tmp_path, monkeypatch, target, output, more, message
):
    reference = photo("b.png")
    monkeypatch.chdir(tmp_path)
    status, error = mbu_tf(
        *("transfer", model_file, "--target", target, "--reference", reference),
        *("--output", output, *more),
    )
    assert status == 1
    assert error.startswith("mbu-tf: ") and message in error and error.count("\n") == 1
    assert not (tmp_path / "z.mp4").exists()


def test_the_content_is_taken_off_videos_and_images(
    mbu_tf, clip, photo, model_file, tiny_model, tmp_path
):
    image, source, folder = photo("a.jpg"), clip("b.avi"), photo("frames/1.png").parent
    broken, output = tmp_path / "broken.mp4", tmp_path / "out"
    broken.write_text("no video")
    status, error = mbu_tf("remove", model_file, image, source, folder, broken, "--output", output)
    assert status == 1
    assert f"mbu-tf: skipped: Cannot read the video {broken}" in error
    assert error.endswith("mbu-tf: skipped 1 of 4 images\n")
    assert sorted(path.name for path in output.iterdir()) == ["1.png", "a.png", "b.mp4"]
    assert len(frames_of(output / "b.mp4")) == 3
    expected = photos.remove_photo(tiny_model, read_image(folder / "1.png")).image
    np.testing.assert_array_equal(read_image(output / "1.png"), expected)


@pytest.mark.slow
def test_ctrl_c_leaves_a_playable_file(clip, photo, model_file, tmp_path):
    source, output = clip(count=600), tmp_path / "out" / "z.mp4"
    output.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "mbu_tf.cli.main", "transfer", model_file, "--target", source]
        + ["--reference", photo("b.png"), "--output", output],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(pathlib.Path(photos.__file__).parents[2])},
    )
    try:
        while not list(output.parent.iterdir()):  # What is written beside, and then renamed.
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    held = re.search(r"mbu-tf: interrupted: .*z.mp4 holds the first (\d+) frames\n$", error)
    assert 0 < int(held[1]) < 600
    assert [path.name for path in output.parent.iterdir()] == ["z.mp4"]
    assert len(frames_of(output)) == int(held[1])
