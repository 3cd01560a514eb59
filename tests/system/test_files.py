import contextlib
import errno
import json
import os
import pathlib
import resource
import subprocess
import sys

import pytest

from mbu_tf.system.files import (
    FolderInUseError,
    check_outputs,
    make_folder,
    replacing,
    sole_use,
    write_json,
)


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "file.json"
    path.write_text("old")
    return path


def assert_untouched(path):
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond 1000 bytes; a write fails half-way, as on a full disk.

    No fixture: pytest itself writes between a fixture's setup and teardown, to a
    file perhaps.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_file_appears_when_the_block_has_ended(old):
    with replacing(old) as beside:
        assert (beside.parent, beside.suffix) == (old.parent, old.suffix)
        beside.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


def test_two_writers_at_once_do_not_meet(old):
    with replacing(old) as first, replacing(old) as second:
        first.write_text("first")
        second.write_text("second")
    assert old.read_text() == "first"  # The last to end.
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("error", [ValueError("own"), KeyboardInterrupt(), SystemExit(3)])
def test_an_interrupted_block_leaves_the_old_file(old, error):
    with pytest.raises(type(error)) as raised:
        with replacing(old) as beside:
            beside.write_text("half")
            raise error
    assert raised.value is error
    assert_untouched(old)


def test_a_block_that_wrote_nothing_leaves_the_old_file(old):
    with pytest.raises(FileNotFoundError):
        with replacing(old):
            pass
    assert_untouched(old)


def test_a_write_that_fails_half_way_leaves_the_old_file(old):
    with pytest.raises(OSError, match="Cannot write") as raised, full_disk():
        write_json(old, list(range(1000)))
    assert raised.value.errno == errno.EFBIG
    assert raised.value.filename == str(old)
    assert_untouched(old)


def test_a_device_without_space_is_named_as_such(old):
    with pytest.raises(OSError, match="the disk is full; free some space") as raised:
        with replacing(old) as beside:
            beside.write_text("half")
            pathlib.Path("/dev/full").write_text("any")
    assert raised.value.errno == errno.ENOSPC
    assert str(old) in str(raised.value)  # Not /dev/full: the file that the user asked for.
    assert_untouched(old)


@pytest.mark.parametrize(
    ("number", "kind", "mend"),
    [
        (errno.ENOSPC, OSError, "free some space"),
        (errno.EDQUOT, OSError, "free some space"),
        (errno.EROFS, OSError, "read-only; choose another folder"),
        (errno.EACCES, PermissionError, "choose a folder that you may write to"),
        (errno.EPERM, PermissionError, "choose a folder that you may write to"),
        (errno.ENAMETOOLONG, OSError, "File name too long"),
    ],
)
def test_a_refused_rename_is_explained(old, monkeypatch, number, kind, mend):
    def refuse(source, target):
        raise OSError(number, os.strerror(number), str(source))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(kind, match=mend) as raised:
        write_json(old, {})
    assert raised.value.errno == number
    assert raised.value.filename == str(old)
    assert_untouched(old)


def test_an_error_without_a_number_keeps_its_words(old):
    # As h5py raises them.
    with pytest.raises(OSError, match="Can't write data .*file.json"):
        with replacing(old):
            raise OSError("Can't write data (file write failed)")
    assert_untouched(old)


def test_a_missing_folder(tmp_path):
    path = tmp_path / "missing" / "file.json"
    with pytest.raises(FileNotFoundError, match="create it first") as raised:
        write_json(path, {})
    assert str(path) in str(raised.value)
    assert not path.parent.exists()


def test_a_file_in_place_of_the_folder(old):
    with pytest.raises(NotADirectoryError, match="a file stands where a folder is needed"):
        write_json(old / "file.json", {})
    with pytest.raises(FileExistsError, match="a file stands where a folder is needed"):
        make_folder(old)
    with pytest.raises(NotADirectoryError, match="a file stands where a folder is needed"):
        make_folder(old / "below")
    assert_untouched(old)


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "file.json").mkdir()
    with pytest.raises(IsADirectoryError, match="a folder stands there"):
        write_json(tmp_path / "file.json", {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_a_model_is_saved_whole_or_not_at_all(tiny_model, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("old")
    with pytest.raises(OSError, match="Cannot write.*model.keras"), full_disk():
        tiny_model.save(path)
    assert_untouched(path)


def test_make_folder_makes_those_above_and_keeps_what_is_there(tmp_path):
    folder = make_folder(str(tmp_path / "a" / "b"))
    assert folder == tmp_path / "a" / "b" and folder.is_dir()
    (folder / "kept").write_text("")
    make_folder(folder)
    assert (folder / "kept").exists()


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "file.json", {"name": "ü", "values": [1, 0.5, None]})
    text = (tmp_path / "file.json").read_text(encoding="utf-8")
    assert text == '{\n  "name": "\\u00fc",\n  "values": [\n    1,\n    0.5,\n    null\n  ]\n}\n'


def test_json_has_no_numbers_that_are_not_finite(tmp_path):
    write_json(tmp_path / "file.json", {"loss": [float("nan"), (1.0, -float("inf"))]})
    assert json.loads((tmp_path / "file.json").read_text()) == {"loss": [None, [1.0, None]]}


def test_outputs_that_are_inputs_are_refused_by_links_too(tmp_path):
    given = tmp_path / "a.png"
    given.touch()
    (tmp_path / "soft.png").symlink_to(given)
    os.link(given, tmp_path / "hard.png")
    for output in (given, tmp_path / "x" / ".." / "a.png", "soft.png", "hard.png"):
        with pytest.raises(ValueError, match="a.png would be overwritten by its own result"):
            check_outputs([None, tmp_path / output], [tmp_path / "b.png", given])
    with pytest.raises(ValueError, match="Two results would be written to one file"):
        check_outputs([tmp_path / "new.png", tmp_path / "." / "new.png"])
    check_outputs([tmp_path / "new.png", tmp_path / "mask.png"], [given])


def test_what_is_there_is_replaced_when_told_to(tmp_path):
    (tmp_path / "m.keras").touch()
    check_outputs([tmp_path / "m.keras"])
    with pytest.raises(FileExistsError, match="m.keras is there already.*--overwrite"):
        check_outputs([tmp_path / "m.keras"], overwrite=False)
    check_outputs([tmp_path / "n.keras"], overwrite=False)


def test_a_folder_is_of_one_use_at_a_time_until_the_process_ends(tmp_path):
    with sole_use(tmp_path / "run"):
        with pytest.raises(FolderInUseError, match="run. Wait for its end"):
            with sole_use(tmp_path / "run"):
                pass
    script = (
        "import os, sys\nfrom mbu_tf.system.files import sole_use\n"
        "with sole_use(sys.argv[1]):\n    os._exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path / "run"]).returncode == 7
    with sole_use(tmp_path / "run"):
        pass


@pytest.mark.parametrize("name", [73 * "中" + ".png", 251 * "a" + ".png", 62 * "😀" + ".keras"])
def test_the_longest_names_are_written(tmp_path, name):
    with replacing(tmp_path / name) as beside:
        beside.touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_folders_a_thousand_deep_are_made(tmp_path):
    folder = tmp_path.joinpath(*1200 * "d")
    assert make_folder(folder).is_dir()
    make_folder(folder)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="a file stands where a folder is needed"):
        make_folder(tmp_path / "file" / "x")
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # `shutil` goes not that deep.
