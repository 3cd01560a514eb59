import json

import numpy as np
import pytest

from mbu_tf.evaluation.parts import Parts, array_digest, folder_name


def test_a_part_is_computed_once_for_what_it_depends_on(tmp_path):
    calls = []

    def compute():
        calls.append(len(calls))
        return {"value": calls[-1]}

    for key, expected in [({"x": 1}, 0), ({"x": 1}, 0), ({"x": 2}, 1), ({"x": 1}, 2)]:
        # As a later run would, from the folder alone.
        assert Parts(tmp_path).json("system/part", key, compute) == {"value": expected}
    assert Parts(tmp_path).has("system/part.json", {"x": 1})
    assert not Parts(tmp_path).has("system/part.json", {"x": 2})


def test_keys_are_compared_as_json_holds_them(tmp_path):
    parts = Parts(tmp_path)
    parts.json("part", {"crop": (1, 2)}, lambda: 0)
    assert parts.json("part", {"crop": [1, 2]}, lambda: 1) == 0


def test_an_interrupted_part_is_computed_again(tmp_path):
    parts = Parts(tmp_path)
    parts.json("part", {"x": 1}, lambda: "old")

    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.json("part", {"x": 2}, fail)
    assert json.loads((tmp_path / "part.json").read_text()) == "old"
    # The old file may have been about to be replaced, and is no longer trusted.
    assert parts.json("part", {"x": 1}, lambda: "new") == "new"


def test_a_lost_file_is_made_again(tmp_path):
    parts = Parts(tmp_path)
    path = parts.file("data.bin", {}, lambda beside: beside.write_bytes(b"one"))
    path.unlink()
    assert parts.file("data.bin", {}, lambda b: b.write_bytes(b"two")).read_bytes() == b"two"


def test_digests_tell_arrays_apart():
    x = np.arange(6, dtype=np.float32)
    others = [x.reshape(2, 3), x.astype(np.float64), x + 1, None]
    assert array_digest(x) == array_digest(x.copy())
    assert len({array_digest(x), *map(array_digest, others)}) == 5
    assert array_digest(x, None) != array_digest(None, x)


def test_a_folder_name_is_one_folder():
    names = ["a/b", "a%2Fb", "..", ".", "a b", "ä", "a\\b"]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    assert not any("/" in f or "\\" in f or set(f) <= {"."} for f in folders)


@pytest.mark.parametrize("content", ["", "3", '{"half":'])
@pytest.mark.parametrize("name", ["part.json", "part.json.key"])
def test_a_damaged_part_is_computed_again(tmp_path, name, content):
    parts = Parts(tmp_path)
    parts.json("part", {"x": 1}, lambda: [1, 2])
    (tmp_path / name).write_text(content)
    assert parts.json("part", {"x": 1}, lambda: [1, 2, 3]) == [1, 2, 3]
    assert parts.json("part", {"x": 1}, lambda: None) == [1, 2, 3]


def test_folders_of_long_names(tmp_path):
    names = [73 * "中", 73 * "中" + "a", 255 * ".", "a"]
    made = [folder_name(name) for name in names]
    assert len(set(made)) == 4 and made[3] == "a"
    for name in made:
        (tmp_path / name).mkdir()
