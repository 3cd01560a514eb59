"""Image files in folders and lists."""

import collections
import errno
import io
import itertools
import os
import pathlib
import warnings

from mbu_tf.data.formats import HEIF_ENDINGS, HEIF_MEND, image_endings
from mbu_tf.data.paths import PathList
from mbu_tf.system.reading import PATH_TOO_LONG, open_file

# What file managers, archives and network disks put beside photos, thumbnails among it.
# Hidden files, whose names begin with a point, are left alone as well.
SYSTEM_NAMES = {
    "@eadir",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "__macosx",
    "desktop.ini",
    "lost+found",
    "system volume information",
    "thumbs.db",
}

# Of folders that cannot be searched, how many are named, and how much of each end of a name.
NAMES_SHOWN = 5
SHOWN = 100


def image_paths(location):
    """Paths of the images in a folder and all folders below, sorted, or in a list file.

    In a folder, images are recognised by how their names end (`image_endings`). Other
    files are warned about, counted by their endings, and so are folders below it that
    cannot be searched; hidden ones and what systems put beside photos (`SYSTEM_NAMES`) are
    passed over.

    Raises:
        FileNotFoundError: there is no such folder or list.
        ValueError: it names no image.
    """
    location = pathlib.Path(location)
    if location.is_dir():
        return _images_in(location)
    if not location.is_file():
        raise FileNotFoundError(
            f"A domain must be an existing folder or list of images. Received: {location}"
        )
    paths = PathList(location.parent, _read_list(location))
    if not paths:
        raise ValueError(f"A list names no image. Write one path per line. Received: {location}")
    return paths


def images_by_stem(location):
    """The images of `image_paths` as `pathlib.Path`s, by their names without endings."""
    paths = map(pathlib.Path, image_paths(location))
    return {path.stem: path for path in paths}


def contents(folder):
    """What a folder holds, to be told to a user: its first names, or that there are none."""
    found = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    return ", ".join(found[:8]) + (", …" if len(found) > 8 else "") or "nothing in it"


class LeftAside:
    """Files that are no images by their names, counted by their endings."""

    def __init__(self):
        self._counts, self._firsts = collections.Counter(), {}

    def add(self, name):
        ending = os.path.splitext(name)[1].lower()
        self._counts[ending] += 1
        self._firsts[ending] = min(name, self._firsts.get(ending, name))

    def __len__(self):
        return self._counts.total()

    def __str__(self):
        counted = ", ".join(
            f"{count} {ending or 'without an ending'} such as {self._firsts[ending]}"
            for ending, count in sorted(self._counts.items(), key=lambda x: (-x[1], x[0]))
        )
        heif = self._counts.keys() & set(HEIF_ENDINGS)
        return f"{counted}. {HEIF_MEND}" if heif else counted


def _images_in(folder):
    aside, closed = LeftAside(), {}
    paths = PathList(folder, _search(folder, aside, closed))
    if closed:
        warnings.warn(
            f"{len(closed)} folders in {folder} cannot be searched, and are left out: "
            f"{_first_named(closed)}",
            stacklevel=3,
        )
    if not paths:
        raise ValueError(
            "A folder holds no image. Put images in it (recognised by their names: "
            f"{', '.join(image_endings())}). Received: {folder} with {aside or 'nothing in it'}"
        )
    if aside:
        warnings.warn(
            f"{len(aside)} files in {folder} are left aside beside {len(paths)} images, none by "
            f"their names: {aside}",
            stacklevel=3,
        )
    return paths


def _first_named(closed):
    """Some of the folders that cannot be searched and why; a long name's beginning and end."""
    told = [
        f"{name if len(name) <= 2 * SHOWN else f'{name[:SHOWN]}…{name[-SHOWN:]}'} ({problem})"
        for name, problem in itertools.islice(closed.items(), NAMES_SHOWN)
    ]
    return ", ".join(told) + (", …" if len(closed) > NAMES_SHOWN else "")


def _search(folder, aside, closed):
    """Names of the images in a folder and below, relative to it, in the order of the whole names.

    One folder's names are in memory at a time, and those of the folders above it.
    Other files are added to `aside`, and folders below it that cannot be searched to `closed`,
    with the reason.
    """
    seen, waiting = set(), [""]  # Folders, ending in a slash, and images; the next one last.
    while waiting:
        name = waiting.pop()
        if name and not name.endswith("/"):
            yield name
            continue
        place = os.path.join(folder, name)
        try:
            found = os.stat(place)
            if (found.st_dev, found.st_ino) in seen:  # Links may lead round in a circle.
                continue
            seen.add((found.st_dev, found.st_ino))
            waiting += sorted(_names_in(place, name, aside), reverse=True)
        except OSError as error:
            if not name:
                raise
            closed[name] = PATH_TOO_LONG if error.errno == errno.ENAMETOOLONG else error.strerror


def _names_in(place, below, aside):
    """The images and folders in one folder, their names after `below`; pipes are no images."""
    endings = image_endings()
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.lower() in SYSTEM_NAMES:
                continue
            if entry.is_dir():
                yield below + name + "/"  # As it goes on in the names of its images.
            elif name.lower().endswith(endings) and (entry.is_file() or entry.is_symlink()):
                yield below + name
            else:
                aside.add(below + name)


def _read_list(file):
    """The paths that a list names, one after another."""
    try:
        with io.TextIOWrapper(open_file(file), encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    yield line.strip()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"A list of images must be a text file in UTF-8 ({error}). Received: {file}"
        ) from None
