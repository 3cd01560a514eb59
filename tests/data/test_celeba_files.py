"""CelebA's lists, in every form in which they are handed round."""

import numpy as np
import pytest

from mbu_tf.data import celeba_rules
from mbu_tf.data.celeba_files import read_attributes, read_partition

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "no attributes"),
        ("2\n", "no attributes"),
        ("2\nMale Young\n", "no attributes, or no images"),
        ("2\nMale Young\na.jpg 1 -1\nb.jpg -1\n", "line 4: 'b.jpg -1'"),
        ("2\nMale Young\na.jpg 1 -1 1\nb.jpg -1\n", "line 3: 'a.jpg 1 -1 1'"),
        ("2\nMale Young\na.jpg 1 x\n", "line 3: 'a.jpg 1 x'"),
        ("2\nMale Young\n<html>\n", "line 3: '<html>'"),
    ],
)
def test_malformed_attributes(tmp_path, text, place):
    file = tmp_path / "list_attr_celeba.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=rf"list_attr_celeba\.txt is no.*{place}"):
        read_attributes(file)


@pytest.mark.parametrize("text", ["000001.jpg train\n", "image_id,partition\n000001.jpg,\n"])
def test_malformed_partition(tmp_path, text):
    file = tmp_path / "list_eval_partition.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt must give"):
        read_partition(file)


def test_lists_with_and_without_what_stands_above(tmp_path):
    file, expected = tmp_path / "list", {"Male": [True, False], "Young": [False, True]}
    for text in (
        "2\nMale Young\na.jpg 1 -1\nb.jpg -1  1\n",
        "Male Young\na.jpg 1 -1\nb.jpg -1  1\n",
        "image_id,Male,Young\na.jpg,1,-1\nb.jpg,-1,1\n",
    ):
        file.write_text(text)
        names, table = read_attributes(file)
        assert names.tolist() == ["a.jpg", "b.jpg"]
        assert {key: value.tolist() for key, value in table.items()} == expected
    file.write_text("image_id,Male,Young\r\na.jpg,1,-1\r\nb.jpg,-1\r\n")
    with pytest.raises(ValueError, match="line 3: 'b.jpg -1"):
        read_attributes(file)
    for text in ("a.jpg 0\nb.png 2\n", "image_id,partition\na.jpg,0\nb.png,2\n"):
        file.write_text(text)
        assert read_partition(file) == {"a": 0, "b": 2}


def test_attributes_with_windows_line_ends(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes(b"2\r\nMale Young\r\na-1.jpg  1 -1\r\nb.jpg -1  1\r\n\r\n")
    names, table = read_attributes(file)
    assert names.tolist() == ["a-1.jpg", "b.jpg"]
    assert {key: value.tolist() for key, value in table.items()} == {
        "Male": [True, False],
        "Young": [False, True],
    }


def test_a_table_of_the_size_of_celeba(tmp_path):
    signs = np.random.default_rng(0).random((1000, 40)) < 0.5
    rows = [" ".join([" 1" if x else "-1" for x in row]) for row in signs]
    file = tmp_path / "list.txt"
    lines = (f"{i:06d}.jpg {rows[i % 1000]}" for i in range(202_599))
    file.write_text("\n".join(["202599", " ".join(celeba_rules.ATTRIBUTES), *lines]))
    names, table = read_attributes(file)
    assert len(names) == 202_599
    np.testing.assert_array_equal(table["Male"][5000:6000], signs[:, 20])
