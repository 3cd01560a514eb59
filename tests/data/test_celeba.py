import io
import os
import pathlib
import sys
import types

import numpy as np
import pytest
from PIL import Image

from mbu_tf.data import celeba_rules
from mbu_tf.data.celeba import load_celeba
from mbu_tf.data.celeba_files import read_attributes
from mbu_tf.data.image_files import ImageFiles
from mbu_tf.data.images import read_image
from mbu_tf.faces import CENTRE, Framing

pytestmark = pytest.mark.filterwarnings("error")

REAL = pathlib.Path(
    os.environ.get(
        "MBU_TF_CELEBA_DIR", pathlib.Path(__file__).parents[2] / ".." / "shared/data/celeba"
    )
)


# Number in the file name, glasses, male, partition.
FACES = [(1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 1, 0), (4, 1, 1, 0), (5, 0, 0, 1), (6, 1, 0, 1)]


def picture(number, kind, border=20):
    """218 rows: 20 white ones above and below a square of one grey; without them a square."""
    pixels = np.full((178 + 2 * border, 178, 3), 255, np.uint8)
    pixels[border : border + 178] = 10 * number
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


def test_the_layout_of_kaggle(root):
    for name in ("list_attr_celeba", "list_eval_partition"):
        file = root / f"{name}.txt"
        rows = [line.split() for line in file.read_text().splitlines()]
        if "attr" in name:
            rows = [["image_id", *rows[1]], *rows[2:]]
        else:
            rows.insert(0, ["image_id", "partition"])
        (root / f"{name}.csv").write_text("".join(",".join(row) + "\n" for row in rows))
        file.unlink()
    (root / "img_align_celeba").rename(root / "photos")
    (root / "img_align_celeba").mkdir()
    (root / "photos").rename(root / "img_align_celeba" / "img_align_celeba")
    domains = load_celeba(root, image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([1, 3], [2, 4])
    assert numbers(load_celeba(root, split="validation", image_size=8).b) == [6]


@pytest.mark.parametrize("folder", ["img_align_celeba", "img_align_celeba_png"])
def test_photos_as_png_files_are_found_by_their_stems(root, folder):
    for photo in list((root / "img_align_celeba").iterdir()):
        photo.rename(photo.with_suffix(".png"))
    (root / "img_align_celeba").rename(root / folder)
    domains = load_celeba(root, image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([1, 3], [2, 4])


@pytest.fixture
def hq(root):
    """CelebAMask-HQ of the same faces, backwards, beside CelebA's partition."""
    (root / "CelebA-HQ-img").mkdir()
    rows = (root / "list_attr_celeba.txt").read_text().splitlines()
    mapping = ["idx orig_idx orig_file"]
    for i, (number, *_) in enumerate(reversed(FACES)):
        (root / "CelebA-HQ-img" / f"{i}.jpg").write_bytes(picture(number, "PNG", border=0))
        mapping.append(f"{i}\t{number - 1}\t00000{number}.jpg")
    values = [f"{i}.jpg  {row.split(maxsplit=1)[1]}" for i, row in enumerate(rows[:1:-1])]
    table = "\n".join([*rows[:2], *values]) + "\n"
    (root / "CelebAMask-HQ-attribute-anno.txt").write_text(table)
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(mapping) + "\n")
    (root / "list_attr_celeba.txt").unlink()
    return root


def test_celebamask_hq_follows_the_partition_of_its_originals(hq):
    domains = load_celeba(hq, image_size=8)
    assert (numbers(domains.a), numbers(domains.b)) == ([3, 1], [4, 2])
    assert numbers(load_celeba(hq, split="validation", image_size=8).a) == [5]
    # Its squares are taken whole, the eyes a quarter of the side apart.
    assert domains.framing == load_celeba(hq, image_size=8, crop=None).framing
    np.testing.assert_allclose(domains.framing.eyes, [(0.375, 0.476), (0.625, 0.476)])
    assert load_celeba(hq, image_size=8, crop=(0, 0, 100, 100)).framing == CENTRE


@pytest.mark.parametrize("name", ["list_eval_partition.txt", "CelebA-HQ-to-CelebA-mapping.txt"])
def test_what_celebamask_hq_lacks_is_named(hq, name):
    (hq / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing.*with CelebA-HQ-img, Celeb"):
        load_celeba(hq)


def test_a_folder_without_photos_says_what_it_holds(root):
    for photo in list((root / "img_align_celeba").iterdir()):
        photo.unlink()
    (root / "img_align_celeba" / "img_align_celeba.zip").touch()
    with pytest.raises(FileNotFoundError, match=r"unpacked.*with img_align_celeba\.zip$"):
        load_celeba(root)
    with pytest.raises(FileNotFoundError, match="existing folder. Received: .*nowhere"):
        load_celeba(root / "nowhere")


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
    with pytest.warns(UserWarning, match="2 images are left out: list_eval_partition lacks"):
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
    module.builder = lambda *_, **__: types.SimpleNamespace(is_prepared=lambda: True)
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
    names, table = read_attributes(REAL / "list_attr_celeba.txt")
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
    np.testing.assert_allclose(framing.eyes, np.array([(70.0, 93.0), (108.0, 93.0)]) / 178)
    assert load_celeba(root, image_size=8, crop="center").framing == framing
    tight = load_celeba(root, image_size=8, crop=(14, 39, 164, 189)).framing
    np.testing.assert_allclose(tight.eyes, np.array([(56.0, 74.0), (94.0, 74.0)]) / 150)
    for squeezed in (None, (0, 0, 178, 200)):
        assert load_celeba(root, image_size=8, crop=squeezed).framing == CENTRE


def test_photos_are_framed_by_the_eyes_that_the_alignment_tells(root):
    framing = load_celeba(root, image_size=8).framing
    plain = load_celeba(root, image_size=178, cache="none")
    again = load_celeba(root, image_size=178, cache="none", framing=framing)
    assert again.framing == framing
    np.testing.assert_array_equal(again.a.take([0]), plain.a.take([0]))

    noise = np.random.default_rng(0).integers(0, 256, (218, 178, 3), np.uint8)
    Image.fromarray(noise).save(root / "img_align_celeba/000002.jpg", "PNG")
    # The eyes 38 pixels apart in a square of 356; between them is (89, 113) of the photo.
    wide = Framing((0.5 - 19 / 356, 0.5), (0.5 + 19 / 356, 0.5))
    shown = load_celeba(root, image_size=356, cache="none", framing=wide).b.take([0])[0]
    middle = np.s_[178 - 80 : 178 + 80, 178 - 80 : 178 + 80]
    np.testing.assert_array_equal(shown[middle], noise[113 - 80 : 113 + 80, 89 - 80 : 89 + 80])

    with pytest.raises(ValueError, match="not both.*Received"):
        load_celeba(root, image_size=8, framing=framing, crop=(0, 0, 9, 9))
    with pytest.raises(ValueError, match="by their eyes or cropped.*Received"):
        load_celeba(root, image_size=8, framing="centre")


def test_photos_of_celebamask_hq_are_framed_alike(hq):
    framing = load_celeba(hq, image_size=8).framing
    size = read_image(next((hq / "CelebA-HQ-img").iterdir())).shape[0]
    plain, again = (
        load_celeba(hq, image_size=size, cache="none", **options)
        for options in ({}, {"framing": framing})
    )
    np.testing.assert_array_equal(again.a.take([0]), plain.a.take([0]))
