"""The folder layout of TensorFlow Serving: `NAME/<integer version>/`."""

import contextlib
import errno
import pathlib
import shutil
import uuid

from mbu_tf.system.files import explaining, make_folder


@contextlib.contextmanager
def next_version(path):
    """A folder beside the versions in `path` to write to; becomes the next one if all goes well.

    A server that watches `path` sees the version whole or not at all, and no
    version that is there is touched.

    Args:
        path: the model's folder; created if missing.

    Yields:
        `Version` whose `beside` is an empty folder; its `path` is known once
        the block has ended.

    Raises:
        OSError: if `path` cannot be written to; the message names it and the mend.
    """
    path = make_folder(path)
    version = Version(path.resolve().name, path / f".export-{uuid.uuid4().hex}")
    try:
        with explaining(path):
            version.beside.mkdir()
            yield version
            version.path = _renamed(version.beside, path)
    finally:
        shutil.rmtree(version.beside, ignore_errors=True)


class Version:
    """A version being written of `model`: its folder `beside` the others, then its `path`."""

    def __init__(self, model, beside):
        self.model = model
        self.beside = beside
        self.path = None


def versions(path):
    """The integer versions in the folder `path`, smallest first."""
    return sorted(int(entry.name) for entry in pathlib.Path(path).iterdir() if _is_version(entry))


def _is_version(entry):
    return entry.name.isascii() and entry.name.isdecimal()


def _renamed(beside, path):
    number = max(versions(path), default=0)
    while True:
        number += 1
        try:
            return beside.rename(path / str(number))
        except OSError as error:  # Another export was quicker.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
