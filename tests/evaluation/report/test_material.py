import numpy as np
import pytest

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.images import write_png
from mbu_tf.evaluation.report.material import Material, read_outlined


@pytest.fixture
def folders(tmp_path):
    for name, count in {"trainA": 1, "trainB": 1, "testA": 3, "testB": 5}.items():
        (tmp_path / name).mkdir()
        for i in range(count):
            write_png(tmp_path / name / f"{i}.png", np.full((8, 8, 3), 10 * i, np.uint8))
    return tmp_path


def test_as_many_of_a_as_of_b(folders):
    material = Material(f"folders:{folders}", 8)
    assert (material.split, len(material), len(material.b)) == ("test", 3, 3)
    assert material.outlined is None and len(material.train.a) == 1
    assert len(Material(f"folders:{folders}", 8, limit=2)) == 2


def test_its_key_follows_its_images(folders):
    key = Material(f"folders:{folders}", 8).key
    assert Material(f"folders:{folders}", 8).key == key
    write_png(folders / "testB" / "0.png", np.full((8, 8, 3), 99, np.uint8))
    assert Material(f"folders:{folders}", 8).key != key


def test_masks_are_found_by_name(folders):
    masks = folders / "masks"
    masks.mkdir()
    mask = np.zeros((8, 8), np.uint8)
    mask[:4] = 255
    for name in ("4.png", "2.png", "stranger.png"):
        write_png(masks / name, mask)
    material = Material(f"folders:{folders}", 4, outlined=(folders / "testB", masks))
    images, found = material.outlined
    np.testing.assert_allclose(images[:, 0, 0, 0], np.float32([20, 40]) / 127.5 - 1)
    np.testing.assert_array_equal(found[0, ..., 0], [[True] * 4] * 2 + [[False] * 4] * 2)
    with pytest.raises(ValueError, match="by the names of their images"):
        read_outlined(folders / "trainB", masks, 4)


def test_the_first_of_two_domains_with_their_truth():
    pictures = np.arange(4 * 12, dtype=np.uint8).reshape(4, 2, 2, 3)
    a, b, truth = ImageArray(pictures[:3]), ImageArray(pictures), ImageArray(pictures[::-1])
    first = TwoDomains(a, b, 2, b_without=truth, b_variants=["x", "y", "z", "x"]).first(2)
    assert (len(first.a), len(first.b), first.image_size) == (2, 2, 2)
    assert first.a_with is None and first.b_variants == ["x", "y"]
    np.testing.assert_array_equal(first.b_without.take([0, 1]), pictures[[3, 2]])
