import io
import os
import pathlib
import sys
import types

import numpy as np
import pytest
from PIL import Image

from mbu_tf.data import celeba, celeba_rules
from mbu_tf.data.celeba import load_celeba
from mbu_tf.data.image_files import ImageFiles
from mbu_tf.faces import CENTRE

pytestmark = pytest.mark.filterwarnings("error")

REAL = pathlib.Path(
    os.environ.get(
        "MBU_TF_CELEBA_DIR", pathlib.Path(__file__).parents[2] / ".." / "shared/data/celeba"
    )
)


# Number in the file name, glasses, male, partition.
FACES = [(1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 1, 0), (4, 1, 1, 0), (5, 0, 0, 1), (6, 1, 0, 1)]


def picture(number, kind):
    """218 rows: 20 white ones above and below a square of one grey."""
    pixels = np.full((218, 178, 3), 255, np.uint8)
    pixels[20:198] = 10 * number
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture
def root(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    rows, partition = [], []
    for number, glasses, male, part in FACES:
        name = f"00000{number}.jpg"
        (tmp_path / "img_align_celeba" / name).write_bytes(picture(number, "PNG"))
        signs = {"Eyeglasses": glasses, "Male": male}
        # Padded as in the original: two spaces before a 1.
        values = " ".join(" 1" if signs.get(key) else "-1" for key in celeba_rules.ATTRIBUTES)
        rows.append(f"{name} {values}")
        partition.append(f"{name} {part}")
    header = f"{len(FACES)}\n{' '.join(celeba_rules.ATTRIBUTES)} \n"
    (tmp_path / "list_attr_celeba.txt").write_text(header + "\n".join(rows) + "\n")
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(partition) + "\n")
    return tmp_path


def numbers(images):
    return (images.take(range(len(images)))[:, 4, 4, 0] // 10).tolist()


def test_splits_and_tasks(root):
    domains = load_celeba(root, image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([1, 3], [2, 4])
    domains = load_celeba(str(root), "Male & Eyeglasses", image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([1, 2, 3], [4])
    domains = load_celeba(root, "A: Male; B: ~Male & Eyeglasses", image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([3, 4], [2])
    domains = load_celeba(root, split="validation", image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([5], [6])


def test_crop_limit_and_cache(root):
    domains = load_celeba(root, image_size=8, limit=1)
    assert (numbers(domains.a), numbers(domains.b)) == ([1], [2])
    assert domains.a.take([0]).max() == 10  # Nothing white is left.
    whole = load_celeba(root, image_size=8, crop=None, cache="none")
    assert isinstance(whole.a, ImageFiles)
    assert whole.a.take([0])[0, [0, -1]].min() > 150
    with pytest.raises(ValueError, match="Received: 0"):
        load_celeba(root, limit=0)


def test_folders_of_the_official_download(root):
    for folder, name in (
        ("Anno", "list_attr_celeba.txt"),
        ("Eval", "list_eval_partition.txt"),
        ("Img", "img_align_celeba"),
    ):
        (root / folder).mkdir()
        (root / name).rename(root / folder / name)
    assert numbers(load_celeba(root, image_size=8).b) == [2, 4]


def test_images_missing_on_disk_are_counted(root):
    (root / "img_align_celeba" / "000003.jpg").unlink()
    (root / "img_align_celeba" / "000002.jpg").unlink()
    with pytest.warns(UserWarning, match="^2 images of the task 'glasses'") as caught:
        domains = load_celeba(root, image_size=8)
    assert len(caught) == 1
    assert (numbers(domains.a), numbers(domains.b)) == ([1], [4])


def test_images_without_a_split_are_counted(root):
    file = root / "list_eval_partition.txt"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:4]))
    with pytest.warns(UserWarning, match=r"2 images are left out: .*list_eval_partition\.txt"):
        load_celeba(root, image_size=8)


def test_domains_that_overlap_are_warned_about(root):
    with pytest.warns(UserWarning, match="^1 images satisfy both"):
        load_celeba(root, "A: Male; B: Eyeglasses", image_size=8)


@pytest.mark.parametrize(
    "name", ["list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba"]
)
def test_missing_files_are_named(root, name):
    (root / name).rename(root / "other")
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing.*Received: {root}"):
        load_celeba(root)


def test_empty_domains_and_splits(root):
    with pytest.raises(ValueError, match="'Bald', with 4 of A, 0 of B"):
        load_celeba(root, "Bald")
    with pytest.raises(ValueError, match="split 'test'.*0 of A, 0 of B"):
        load_celeba(root, split="test")
    with pytest.raises(ValueError, match="Received: 'dev'"):
        load_celeba(root, split="dev")


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
def test_malformed_attributes(root, text, place):
    (root / "list_attr_celeba.txt").write_text(text)
    with pytest.raises(ValueError, match=rf"list_attr_celeba\.txt is no.*{place}"):
        load_celeba(root)


def test_malformed_partition(root):
    (root / "list_eval_partition.txt").write_text("000001.jpg train\n")
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt must give"):
        load_celeba(root)


def test_attributes_with_windows_line_ends(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes(b"2\r\nMale Young\r\na-1.jpg  1 -1\r\nb.jpg -1  1\r\n\r\n")
    names, table = celeba.read_attributes(file)
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
    names, table = celeba.read_attributes(file)
    assert len(names) == 202_599
    np.testing.assert_array_equal(table["Male"][5000:6000], signs[:, 20])


@pytest.fixture
def tfds(monkeypatch):
    """Stands for tensorflow-datasets, with `FACES` for images; keeps how it was called."""
    module = types.ModuleType("tensorflow_datasets")
    module.decode = types.SimpleNamespace(SkipDecoding=lambda: "bytes")
    module.as_numpy = iter

    def load(name, **options):
        module.called = {"name": name, **options}
        part = {"train": 0, "validation": 1}[options["split"]]
        return [
            {
                "image": picture(number, "JPEG"),
                "attributes": dict.fromkeys(celeba_rules.ATTRIBUTES, np.False_)
                | {"Eyeglasses": np.bool_(glasses), "Male": np.bool_(male)},
            }
            for number, glasses, male, face_part in FACES
            if face_part == part
        ]

    module.load = load
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    return module


def test_tfds(tfds):
    domains = load_celeba("tfds", image_size=8, data_dir="somewhere")
    assert (numbers(domains.a), numbers(domains.b)) == ([1, 3], [2, 4])
    assert tfds.called == {
        "name": "celeb_a",
        "split": "train",
        "data_dir": "somewhere",
        "shuffle_files": False,
        "decoders": {"image": "bytes"},
    }
    domains = load_celeba("tfds", "Male & Eyeglasses", limit=1, image_size=8, cache="none")
    assert (numbers(domains.a), numbers(domains.b)) == ([1], [4])
    assert numbers(load_celeba("tfds", split="validation", image_size=8).b) == [6]


def test_tfds_failures(tfds, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("quota exceeded")

    monkeypatch.setattr(tfds, "load", fail)
    with pytest.raises(ValueError, match="quota exceeded.*give its folder"):
        load_celeba("tfds")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="pip install tensorflow-datasets"):
        load_celeba("tfds")


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no CelebA at {REAL} (set MBU_TF_CELEBA_DIR)")
def test_real_celeba():
    domains = [
        load_celeba(REAL, split=split, image_size=16, cache="none")
        for split in ("train", "validation")
    ]
    names, table = celeba.read_attributes(REAL / "list_attr_celeba.txt")
    if len(names) == 21_698:
        assert sum(len(d.b) for d in domains) == 3_090
        assert sum(len(d.a) for d in domains) == 21_698 - 3_090
    assert sum(len(d.b) for d in domains) <= table["Eyeglasses"].sum()
    taken = domains[0].b.take([0, len(domains[0].b) - 1])
    assert taken.shape == (2, 16, 16, 3)
    assert taken.std() > 20


def test_the_framing_follows_from_the_alignment_and_the_crop(root):
    framing = load_celeba(root, image_size=8).framing
    # Of the crop's 178 pixels; its upper edge is at 20.
    np.testing.assert_allclose(framing.eyes, np.array([(69.5, 91.5), (107.5, 91.5)]) / 178)
    assert load_celeba(root, image_size=8, crop="center").framing == framing
    tight = load_celeba(root, image_size=8, crop=(14, 39, 164, 189)).framing
    np.testing.assert_allclose(tight.eyes, np.array([(55.5, 72.5), (93.5, 72.5)]) / 150)
    for squeezed in (None, (0, 0, 178, 200)):
        assert load_celeba(root, image_size=8, crop=squeezed).framing == CENTRE
