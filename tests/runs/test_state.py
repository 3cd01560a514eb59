"""States in files: what comes back, what damage does, what a killed writer leaves."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from mbu_tf.runs.state import differences, read_newest_state, state_files, write_state
from mbu_tf.system.files import remove_leftovers
from tests.system.test_files import full_disk


def steps(folder):
    return [int(path.stem.removeprefix("step-")) for path in state_files(folder)]


def test_a_state_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    kinds = ("float32", "float64", "float16", "int64", "uint8", "bool")
    arrays = [np.asarray(100 * rng.random((2, 3))).astype(kind) for kind in kinds]
    state = {
        "arrays": [*arrays, np.zeros((0, 2), "f4"), np.array(0.1, "f4")],
        "nested": {"plain": [1, 0.1, "ü", None, True], "deep": {"value": arrays[0]}},
        "scalars": [np.float32(0.1), np.int64(2**40), np.bool_(True)],
        "limits": [float("inf"), -float("inf")],
    }
    write_state(tmp_path / "a" / "b", 12, state)
    found = read_newest_state(tmp_path / "a" / "b")
    assert found.pop("step") == 12
    for one, other in zip(found.pop("arrays"), state["arrays"], strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found["nested"]["deep"].pop("value"), arrays[0])
    assert found["nested"] == {"plain": [1, 0.1, "ü", None, True], "deep": {}}
    assert found["scalars"] == [float(np.float32(0.1)), 2**40, True]
    assert found["limits"] == state["limits"]


def test_nothing_is_executed_or_lost_in_silence(tmp_path):
    with pytest.raises(TypeError, match="plain values and arrays. Received: .*object"):
        write_state(tmp_path, 1, {"value": object()})
    with pytest.raises(ValueError, match="Object arrays"):
        np.savez(tmp_path / "step-000000002.npz", a=np.array([object()]))
        read_newest_state(tmp_path)


def test_no_state_is_none(tmp_path):
    assert read_newest_state(tmp_path) is None and read_newest_state(tmp_path / "missing") is None


def test_the_newest_two_stay(tmp_path):
    for step in (5, 10, 15, 2_000_000_000):
        write_state(tmp_path, step, {})
    assert steps(tmp_path) == [15, 2_000_000_000]
    assert read_newest_state(tmp_path)["step"] == 2_000_000_000


@pytest.mark.parametrize("cut", [0, 1, 0.5, 0.999])
def test_a_state_that_was_cut_off_is_told_and_the_one_before_it_used(tmp_path, cut):
    for step in (1, 2):
        write_state(tmp_path, step, {"values": np.arange(1000) + step})
    newest = state_files(tmp_path)[-1]
    size = newest.stat().st_size
    os.truncate(newest, cut if isinstance(cut, int) else int(cut * size))
    with pytest.warns(UserWarning, match="step-000000002.npz is damaged.*after step 1 is used"):
        assert read_newest_state(tmp_path)["values"][0] == 1
    write_state(tmp_path, 2, {"values": np.arange(3)})
    assert len(read_newest_state(tmp_path)["values"]) == 3


def test_a_damaged_state_of_a_later_step_does_not_outlive_the_next_one(tmp_path):
    for step in (1, 4):
        write_state(tmp_path, step, {})
    os.truncate(state_files(tmp_path)[-1], 10)
    write_state(tmp_path, 2, {})
    assert steps(tmp_path) == [1, 2]


def test_no_flipped_bit_changes_what_is_read(tmp_path):
    values = np.arange(300)
    for step in (1, 2):
        write_state(tmp_path, step, {"values": values})
    path = state_files(tmp_path)[-1]
    whole = path.read_bytes()
    rng, found = random.Random(0), []
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = read_newest_state(tmp_path)
        np.testing.assert_array_equal(state["values"], values)
        found.append(state["step"])
    assert found.count(1) > 200  # The rest met what is not read, such as a date.


def test_if_all_are_damaged_that_is_an_error(tmp_path):
    for step in (1, 2):
        write_state(tmp_path, step, {})
        os.truncate(state_files(tmp_path)[-1], 10)
    with pytest.raises(ValueError, match="step-000000002.*step-000000001.*delete .* to begin anew"):
        read_newest_state(tmp_path)


def test_a_full_disk_leaves_the_states_before(tmp_path):
    write_state(tmp_path, 1, {})
    with pytest.raises(OSError, match="Cannot write"), full_disk():
        write_state(tmp_path, 2, {"values": np.arange(10000)})
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001.npz"]


WRITER = """
import sys
import numpy as np
from mbu_tf.runs.state import read_newest_state, write_state

folder, state = sys.argv[1], read_newest_state(sys.argv[1])
assert not {"tensorflow", "keras"} & set(sys.modules)
for step in range(state["step"] + 1 if state else 1, 10**9):
    write_state(folder, step, {"values": np.full(300_000, step), "again": [step]})
    print(step, flush=True)
"""


def test_a_killed_writer_loses_nothing_and_leaves_nothing_half_written(tmp_path):
    rng, written = random.Random(0), 0
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITER, tmp_path],
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdout.readline()  # It has begun.
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].splitlines()
        state = read_newest_state(tmp_path)  # Warnings are errors: nothing is damaged.
        assert state["step"] > written and state["step"] >= int(rest[-1] if rest else 1)
        assert (state["values"] == state["step"]).all() and state["again"] == [state["step"]]
        written = state["step"]
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == state_files(tmp_path)
    assert len(state_files(tmp_path)) <= 3


def test_differences_are_named():
    old = {"steps": 5, "data": {"a": 1, "b": [1, 2]}, "gone": True}
    assert differences(old, {"gone": True, "data": {"b": (1, 2), "a": 1}, "steps": 5}) == []
    assert differences(old, {"steps": 6, "data": {"a": 1, "b": [1]}, "new": "x"}) == [
        "steps was 5, now is 6",
        "data.b was [1, 2], now is [1]",
        "gone was True, now is None",
        "new was None, now is 'x'",
    ]


def test_a_folder_in_place_of_the_newest_state(tmp_path):
    write_state(tmp_path, 1, {"x": 1})
    (tmp_path / "step-000000002.npz").mkdir()
    with pytest.warns(UserWarning, match="step-000000002.npz is damaged.*after step 1 is used"):
        assert read_newest_state(tmp_path)["x"] == 1
    write_state(tmp_path, 3, {"x": 3})
    assert steps(tmp_path) == [1, 3]


@pytest.mark.parametrize("state", [{}, {"x": "1"}, {"x": 1.5}, {"x": True}])
def test_a_state_of_another_form_is_damaged(tmp_path, state):
    schema = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
    write_state(tmp_path, 1, {"x": 1})
    write_state(tmp_path, 2, state)
    with pytest.warns(UserWarning, match="step-000000002.npz is damaged.*'x'"):
        assert read_newest_state(tmp_path, schema)["x"] == 1


@pytest.mark.parametrize("step", [-1, "2", None, 1.5])
def test_a_state_of_no_step_is_damaged(tmp_path, step):
    tree = np.frombuffer(json.dumps({"step": step}).encode(), np.uint8)
    np.savez(tmp_path / "step-000000001.npz", tree=tree)
    with pytest.raises(ValueError, match=r"is damaged \(\['step'\]: "):
        read_newest_state(tmp_path)
