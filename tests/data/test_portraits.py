"""Which portraits a task takes, and where their eyes come to lie."""

import csv

import numpy as np
import pytest

from mbu_tf.data.images import write_png
from mbu_tf.data.portraits import load_portraits
from mbu_tf.data.sources import load_source, parse_source
from mbu_tf.faces import FACE
from tests.portrait_sets import PORTRAITS, Set, needs_portraits


@pytest.fixture
def portraits(tmp_path):
    return Set(tmp_path)


def test_only_what_is_asked_for_is_taken(portraits):
    portraits.add(1)
    portraits.add(2, eyeglasses=1)
    portraits.add(3, eyeglasses="sunglasses")
    portraits.add(4, licence_grade="B")
    portraits.add(5, split="small_train")
    portraits.add(6, grey=1)
    portraits.add(7, cutout=0.2)
    portraits.add(8, source="london")
    portraits.add(9, split="heldout")
    portraits.add(10, split="heldout", eyeglasses=1)
    assert list(map(sorted, portraits.levels())) == [[1, 5], [2, 3]]
    assert list(map(sorted, portraits.levels(grades="AB", small=False))) == [[1, 4], [2, 3]]
    assert portraits.levels(split="test") == portraits.levels(split="validation") == [[9], [10]]
    assert portraits.levels("mixed_glasses", "test") == [[9], [10]]


def test_the_table_can_be_asked_for_more(portraits):
    for level in range(10, 18):
        portraits.add(level, eyeglasses=level % 2, width=40 + level)
    found = portraits.levels(where=lambda row: int(row["width"]) < 55)
    assert list(map(sorted, found)) == [[10, 12, 14], [11, 13]]


def test_eyes_lie_where_the_framing_has_them(portraits):
    portraits.add(100, eyeglasses=1)
    portraits.add(50, left_eye_x=14, left_eye_y=20, right_eye_x=26, right_eye_y=29)
    photo = np.full((60, 40, 3), 50, np.uint8)
    photo[20, 14] = photo[29, 26] = 255
    write_png(portraits.root / "50.png", photo)
    domains = load_portraits(portraits.root, image_size=54)  # About the photo's own scale.
    assert domains.framing == FACE
    (face,) = domains.a.take([0])[..., 0].astype(float) - 50
    for half, (u, v) in ((np.s_[:, :27], FACE.left_eye), (np.s_[:, 27:], FACE.right_eye)):
        light = np.zeros_like(face)
        light[half] = np.maximum(face[half], 0)
        rows, columns = np.indices(face.shape) + 0.5
        middle = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
        np.testing.assert_allclose(middle / 54, (u, v), atol=0.008)


def test_domains_of_drawn_glasses_share_no_person_and_every_source(portraits):
    for i in range(24):
        source = ("studio", "london")[i % 2]
        portraits.add(100 + i, source=source, person=f"{source} {i // 4}")
    portraits.add(1, eyeglasses=1)
    a, b = portraits.levels("drawn_glasses", variants=3)
    person = {100 + i: (i % 2, i // 4) for i in range(24)}
    assert sorted(set(a) | set(b)) == sorted(person) and len(b) == 3 * len(set(b))
    assert not {person[x] for x in a} & {person[x] for x in b}
    for side in (a, b):
        assert sum(person[x][0] for x in set(side)) == len(set(side)) / 2


def test_held_out_drawn_glasses_carry_their_truth(portraits):
    for i in range(6):
        portraits.add(100 + i, split="heldout", yaw=0.1)
    domains = load_source(f"portraits:{portraits.root}:drawn_glasses", "test", 32)
    assert len(domains.a) == len(domains.b) == len(domains.a_with_next) == 3
    change = domains.b.take([0, 1, 2]) != domains.b_without.take([0, 1, 2])
    assert change.any(axis=(1, 2, 3)).all() and not change[:, 0].any()


def test_mixed_glasses_are_half_real_and_backdrops_as_common_in_both(portraits):
    for i in range(8):
        portraits.add(100 + i, source=("studio", "london")[i % 4 == 0])
    for i in range(3):
        portraits.add(200 + i, eyeglasses=1)
    a, b = portraits.levels("mixed_glasses", variants=2)
    assert sorted(a) == list(range(100, 108))
    real, drawn = [x for x in b if x >= 200], [x for x in b if x < 200]
    assert len(real) == len(drawn) == 2 * 10 and set(real) == {200, 201, 202}
    assert set(drawn) == set(a)
    plain = [x for x in drawn if x in (100, 104)]
    assert len(plain) == 2 * 2 * 2  # Two variants, two faces, each twice as often.
    a, b = portraits.levels("mixed_glasses", variants=2, real_share=0.0)
    assert sorted(b) == sorted([*a, *a])


def test_facial_hair_is_learned_from_men_and_glasses_are_as_common_without_it(portraits):
    for level in range(10, 20):
        portraits.add(level)
    for level in range(30, 32):
        portraits.add(level, eyeglasses=1)
    for level in range(40, 44):
        portraits.add(level, source="london")
    portraits.add(50, sex="f")
    portraits.add(100, facial_hair=1)
    portraits.add(101, facial_hair=1)
    portraits.add(102, facial_hair=1, eyeglasses=1)
    a, b = portraits.levels("facial_hair")
    assert sorted(b) == [100, 101, 102]
    # Ten of the most common kind, half as many of the other, and none before plain backdrops.
    assert sorted(set(a)) == [*range(10, 20), 30, 31]
    assert sorted(np.unique(a, return_counts=True)[1]) == [1] * 10 + [2, 3]


def test_held_out_faces_are_each_seen_once(portraits):
    for level, eyeglasses in enumerate((0, 0, 0, 1)):
        portraits.add(10 + level, split="heldout", eyeglasses=eyeglasses)
    for level, eyeglasses in enumerate((0, 1, 1)):
        portraits.add(20 + level, split="heldout", eyeglasses=eyeglasses, facial_hair=1)
    a, b = portraits.levels("facial_hair", "test")
    assert sorted(a) == [10, 11, 12, 13] and sorted(b) == [20, 21, 22]


def test_the_first_few_are_like_all_others(portraits):
    for level in range(10, 90, 2):
        portraits.add(level, split="heldout")
        portraits.add(level + 1, split="heldout", eyeglasses=1)
    portraits.add(100, split="heldout", facial_hair=1)
    portraits.add(101, split="heldout", facial_hair=1, eyeglasses=1)
    a, _ = portraits.levels("facial_hair", "test")
    assert sorted(a) == [*range(10, 90)]
    # Of the first twenty of forty and forty, as many as chance gives.
    assert 5 < sum(level % 2 for level in a[:20]) < 15


def test_smiles_are_learned_from_as_many_women_as_smile(portraits):
    for level in range(10, 14):
        portraits.add(level)
    portraits.add(20, sex="f")
    portraits.add(100, smile_teeth=1)
    portraits.add(101, smile_teeth=1, sex="f")
    a, b = portraits.levels("smile")
    assert sorted(b) == [100, 101] and sorted(a) == [10, 11, 12, 13, 20, 20, 20, 20]


@pytest.mark.parametrize("column", ["facial_hair", "sex"])
def test_a_column_is_asked_for_by_its_task_alone(portraits, column):
    portraits.add(10)
    portraits.add(20, eyeglasses=1)
    for row in portraits.rows:
        del row[column]
    portraits.write()
    assert portraits.levels() == [[10], [20]]
    with pytest.raises(ValueError, match=f"the columns {column} are missing"):
        load_portraits(portraits.root, "facial_hair")


def test_what_is_wrong_is_named(portraits, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"labels\.csv.*Received: "):
        load_portraits(tmp_path / "nowhere")
    portraits.add(1)
    with pytest.raises(ValueError, match=r"No portrait is left.*Received: .*labels\.csv"):
        load_portraits(portraits.root)
    portraits.add(2, eyeglasses=1)
    for options, message in (
        ({"task": "beards"}, "tasks of portraits are glasses.*Received: task='beards'"),
        ({"split": "all"}, "`split`.*Received: 'all'"),
        ({"framing": "centre"}, "face framing.*Received: framing="),
        ({"real_share": 1.0}, "`real_share`.*Received: 1.0"),
        ({"variants": 0}, "`variants`.*Received: 0"),
        ({"image_size": 0}, "image size.*Received: 0"),
    ):
        with pytest.raises(ValueError, match=message):
            load_portraits(portraits.root, **options)
    (portraits.root / "2.png").unlink()
    with pytest.raises(ValueError, match=r"2\.png"):
        load_portraits(portraits.root)


def test_the_spec():
    assert parse_source(r"portraits:C:\faces:glasses") == (
        "portraits",
        {"path": r"C:\faces", "task": "glasses"},
    )
    with pytest.raises(ValueError, match="Received: task='hats'"):
        parse_source("portraits:faces:hats")
    for wrong in ("portraits:faces", "portraits:", "portraits::glasses"):
        with pytest.raises(ValueError, match="portraits:PATH:TASK"):
            parse_source(wrong)


@needs_portraits
def test_the_real_set():
    domains = load_source(f"portraits:{PORTRAITS}:drawn_glasses", "test", 32)
    with open(PORTRAITS / "labels.csv", encoding="utf-8", newline="") as file:
        bare = [
            row
            for row in csv.DictReader(file)
            if row["split"] == "heldout" and row["licence_grade"] == "A"
            and row["eyeglasses"] == "0" and float(row["cutout"]) <= 0.02
        ]  # fmt: skip
    # Half of the people each, the domain with fewer photos whole.
    assert 0.45 * len(bare) < len(domains.b) <= 0.5 * len(bare)
    covered = (domains.b_mask.take(range(len(domains.b))) > 0).mean(axis=(1, 2, 3))
    assert 0.01 < np.median(covered) < 0.12
