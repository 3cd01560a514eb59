import os

import numpy as np
import pytest
from PIL import Image

from mbu_tf.data import folders
from mbu_tf.data.domains import ImageArray
from mbu_tf.data.folders import load_folders
from mbu_tf.data.image_files import ImageFiles

pytestmark = pytest.mark.filterwarnings("error")


def put(path, value, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    # As PNG whatever it is called: the content decides how a file is read.
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path, "PNG")


def values(images):
    return images.take(range(len(images)))[:, 0, 0, 0].tolist()


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "trainA" / "b.png", 1)
    put(tmp_path / "trainA" / "a.JPG", 2)
    put(tmp_path / "trainA" / "sub" / "deep" / "c.WebP", 3)
    put(tmp_path / "trainA" / ".hidden.png", 4)
    put(tmp_path / "trainA" / ".hidden" / "d.png", 5)
    put(tmp_path / "trainB" / "a.tiff", 11)
    put(tmp_path / "testA" / "a.gif", 21)
    put(tmp_path / "testB" / "a.bmp", 31)
    return tmp_path


def test_folders_are_searched_in_order(root):
    domains = load_folders(root, image_size=4)
    assert values(domains.a) == [2, 1, 3]
    assert values(domains.b) == [11]
    assert domains.image_size == 4
    assert domains.a.take([0]).shape == (1, 4, 4, 3)


def test_splits(root):
    assert values(load_folders(root, "test").a) == [21]
    assert values(load_folders(str(root), "validation").b) == [31]
    put(root / "valA" / "a.png", 41)
    with pytest.raises(FileNotFoundError, match="'validation' needs.*valA, valB.*trainA"):
        load_folders(root, "validation")
    put(root / "valB" / "a.png", 51)
    assert values(load_folders(root, "validation").b) == [51]


def test_folders_named_by_the_caller(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    put(elsewhere / "a.png", 61)
    domains = load_folders(None, a=elsewhere, b=root / "trainB")
    assert (values(domains.a), values(domains.b)) == ([61], [11])
    domains = load_folders(root, a="trainB", b=str(elsewhere))
    assert (values(domains.a), values(domains.b)) == ([11], [61])


def test_lists_of_the_published_code(root, tmp_path_factory):
    lists = tmp_path_factory.mktemp("lists")
    put(lists / "here" / "é.png", 71)
    text = f"\n{root / 'trainA' / 'b.png'}\r\nhere/é.png\n\n"
    (lists / "trainA.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (lists / "trainB.txt").write_text(str(root / "trainB" / "a.tiff"))
    domains = load_folders(lists)
    assert (values(domains.a), values(domains.b)) == ([1, 71], [11])
    swapped = load_folders(lists, a="trainB.txt", b="trainA.txt")
    assert (values(swapped.a), values(swapped.b)) == ([11], [1, 71])


def test_a_listed_file_that_is_missing_is_named(root):
    (root / "a.txt").write_text("trainA/b.png\ngone.png\n")
    with pytest.warns(UserWarning, match=r"1 of 2 images.*gone\.png"):
        domains = load_folders(root, a="a.txt", b="trainB")
    assert values(domains.a) == [1]
    (root / "a.txt").write_bytes("\u00e9.png".encode("latin-1"))
    with pytest.raises(ValueError, match=r"UTF-8.*Received: .*a\.txt"):
        load_folders(root, a="a.txt", b="trainB")


def test_whole_pictures_are_squeezed_and_crop_keeps_the_aspect(root):
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255
    Image.fromarray(picture).save(root / "trainB" / "a.tiff")
    squeezed = load_folders(root, image_size=6, crop=None).b.take([0])[0]
    assert squeezed[:, 0].max() < 50 < 200 < squeezed[:, 2].min()
    assert load_folders(root, image_size=6).b.take([0]).min() == 255
    with pytest.raises(ValueError, match="Received: 'middle'"):
        load_folders(root, crop="middle")


def test_cache(root, monkeypatch):
    assert isinstance(load_folders(root).a, ImageArray)
    lazy = load_folders(root, cache="none")
    assert isinstance(lazy.a, ImageFiles)
    assert values(lazy.a) == [2, 1, 3]
    # Three and one images of 4 x 4 pixels take 192 bytes.
    monkeypatch.setattr(folders, "MEMORY_LIMIT", 192)
    assert isinstance(load_folders(root, image_size=4).a, ImageArray)
    monkeypatch.setattr(folders, "MEMORY_LIMIT", 191)
    assert isinstance(load_folders(root, image_size=4).a, ImageFiles)
    assert isinstance(load_folders(root, image_size=4, cache="memory").a, ImageArray)
    on_disk = load_folders(root, image_size=4, cache=f"disk:{root / 'cache'}")
    assert (values(on_disk.a), values(on_disk.b)) == ([2, 1, 3], [11])
    assert len(list((root / "cache").iterdir())) == 2
    for wrong in ("disk", "disk:", "drive:x", "none:x"):
        with pytest.raises(ValueError, match=f"Received: '{wrong}'"):
            load_folders(root, cache=wrong)


def test_links_to_folders_are_followed_once(root):
    os.symlink(root / "trainA", root / "trainA" / "sub" / "round")
    os.symlink(root / "testA", root / "trainA" / "sub" / "linked")
    assert values(load_folders(root).a) == [2, 1, 3, 21]


def test_missing_and_empty(root):
    with pytest.raises(FileNotFoundError, match="Received: .*nowhere"):
        load_folders(root / "nowhere")
    with pytest.raises(FileNotFoundError, match="Received: .*trainC"):
        load_folders(root, a="trainA", b="trainC")
    (root / "empty").mkdir()
    with pytest.raises(ValueError, match=r"\.jpg.*Received: .*empty with nothing in it$"):
        load_folders(root, a="trainA", b="empty")
    (root / "blank.txt").write_text("\n\n")
    with pytest.raises(ValueError, match=r"one path per line.*blank\.txt"):
        load_folders(root, a="trainA", b="blank.txt")


def test_wrong_layout_lists_what_is_there(tmp_path):
    put(tmp_path / "glasses" / "a.png", 0)
    put(tmp_path / "plain" / "a.png", 0)
    with pytest.raises(FileNotFoundError, match="trainA, trainB.*with glasses, plain$"):
        load_folders(tmp_path)
    with pytest.raises(FileNotFoundError, match="valA, valB or validationA.*or testA, testB"):
        load_folders(tmp_path, "validation")


def test_wrong_arguments(root):
    with pytest.raises(ValueError, match="Received: 'dev'"):
        load_folders(root, "dev")
    for options in ({"a": "trainA"}, {"b": "trainB"}):
        with pytest.raises(ValueError, match="both `a` and `b`"):
            load_folders(root, **options)
    with pytest.raises(ValueError, match="path=None"):
        load_folders(None)
    with pytest.raises(ValueError, match="positive integer"):
        load_folders(root, image_size=0)
