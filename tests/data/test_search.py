"""Which files of a folder are images, in which order, and what is told of the others."""

import contextlib
import os
import subprocess

import pytest
from PIL import Image

from mbu_tf.data import formats
from mbu_tf.data.image_files import load_images
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


@contextlib.contextmanager
def deep(root, depth, name):
    """Folders below one another, all called `name`, the lowest of which is given; removed later."""
    with contextlib.ExitStack() as open_folders:

        def entered(folder, **options):
            number = os.open(folder, os.O_RDONLY, **options)
            open_folders.callback(os.close, number)
            return number

        folder = entered(root)
        for _ in range(depth):
            os.mkdir(name, dir_fd=folder)
            folder = entered(name, dir_fd=folder)
        yield folder
    subprocess.run(["rm", "-r", root / name], check=True)  # `shutil` goes not that deep.


def test_folders_a_thousand_deep(tmp_path):
    touch(tmp_path, "a.png", "z.png")
    with deep(tmp_path, 1200, "d") as folder:
        os.close(os.open("b.png", os.O_CREAT, dir_fd=folder))
        assert found(tmp_path) == ["a.png", 1200 * "d/" + "b.png", "z.png"]


def test_what_lies_deeper_than_paths_reach_is_left_out_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("mbu_tf.data.search.image_endings", lambda: (".png",))
    touch(tmp_path, "a.png", "z.png")
    name = 200 * "d"
    with deep(tmp_path, 25, name) as folder:
        os.close(os.open("lost.png", os.O_CREAT, dir_fd=folder))
        message = rf"1 folders in {tmp_path} cannot be searched.*: d+…d+/ \(its path is longer"
        with pytest.warns(UserWarning, match=message):
            assert found(tmp_path) == ["a.png", "z.png"]
        with pytest.raises(OSError):
            image_paths(tmp_path / (25 * f"{name}/"))


def test_images_whose_paths_are_too_long_are_left_out_when_read(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    name = 200 * "d"
    room = 4095 - len(os.fsencode(tmp_path)) - 1
    with deep(tmp_path, room // 201, name) as folder:
        lost = 210 * "x" + ".png"
        os.close(os.open(lost, os.O_CREAT, dir_fd=folder))
        paths = image_paths(tmp_path)
        assert [path[-5:] for path in paths] == ["a.png", "x.png"]
        with pytest.warns(UserWarning, match="1 of 2 images .*/x+.png: its path is longer than"):
            assert len(load_images(paths, lambda image: image)) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search everything")
def test_a_folder_that_may_not_be_searched_is_left_out(tmp_path):
    touch(tmp_path, "a.png", "closed/b.png")
    (tmp_path / "closed").chmod(0)
    with pytest.warns(UserWarning, match=r"closed/ \(Permission denied\)"):
        assert found(tmp_path) == ["a.png"]


def test_a_pipe_is_left_aside(tmp_path):
    touch(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    with pytest.warns(UserWarning, match="1 files .*1 .png such as b.png"):
        assert found(tmp_path) == ["a.png"]
