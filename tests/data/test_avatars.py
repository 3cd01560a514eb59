"""The avatar builder: exact pairs, exact masks, the same bytes for the same seed."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from mbu_tf.data import avatar_faces
from mbu_tf.data.avatars import Avatars, AvatarsConfig, load_avatars

COUNTS = {"train": 6, "validation": 3, "test": 8}


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


def load(data_dir, split, task="glasses", **options):
    return load_avatars(task, split, 64, data_dir=data_dir, counts=COUNTS, **options)


def variants_of(task, domain="b"):
    return avatar_faces.TASKS[task]["own"][domain][1]


def test_splits_and_shapes(data_dir):
    train, test = load(data_dir, "train"), load(data_dir, "test")
    assert (len(train.a), len(train.b), len(test.a), len(test.b)) == (6, 6, 8, 8)
    assert train.b_mask is None and train.b_without is None and train.a_with is None
    for images, channels in (
        *((x, 3) for x in (test.a, test.b, test.b_without, test.a_with, test.a_with_next)),
        (test.b_mask, 1),
    ):
        assert images.take(range(8)).shape == (8, 64, 64, channels)
    variants = variants_of("glasses")
    assert test.b_variants == [variants[i % len(variants)] for i in range(8)]


def test_truth_is_the_exact_same_face(data_dir):
    test = load(data_dir, "test")
    b, without, mask = (x.take(range(8)) for x in (test.b, test.b_without, test.b_mask))
    for i in range(8):
        # Rendered anew here, with the part and without it.
        seed = f"0/test/b/{i}"
        face = decoded(avatar_faces.render_face("glasses", seed, {"b": test.b_variants[i]}, 64))
        bare = decoded(avatar_faces.render_face("glasses", seed, {}, 64))
        np.testing.assert_array_equal(b[i], face)
        np.testing.assert_array_equal(without[i], bare)
        np.testing.assert_array_equal(mask[i, ..., 0], 255 * (face != bare).any(-1))
    assert set(np.unique(mask)) == {0, 255}
    assert 0.02 < (mask > 0).mean() < 0.12


def test_truth_of_a_wears_the_parts_of_its_references(data_dir):
    test = load(data_dir, "test")
    for i in (0, 3):
        for images, worn in (
            (test.a, {}),
            (test.a_with, {"b": test.b_variants[i]}),
            (test.a_with_next, {"b": test.b_variants[i + 1]}),
        ):
            face = avatar_faces.render_face("glasses", f"0/test/a/{i}", worn, 64)
            np.testing.assert_array_equal(images.take([i])[0], decoded(face))


@pytest.mark.slow
def test_masks_lie_where_glasses_and_beards_are(data_dir):
    rows = np.arange(64)[None, :, None]
    heights = {}
    for task in ("glasses", "facial_hair"):
        test = load(data_dir, "test", task=task)
        mask = test.b_mask.take(range(8))[..., 0] > 0
        heights[task] = (mask * rows).sum((1, 2)) / mask.sum((1, 2))
    assert (heights["glasses"] < 40).all()
    assert (heights["facial_hair"] > heights["glasses"].max()).all()


@pytest.mark.slow
def test_same_bytes_for_the_same_seed_and_others_for_another(data_dir, tmp_path):
    one, few = load(data_dir, "train"), {**COUNTS, "validation": 1, "test": 1}
    again, other = (
        load_avatars("glasses", "train", 64, data_dir=tmp_path, counts=few, **options)
        for options in ({"workers": 1}, {"seed": 1})
    )
    pixels = [d.a.take(range(6)).tobytes() + d.b.take(range(6)).tobytes() for d in (one, again)]
    assert pixels[0] == pixels[1]
    assert other.a.take(range(6)).tobytes() not in pixels[0]


def test_beam_builds_the_same(tmp_path):
    beam = pytest.importorskip("apache_beam")
    asked = {"plain": {}, "beam": {"beam_options": beam.options.pipeline_options.PipelineOptions()}}
    built = []
    for name, options in asked.items():
        builder = Avatars(
            config=AvatarsConfig("glasses", 64, counts=COUNTS), data_dir=tmp_path / name
        )
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(**options))
        # In the order of the files, which follows from the keys.
        data = tfds.as_numpy(builder.as_dataset(split="test", shuffle_files=False))
        built.append([(x["label"], x["number"], x["image"], x["truth"]["mask"]) for x in data])
    for one, other in zip(*built, strict=True):
        for x, y in zip(one, other, strict=True):
            np.testing.assert_array_equal(x, y)


def test_splits_share_no_face():
    pictures = {
        avatar_faces.render_face("glasses", f"0/{split}/a/{i}", {}, 64)
        for split in COUNTS
        for i in range(20)
    }
    assert len(pictures) == 60


def test_the_cache_is_used(data_dir, monkeypatch):
    load(data_dir, "train")

    def refuse(*args):
        raise AssertionError("rendered again")

    monkeypatch.setattr(avatar_faces, "render_faces", refuse)
    load(data_dir, "train")


@pytest.mark.parametrize("task", avatar_faces.TASKS)
def test_every_variant_of_every_task_shows_and_is_local(task):
    bare = decoded(avatar_faces.render_face(task, "face", {}, 64))
    for domain, (_, variants) in avatar_faces.TASKS[task]["own"].items():
        for variant in variants:
            face = decoded(avatar_faces.render_face(task, "face", {domain: variant}, 64))
            share = (avatar_faces.difference_mask(face, bare) > 0).mean()
            assert 0.003 < share < 0.35, (variant, share)


@pytest.mark.slow
def test_where_both_domains_have_a_part_truth_lacks_it_or_has_the_others(data_dir):
    task = "glasses_and_facial_hair"
    test = load(data_dir, "test", task=task)
    worn = {"a": {"a": variants_of(task, "a")[2]}, "b": {"b": variants_of(task, "b")[2]}}
    assert test.a_with is None and test.a_with_next is None
    for domain, other in ("ab", "ba"):
        seed = f"0/test/{domain}/2"
        for images, wears in (
            (getattr(test, domain), worn[domain]),
            (getattr(test, f"{domain}_without"), {}),
            (getattr(test, f"{domain}_translated"), worn[other]),
        ):
            face = avatar_faces.render_face(task, seed, wears, 64)
            np.testing.assert_array_equal(images.take([2])[0], decoded(face))
    changed = (test.b.take(range(8)) != test.b_without.take(range(8))).any(-1)
    np.testing.assert_array_equal(test.b_mask.take(range(8))[..., 0] > 0, changed)


def test_every_style_is_cc0_and_every_choice_exists():
    for recipe in avatar_faces.TASKS.values():
        style = avatar_faces._style(recipe["style"])
        assert style.meta().license().name() == "CC0 1.0"
        components = style.components()
        for name, chosen in recipe["options"].items():
            if name.endswith("Variant"):
                assert set(chosen) <= set(components[name.removesuffix("Variant")].variants())
        for part, variants in recipe["own"].values():
            assert set(variants) <= set(components[part].variants())


def test_variants_that_are_no_glasses_or_not_local_are_left_out():
    assert "eyepatch" not in variants_of("glasses")
    assert "moustache8" not in variants_of("facial_hair")


def test_rendering_starts_without_tensorflow():
    code = "import mbu_tf.data.avatar_faces, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_configurations():
    names = set(Avatars.builder_configs)
    assert {"glasses_64", "glasses_128", "facial_hair_64", "facial_hair_128"} <= names
    with pytest.raises(ValueError, match="Avatar tasks are.*Received: task='wings'"):
        AvatarsConfig("wings", 64)
    with pytest.raises(ValueError, match="Avatar splits are.*Received: split='dev'"):
        load_avatars("glasses", "dev")


def test_several_workers_keep_the_order(monkeypatch):
    monkeypatch.setattr(avatar_faces, "FACES_PER_WORKER", 2)
    faces = [("glasses", str(i), {}, 64) for i in range(5)]
    expected = [avatar_faces.render_face(*face) for face in faces]
    assert len(set(expected)) == 5
    assert list(avatar_faces.render_faces(faces, workers=3)) == expected


def test_a_worker_whose_reader_was_killed_ends_and_says_nothing():
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    worker = subprocess.Popen([sys.executable, "-c", avatar_faces._WORKER], **options)
    worker.stdout.close()
    faces = [("glasses", str(i), {}, 64) for i in range(3)]
    told = worker.communicate(json.dumps([sys.path, faces]).encode())[1]
    assert (worker.returncode, told) == (1, b"")


def test_a_worker_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="ended early"):
        list(avatar_faces.render_faces([("glasses", "x", {}, 64), ("wings", "x", {}, 64)]))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["record", "information"])
def test_damaged_faces_are_rendered_anew_and_what_was_left_half_done_removed(tmp_path, damage):
    counts = {"train": 1, "validation": 1, "test": 1}

    def loaded():
        domains = load_avatars("glasses", "test", 64, data_dir=tmp_path, counts=counts)
        return domains.b.take([0])

    before = loaded()
    (folder,) = tmp_path.glob("avatars/*/1.0.0")
    if damage == "record":
        (file,) = folder.glob("*test*tfrecord*")
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        (folder / "dataset_info.json").write_text("{")
    left = folder.parent / "incomplete.ABC_1.0.0"
    left.mkdir()
    with pytest.warns(UserWarning, match=rf"avatars in {folder} are damaged, and are rendered"):
        np.testing.assert_array_equal(loaded(), before)
    assert not left.exists()
    np.testing.assert_array_equal(loaded(), before)
