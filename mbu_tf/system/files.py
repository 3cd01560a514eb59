"""Writing files so that none is ever lost or half-written."""

import contextlib
import errno
import itertools
import json
import math
import os
import pathlib
import re
import shutil
import uuid

import filelock

LOCK = ".lock"


@contextlib.contextmanager
def replacing(path):
    """A path beside `path` to write to; renamed to `path` once the block ends well.

    An interrupted or failed block leaves what was at `path` as it was and
    nothing beside it; a killed process may leave what `remove_leftovers` removes.

    Args:
        path: the file to be written.

    Yields:
        `pathlib.Path` in the same folder, with the same suffix.

    Raises:
        OSError: if the folder is missing or may not be written to, or the disk
            is full; the message names the path and the mend.
    """
    path = pathlib.Path(path)
    beside = passing_name(path)
    try:
        with explaining(path):
            yield beside
            _flush(beside)
            os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def passing_name(path):
    """A path beside `path` that nothing has, hidden and with the same suffix.

    It takes a part of the name alone, which may be as long as names may be.
    """
    suffix = path.suffix or (path.name if path.name.startswith(".") else "")
    return path.with_name(f".{path.stem[:40]}-{uuid.uuid4().hex}{suffix}")


def check_outputs(outputs, inputs=(), overwrite=True):
    """Raise unless `outputs` can be written without losing something.

    Args:
        outputs: paths of the files to be written; `None` stands for none.
        inputs: paths of what they are made of, links among them; `None` stands for none.
        overwrite: whether other files may be replaced.

    Raises:
        ValueError: if an output is an input, or two are one file.
        FileExistsError: if one is there and may not be replaced.
    """
    outputs = [pathlib.Path(path) for path in outputs if path is not None]
    for i, output in enumerate(outputs):
        for given in inputs:
            if given is not None and is_same_file(output, given):
                raise ValueError(
                    f"{given} would be overwritten by its own result. Choose another output. "
                    f"Received: {output}"
                )
        if any(is_same_file(output, other) for other in outputs[:i]):
            raise ValueError(
                f"Two results would be written to one file. Choose another output. "
                f"Received: {output}"
            )
        if not overwrite and os.path.lexists(output):
            raise FileExistsError(
                f"{output} is there already, and is not replaced unless told to (--overwrite). "
                "Choose another output, or say so."
            )


def is_same_file(path, other):
    """Whether two paths lead to one file, by links too."""
    path, other = pathlib.Path(path), pathlib.Path(other)
    with contextlib.suppress(OSError):
        if path.samefile(other):
            return True
    return path.resolve() == other.resolve()


class FolderInUseError(OSError):
    """Another run writes to a folder."""


@contextlib.contextmanager
def sole_use(folder, wait=False):
    """Within the block, nobody else who asks for it has the use of `folder`.

    The folder is made if missing. The system lets go of it when a process ends, however.

    Args:
        folder: path.
        wait: whether to wait until nobody has it.

    Raises:
        FolderInUseError: if somebody has it.
        OSError: if it cannot be written to.
    """
    lock = filelock.FileLock(make_folder(folder) / LOCK, timeout=-1 if wait else 0)
    with explaining(folder):
        taken = _acquired(lock)
    if not taken:
        raise FolderInUseError(
            f"Another run is writing to {folder}. Wait for its end, or choose another folder."
        )
    try:
        yield
    finally:
        lock.release()


def _acquired(lock):
    """Whether a lock could be had; of a file system without locks there are none to wait for."""
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    except NotImplementedError:
        pass
    return True


def remove(path):
    """Delete the file or the folder `path`."""
    path = pathlib.Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def remove_leftovers(folder):
    """Delete what killed processes were writing with `replacing` to files in `folder`.

    No other process may be writing there.
    """
    for path in pathlib.Path(folder).glob(".*"):
        if re.fullmatch(r"\..+-[0-9a-f]{32}(\.\w+)?", path.name):
            path.unlink()


def _flush(path):
    """Bring the file to the disk, lest a power failure leave its new name without its bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def explaining(path):
    """Let the block's `OSError`s say that `path` cannot be written to, why, and the mend."""
    try:
        yield
    except OSError as error:
        raise _explained(error, path) from error


def make_folder(path):
    """Create the folder `path` and those above it.

    Raises:
        OSError: naming the path and the mend.
    """
    path = pathlib.Path(path)
    with explaining(path):
        # One after another: `parents=True` goes no deeper than Python's calls do.
        missing = itertools.takewhile(lambda x: not x.exists(), path.parents)
        for folder in [*reversed(list(missing)), path]:
            folder.mkdir(exist_ok=True)
    return path


def write_json(path, value):
    """Write `value` as JSON to `path`, whole or not at all.

    Numbers that are not finite become `null`, since JSON has none.
    """
    with replacing(path) as beside:
        beside.write_text(json.dumps(_finite(value), indent=2) + "\n", encoding="utf-8")


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _explained(error, path):
    mends = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "the disk quota is used up; free some space",
        errno.EROFS: "the file system is read-only; choose another folder",
        errno.EACCES: "permission denied; choose a folder that you may write to",
        errno.EPERM: "permission denied; choose a folder that you may write to",
        errno.ENOENT: "its folder does not exist; create it first",
        errno.ENOTDIR: "a file stands where a folder is needed; choose another path",
        errno.EEXIST: "a file stands where a folder is needed; choose another path",
        errno.EISDIR: "a folder stands there; choose another path",
    }
    reason = mends.get(error.errno, error.strerror or str(error))
    # Of the subclass that the number stands for.
    return OSError(error.errno or errno.EIO, f"Cannot write: {reason}", str(path))
