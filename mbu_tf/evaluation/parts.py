"""What an evaluation has computed, kept so that a second run computes only what is missing."""

import contextlib
import hashlib
import json
import urllib.parse

from mbu_tf.system.files import make_folder, replacing, write_json
from mbu_tf.system.reading import DamagedFileError, open_file, read_json

NOTE = {"type": "object", "required": ["key", "sha256"]}


class Parts:
    """A folder of results, each beside a note of what it depends on.

    Args:
        folder: where they are kept, made if missing.

    Raises:
        OSError: if the folder cannot be written to.
    """

    def __init__(self, folder):
        self._folder = make_folder(folder)

    def file(self, name, key, write):
        """The file `name`, made by `write` unless it was made before of the same `key`.

        Args:
            name: its path below the folder.
            key: all that it depends on, a dictionary that JSON can hold.
            write: function of a path that writes the file there.

        Returns:
            `pathlib.Path` of the file.
        """
        path = self._folder / name
        note = path.with_name(path.name + ".key")
        if not self.has(name, key):
            make_folder(path.parent)
            # A new file never stands beside the note of an old one.
            note.unlink(missing_ok=True)
            with replacing(path) as beside:
                write(beside)
            write_json(note, {"key": key, "sha256": file_digest(path)})
        return path

    def json(self, name, key, compute):
        """What `compute` gives, a value that JSON can hold; see `file`."""
        path = self.file(f"{name}.json", key, lambda beside: write_json(beside, compute()))
        return json.loads(path.read_text(encoding="utf-8"))

    def has(self, name, key):
        """Whether the file `name` was made of `key`, and is what was made."""
        path = self._folder / name
        with contextlib.suppress(OSError, DamagedFileError):
            note = read_json(path.with_name(path.name + ".key"), NOTE, "note", "Delete it.")
            made = note["key"] == json.loads(json.dumps(key))
            return made and note["sha256"] == file_digest(path)
        return False


def folder_name(name):
    """Any name as that of one folder; two names never give the same."""
    quoted = urllib.parse.quote(name, safe=" ,=+").replace(".", "%2E")
    # A folder's name has 255 letters at most.
    return (
        quoted
        if len(quoted) <= 200
        else f"{quoted[:100]}%{hashlib.sha256(name.encode()).hexdigest()}"
    )


def file_digest(path):
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def array_digest(*arrays):
    """SHA-256 of the bytes and shapes of NumPy arrays, hexadecimal; `None` counts as empty."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"none" if array is None else f"{array.dtype}{array.shape}".encode())
        digest.update(b"" if array is None else array.tobytes())
    return digest.hexdigest()
