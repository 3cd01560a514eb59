"""Which files of a folder are images, in which order, and what is told of the others."""

import os
import subprocess

import pytest

from mbu_tf.data import formats
from mbu_tf.data.search import image_paths

pytestmark = pytest.mark.filterwarnings("error")


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder):
    return [path.removeprefix(f"{folder}/") for path in image_paths(folder)]


def test_the_order_is_that_of_the_whole_names(tmp_path):
    names = ["a/z.png", "a-b.png", "a0.png", "a.png", "a/b/c.png", "a b/c.png", "é.png", "A.png"]
    touch(tmp_path, *names)
    assert found(tmp_path) == sorted(names)


def test_images_are_known_by_every_ending_of_their_formats(tmp_path):
    names = ["a.JFIF", "b.jpe", "c.avif", "d.HEIC", "e.mpo", "f.jpeg"]
    touch(tmp_path, *names)
    assert found(tmp_path) == names


def test_what_is_left_aside_is_counted_by_its_ending(tmp_path, monkeypatch):
    monkeypatch.setattr("mbu_tf.data.search.image_endings", lambda: (".jpg",))
    touch(tmp_path, "a.jpg", "b.HEIC", "sub/c.heic", "notes.txt", "README")
    with pytest.warns(UserWarning) as caught:
        assert found(tmp_path) == ["a.jpg"]
    [told] = caught
    assert str(told.message) == (
        f"4 files in {tmp_path} are left aside beside 1 images, none by their names: 2 .heic such "
        "as b.HEIC, 1 without an ending such as README, 1 .txt such as notes.txt. "
        f"{formats.HEIF_MEND}"
    )
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(ValueError, match=r"holds no image.*\.jpg.*with 2 \.heic such as b\.HEIC"):
        image_paths(tmp_path)


def test_thumbnails_and_what_systems_leave_are_no_photos(tmp_path):
    touch(
        tmp_path,
        "a.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/._a.jpg",
        "__MACOSX/b.jpg",
        ".thumbnails/c.jpg",
        "sub/@eaDir/d.jpg",
        "#recycle/e.jpg",
        "$RECYCLE.BIN/f.jpg",
        "Thumbs.db",
        "sub/desktop.ini",
        ".DS_Store",
        "._a.jpg",
    )
    assert found(tmp_path) == ["a.jpg"]


def test_folders_a_thousand_deep(tmp_path):
    touch(tmp_path, "a.png", "z.png")
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("b.png", os.O_CREAT, dir_fd=folder))
    os.close(folder)
    assert found(tmp_path) == ["a.png", 1200 * "d/" + "b.png", "z.png"]
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # `shutil` goes not that deep.


def test_a_pipe_is_left_aside(tmp_path):
    touch(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    with pytest.warns(UserWarning, match="1 files .*1 .png such as b.png"):
        assert found(tmp_path) == ["a.png"]
