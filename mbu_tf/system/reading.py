"""Files from disk, which anybody may have written: read in full or refused in one sentence.

JSON is held against a schema (https://json-schema.org), tables against their columns,
archives against their checksums, before anything of them is used. Nothing that is no
file (a pipe, a device, a folder) is opened, since reading it may never end, and nothing
is unpacked that is larger than its file.
"""

import contextlib
import csv
import errno
import functools
import io
import json
import math
import os
import pathlib
import stat
import zipfile

import numpy as np

# Beyond what any of our files has; JSON takes some twenty times its size in memory.
MAX_JSON_BYTES = 64 * 2**20
SHOWN = 120
# What errno.ENAMETOOLONG means, and the mend.
PATH_TOO_LONG = "its path is longer than the system takes; move it up, or shorten names"


class DamagedFileError(ValueError):
    """A file does not hold what it should. The message names it, the reason and the mend."""


class NoFileError(OSError):
    """A path leads to a pipe or a device."""


def open_file(path):
    """`path` opened to read bytes, if it is a file.

    Raises:
        NoFileError: of a pipe or a device, at once.
        OSError: if it cannot be opened.
    """
    path = pathlib.Path(os.fsdecode(path))
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NoFileError(f"{path} is a pipe or device. Name a file.")
    return path.open("rb")


@contextlib.contextmanager
def refusing(path, what, mend):
    """Let all that the block raises of `path`'s content be a `DamagedFileError`.

    Args:
        path: of the file.
        what: what it should be, such as "state of a run".
        mend: a sentence, what a user may do.
    """
    try:
        yield
    except DamagedFileError:
        raise
    except OSError as error:
        if not is_of_content(error):
            raise
        raise DamagedFileError(_message(path, what, "it is cut off", mend)) from error
    except RecursionError as error:
        raise DamagedFileError(_message(path, what, "it is nested too deep", mend)) from error
    except Exception as error:  # Parsers raise many kinds.
        problem = " ".join(str(error).split())[:SHOWN] or type(error).__name__
        raise DamagedFileError(_message(path, what, problem, mend)) from error


def is_of_content(error):
    """Whether an `OSError` is of what a file says of itself, such as a place before its beginning.

    The others are of the disk, or of who may read it.
    """
    return error.errno == errno.EINVAL


def _message(path, what, problem, mend):
    return f"{path} holds no {what}. {mend} Received: {problem}"


def read_json(path, schema, what, mend):
    """The content of a JSON file that is as `schema` says.

    Args:
        path: of the file.
        schema: JSON Schema, a dictionary.
        what, mend: see `refusing`.

    Raises:
        DamagedFileError: if it is no such file.
        OSError: if it cannot be read.
    """
    with refusing(path, what, mend), open_file(path) as file:
        content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            raise ValueError(f"it is larger than {MAX_JSON_BYTES // 2**20} MB")
        return checked(parse_json(content), schema)


def parse_json(content, finite=True):
    """The value of JSON in UTF-8; `finite` refuses NaN and Infinity, which Python writes.

    Raises:
        ValueError: if it is none.
    """
    if not content.strip():
        raise ValueError("it is empty")
    try:
        return json.loads(content, **({"parse_constant": _no_number} if finite else {}))
    except ValueError as error:  # Undecodable bytes among them.
        raise ValueError(f"it is no JSON ({error})") from error


def _no_number(name):
    raise ValueError(f"{name} is no number of JSON")


def checked(value, schema):
    """`value`, which is as a JSON Schema says; 1.0, unlike there, is no integer.

    Raises:
        ValueError: naming the part that is not, and what it holds.
    """
    import jsonschema

    error = jsonschema.exceptions.best_match(_validator()(schema).iter_errors(value))
    if error is None:
        return value
    place = "".join(f"[{x!r}]" for x in error.absolute_path) or "the whole"
    raise ValueError(f"{place}: {_shortened(error.message)}")


@functools.cache
def _validator():
    import jsonschema

    draft = jsonschema.Draft202012Validator
    kinds = draft.TYPE_CHECKER.redefine("integer", lambda checker, value: type(value) is int)
    return jsonschema.validators.extend(draft, type_checker=kinds)


def _shortened(text):
    """What a message begins and ends with: between may stand a whole file."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}"


def read_text(path, what, mend):
    """The text of a file in UTF-8, with or without a mark of its byte order.

    Raises:
        DamagedFileError: if it is none.
        OSError: if it cannot be read.
    """
    with refusing(path, what, mend), open_file(path) as file:
        text = file.read().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it is binary")
        return "\n".join(text.splitlines())


def read_rows(path, what, mend):
    """The rows of a CSV file in UTF-8: pairs of a line's number, from 1, and its cells.

    Raises:
        DamagedFileError: if it is no such file.
        OSError: if it cannot be read.
    """
    text = read_text(path, what, mend)
    with refusing(path, what, mend):
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [(reader.line_num, row) for row in reader]


def read_table(path, columns, what, mend):
    """The lines of a CSV file below its header, as dictionaries of text.

    Args:
        path: of the file.
        columns: dictionary from the names of the columns that it must have to functions that
            raise `ValueError` of a cell that is wrong, such as `float`, or `None`.
        what, mend: see `refusing`.

    Raises:
        DamagedFileError: if it is no such file.
        OSError: if it cannot be read.
    """
    rows = read_rows(path, what, mend)
    with refusing(path, what, mend):
        header = rows[0][1] if rows else []
        missing = [name for name in columns if name not in header]
        if missing:
            raise ValueError(f"the columns {', '.join(missing)} are missing")
        table = []
        for number, cells in rows[1:]:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ValueError(f"line {number} has {len(cells)} cells, the header {len(header)}")
            row = dict(zip(header, cells, strict=True))
            for name, check in columns.items():
                try:
                    check and check(row[name])
                except ValueError as error:
                    raise ValueError(f"line {number}: {name} is {row[name][:60]!r}") from error
            table.append(row)
        return table


def number(cell):
    """A finite number from a cell's text; `ValueError` if it is none."""
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(cell)
    return value


def positive_int(cell):
    """An integer of at least 1 from a cell's text; `ValueError` if it is none."""
    value = int(cell)
    if value < 1:
        raise ValueError(cell)
    return value


def read_arrays(path, what, mend):
    """All arrays of a NumPy archive as `np.savez` writes it, by their names.

    Raises:
        DamagedFileError: if it is none: cut off, altered, or packed.
        OSError: if it cannot be read.
    """
    with refusing(path, what, mend), open_file(path) as file:
        check_unpacked(file)
        with np.load(file, allow_pickle=False) as archive:
            # Read to its end, each array's checksum is compared.
            return {name: archive[name] for name in archive.files}


def check_archive(path, what, mend):
    """Raise `DamagedFileError` unless a ZIP archive is whole and stores its parts as they are."""
    with refusing(path, what, mend), open_file(path) as file:
        check_unpacked(file)
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"its part {damaged} is not what was written")


def check_unpacked(file):
    """Raise `ValueError` unless a ZIP archive's parts are no larger than the file itself.

    What is packed could be a thousand times larger, and is no archive of ours.
    """
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        needed = sum(part.file_size for part in parts)
        if needed > size or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise ValueError(f"unpacked it would be {needed} bytes, the file has {size}")
    file.seek(0)


def is_archive(path):
    """Whether a file is a ZIP archive."""
    with open_file(path) as file:
        return zipfile.is_zipfile(file)
