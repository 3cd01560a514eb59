"""Files from disk are read in full, or refused in one sentence that names them."""

import json
import os
import re
import zipfile

import numpy as np
import pytest

from mbu_tf.system.reading import (
    DamagedFileError,
    NoFileError,
    check_archive,
    number,
    open_file,
    read_arrays,
    read_json,
    read_rows,
    read_table,
)

TOLD = ("list of things", "Write it again.")
SCHEMA = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
REFUSED = r"file.* holds no list of things. Write it again. Received: .+"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_json_that_is_as_the_schema_says(file):
    assert read_json(file('{"x": 3, "y": [1.5]}'), SCHEMA, *TOLD) == {"x": 3, "y": [1.5]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("{", "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        ("null", "None is not of type 'object'"),
        ("{}", "'x' is a required property"),
        ('{"x": "3"}', r"\['x'\]: '3' is not of type 'integer'"),
        ('{"x": NaN}', "NaN is no number"),
        ("[" * 100_000, "nested too deep"),
        ('{"x": 1' + "0" * 5000 + "}", "it is no JSON"),
        ('{"x": "' + "long" * 1000 + '"}', " … "),
    ],
)
def test_json_that_is_not(file, content, problem):
    with pytest.raises(DamagedFileError, match=REFUSED) as error:
        read_json(file(content), SCHEMA, *TOLD)
    assert re.search(problem, str(error.value))
    assert len(str(error.value)) < 500


def test_a_file_that_is_too_large_is_not_read(file, monkeypatch):
    monkeypatch.setattr("mbu_tf.system.reading.MAX_JSON_BYTES", 2**20)
    with pytest.raises(DamagedFileError, match="larger than 1 MB"):
        read_json(file('{"x": 3}' + " " * 2**20), SCHEMA, *TOLD)


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(NoFileError, match="is a pipe or device. Name a file"):
            open_file(path)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "missing", SCHEMA, *TOLD)


def test_tables(file):
    columns = {"name": None, "size": number}
    table = file('\ufeffname,other,size\r\n"a, b",x,3\r\nc,,1e2\r\n\r\n')
    assert read_table(table, columns, *TOLD) == [
        {"name": "a, b", "other": "x", "size": "3"},
        {"name": "c", "other": "", "size": "1e2"},
    ]
    assert read_rows(file("a,b\n\nc\n"), *TOLD) == [(1, ["a", "b"]), (2, []), (3, ["c"])]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "the columns name, size are missing"),
        ("name\na\n", "the columns size are missing"),
        ("name,size\na,b\n", "line 2: size is 'b'"),
        ("name,size\na,nan\n", "line 2: size is 'nan'"),
        ("name,size\na,1\nb\n", "line 3 has 1 cells, the header 2"),
        (f"name,size\n{'x' * 200_000},1\n", "field larger than field limit"),
        (b"name,size\n\xff,1\n", "can't decode"),
        (b"name,size\n\x00,1\n", "it is binary"),
        ('name,size\n"a,1\n', "unexpected end"),
    ],
)
def test_tables_that_are_none(file, content, problem):
    with pytest.raises(DamagedFileError, match=REFUSED.replace(".+", f".*{problem}")):
        read_table(file(content), {"name": None, "size": number}, *TOLD)


def test_arrays(tmp_path):
    given = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x"])}
    np.savez(tmp_path / "file.npz", **given)
    found = read_arrays(tmp_path / "file.npz", *TOLD)
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)


def packed(path, **sizes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size in sizes.items():
            archive.writestr(name, bytes(size))
    return path


def test_archives_that_are_none(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(DamagedFileError, match="allow_pickle"):
        read_arrays(tmp_path / "objects.npz", *TOLD)
    bomb = packed(tmp_path / "bomb.npz", a=50_000_000)
    assert bomb.stat().st_size < 100_000
    for check in (read_arrays, check_archive):
        with pytest.raises(DamagedFileError, match="unpacked it would be 50000000 bytes"):
            check(bomb, *TOLD)
    (tmp_path / "text.npz").write_text(json.dumps({}))
    with pytest.raises(DamagedFileError, match="not a zip file"):
        read_arrays(tmp_path / "text.npz", *TOLD)


def test_a_flipped_bit_is_told_of_by_its_part(tmp_path):
    path = tmp_path / "file.npz"
    np.savez(path, a=np.arange(1000))
    check_archive(path, *TOLD)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match="its part a.npy is not what was written"):
        check_archive(path, *TOLD)
    with pytest.raises(DamagedFileError, match="Bad CRC-32"):
        read_arrays(path, *TOLD)


def test_a_number_with_a_point_is_no_integer(file):
    for content in ('{"x": 1.0}', '{"x": true}'):
        with pytest.raises(DamagedFileError, match=r"\['x'\]: .* is not of type 'integer'"):
            read_json(file(content), SCHEMA, *TOLD)


def test_an_archive_without_its_beginning_is_refused(file):
    path = file(b"")
    np.savez(path.with_suffix(".npz"), a=np.arange(9.0))
    path.write_bytes(path.with_suffix(".npz").read_bytes()[1:])
    for read in (read_arrays, check_archive):
        with pytest.raises(DamagedFileError, match=REFUSED):
            read(path, *TOLD)
