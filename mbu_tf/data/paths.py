"""Paths of very many files in little memory."""

import array
import collections.abc
import os


class PathList(collections.abc.Sequence):
    """Paths of files below one folder, as a sequence of strings.

    All names lie in one piece of memory, each with eight bytes beside it that
    say where it ends: a tenth of what a list of `pathlib.Path` takes.

    Args:
        folder: what the names are relative to.
        names: iterable of file names, relative or absolute; read once.
    """

    def __init__(self, folder, names):
        self._folder = os.fspath(folder)
        names_bytes, self._ends = bytearray(), array.array("Q", [0])
        for name in names:
            names_bytes += os.fsencode(name)
            self._ends.append(len(names_bytes))
        self._names = bytes(names_bytes)

    def __len__(self):
        return len(self._ends) - 1

    def __getitem__(self, index):
        index = range(len(self))[index]
        name = self._names[self._ends[index] : self._ends[index + 1]]
        return os.path.join(self._folder, os.fsdecode(name))
