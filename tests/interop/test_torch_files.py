"""PyTorch files: what is read, what is refused, what is written."""

import collections
import os
import pathlib
import sys
import zipfile

import numpy as np
import pytest

from mbu_tf.interop import torch_files

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

PLAIN = {
    "weights": collections.OrderedDict(a=torch.arange(6.0).reshape(2, 3).T, b=torch.tensor(3)),
    "state": {0: {"step": torch.tensor(2.0), "old_step": 2}},
    "groups": [{"betas": (0.5, 0.999), "lr": 2e-4, "fused": None, "amsgrad": False}],
    "name": "mbu",
}


class Evil:
    """An object that touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_tensors_and_plain_containers_come_as_numpy(tmp_path):
    torch.save(PLAIN, tmp_path / "checkpoint")
    content = torch_files.read(tmp_path / "checkpoint")
    np.testing.assert_array_equal(content["weights"]["a"], [[0, 3], [1, 4], [2, 5]])
    assert content["weights"]["a"].dtype == np.float32
    assert content["weights"]["b"].shape == () and content["weights"]["b"].dtype == np.int64
    assert content["state"][0]["old_step"] == 2
    assert content["groups"] == PLAIN["groups"] and content["name"] == "mbu"


def test_files_of_old_pytorch_are_read(tmp_path):
    torch.save(PLAIN, tmp_path / "old", _use_new_zipfile_serialization=False)
    assert torch_files.read(tmp_path / "old")["groups"] == PLAIN["groups"]


def test_what_is_written_is_what_was_read(tmp_path):
    torch.save(PLAIN, tmp_path / "one")
    torch_files.write(tmp_path / "two", torch_files.read(tmp_path / "one"))
    again = torch.load(tmp_path / "two", weights_only=True)
    assert list(again) == list(PLAIN)
    torch.testing.assert_close(again["weights"]["a"], PLAIN["weights"]["a"], rtol=0, atol=0)
    assert again["weights"]["b"].dtype == torch.int64
    assert again["weights"]["b"].shape == torch.Size([])
    assert again["groups"] == PLAIN["groups"]


@pytest.mark.parametrize("new", [True, False])
def test_an_object_that_runs_code_is_refused_and_does_not(tmp_path, new):
    content = {"e1": Evil(tmp_path / "touched")}
    torch.save(content, tmp_path / "evil", _use_new_zipfile_serialization=new)
    message = r"evil is not loaded: it holds an object of \w+.mkdir, and .*can run any code"
    with pytest.raises(ValueError, match=message):
        torch_files.read(tmp_path / "evil")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    "value,message",
    [
        (pathlib.PurePosixPath("x"), "object of pathlib"),
        (torch.nn.Linear(2, 2), "object of torch.nn.modules.linear.Linear"),
        (np.zeros(3), "object of numpy"),
        (collections.Counter("a"), "e1: 0 is not loaded: only tensors.*Received: Counter"),
        (torch.Size([2]), "e1: 0 is not loaded: only tensors.*Received: Size"),
        (torch.zeros(2, dtype=torch.bfloat16), "e1: 0 is a tensor that NumPy lacks.*bfloat16"),
        (torch.zeros(2, 2).to_sparse(), "e1: 0 is a tensor that NumPy lacks"),
    ],
)
def test_what_is_neither_tensor_nor_plain_container_is_refused(tmp_path, value, message):
    torch.save({"e1": [value]}, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=message):
        torch_files.read(tmp_path / "checkpoint")


def test_damaged_and_foreign_files(tmp_path):
    torch.save({"e1": torch.zeros(2000)}, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    # Of so many bytes PyTorch says that an argument is invalid.
    short = whole[:4097]
    for content in (b"", b"some text\n" * 100, short[:2000], short, b"PK\x03\x04" + whole):
        path = tmp_path / "damaged"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged was not written by PyTorch, or was cut off"):
            torch_files.read(path)


def test_a_missing_file(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no checkpoint"):
            torch_files.read(path)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="folder does not exist"):
        torch_files.write(tmp_path / "missing" / "checkpoint", PLAIN)

    def fail(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk is full"):
        torch_files.write(tmp_path / "checkpoint", {})
    assert not list(tmp_path.iterdir())


def test_the_file_does_not_depend_on_its_name(tmp_path):
    for name in ("one", "two"):
        torch_files.write(tmp_path / name, {"e1": np.zeros(3)})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_flipped_bit_is_told_of(tmp_path):
    path = tmp_path / "checkpoint"
    torch.save({"e1": {"weight": torch.arange(4000.0)}}, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="its part .*data/0 is not what was written"):
        torch_files.read(path)


def test_a_packed_file_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))
    with pytest.raises(ValueError, match="bomb holds no checkpoint.*unpacked it would be 50000000"):
        torch_files.read(tmp_path / "bomb")


def test_what_holds_itself_or_is_too_deep_is_refused(tmp_path):
    circle = {}
    circle["e1"] = [circle]
    deep = 0
    for _ in range(5000):
        deep = [deep]
    shared = [0, 0]
    for _ in range(40):  # 2**40 numbers, were each of them copied.
        shared = [shared, shared]
    for name, content in {"circle": circle, "deep": {"e1": deep}, "shared": shared}.items():
        with open(tmp_path / name, "wb") as file:
            _save(content, file)
        with pytest.raises(ValueError, match=rf"{name}.* (holds itself|was not written by)"):
            torch_files.read(tmp_path / name)


def _save(content, file):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**5)
    try:
        torch.save(content, file)
    finally:
        sys.setrecursionlimit(limit)
