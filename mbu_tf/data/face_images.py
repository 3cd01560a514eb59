"""Photos of people as sources of images: the one face of each, framed alike."""

import collections.abc
import concurrent.futures
import logging
import os
import pathlib
import warnings

import numpy as np

from mbu_tf.data.image_files import NAMES_SHOWN, sources_stamp
from mbu_tf.data.images import FaceImage, ImageReadError, read_image, source_name
from mbu_tf.faces import Placement, find_faces
from mbu_tf.system.files import make_folder, replacing
from mbu_tf.system.reading import DamagedFileError, read_arrays

# Of two faces in a photo the label may mean either, unless one is so much smaller.
SMALLER = 0.5
ONE_FACE, NO_FACE, SEVERAL, UNREADABLE = range(4)
PROBLEMS = {NO_FACE: "show no face", SEVERAL: "show several faces", UNREADABLE: "cannot be read"}

logger = logging.getLogger(__name__)


class FaceImages(collections.abc.Sequence):
    """A `FaceImage` of each of many photos.

    Args:
        sources: sequence of what `read_image` takes.
        positions: which of them, integers `(count,)`.
        placements: the numbers of each one's `Placement`, `(count, 4)`.
        photos: what `sources_stamp` gave when the faces were found.
    """

    def __init__(self, sources, positions, placements, photos):
        self._sources, self._positions, self._placements = sources, positions, placements
        self._photos = photos

    def __len__(self):
        return len(self._positions)

    def __getitem__(self, index):
        placement = Placement(*self._placements[index].tolist())
        return FaceImage(self._sources[int(self._positions[index])], placement)

    def stamp(self):
        """Bytes that tell these images from others, see `cache_images`."""
        return self._photos.encode() + self._positions.tobytes() + self._placements.tobytes()


def find_face_images(sources, framing, folder=None, report=warnings.warn):
    """The face in each of many photos, framed alike.

    A photo without a face is left out, and one with several unless all but the
    largest are less than half as large: nothing says which of them its label means.
    Where the eyes are is kept in a file, which later calls find again as long as no
    photo has changed.

    Args:
        sources: sequence of what `read_image` takes.
        framing: `Framing` of kind `"face"`.
        folder: where that file lies; `None` is the user's own cache
            (`$XDG_CACHE_HOME/mbu_tf`, `~/.cache/mbu_tf`).
        report: function called once for each reason to leave photos out: how many, and
            the first 5 by name. The others are logged by name.

    Returns:
        `FaceImages` of the photos that are left.

    Raises:
        ValueError: if none is left.
    """
    photos = sources_stamp(sources)
    file = _cache(folder) / f"{len(sources)}-faces-{photos}.npz"
    found = _read(file)
    if found is None:
        found = _find(sources)
        _keep(file, found)
    sizes, eyes, kinds = found
    for kind, problem in PROBLEMS.items():
        names = [source_name(sources[int(i)]) for i in np.flatnonzero(kinds == kind)]
        if names:
            shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
            report(f"{len(names)} of {len(sources)} photos are left out, they {problem}: {shown}")
            for name in names[NAMES_SHOWN:]:
                logger.warning("%s is left out: photos that %s are.", name, problem)
    positions = np.flatnonzero(kinds == ONE_FACE)
    if not len(positions):
        raise ValueError(
            f"None of {len(sources)} photos shows one face. Choose others, or frame the centre "
            f"square (`framing='centre'`). Received: {source_name(sources[0])} and so on"
        )
    placements = [
        framing.placement(*sizes[i].tolist(), [tuple(eye) for eye in eyes[i].tolist()])
        for i in positions
    ]
    return FaceImages(sources, positions, np.array(placements), photos)


def _find(sources):
    """Of each photo its height and width, its face's two eyes, and which of `range(4)` it is."""

    def look(index):
        nowhere = np.zeros((2, 2))
        try:
            photo = read_image(sources[index])
        except ImageReadError:
            return (1, 1), nowhere, UNREADABLE
        faces = find_faces(photo)
        if not faces:
            return photo.shape[:2], nowhere, NO_FACE
        alone = len(faces) == 1 or _height(faces[1]) < SMALLER * _height(faces[0])
        return photo.shape[:2], faces[0].eyes, ONE_FACE if alone else SEVERAL

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        sizes, eyes, kinds = zip(*pool.map(look, range(len(sources))), strict=True)
    return np.array(sizes), np.array(eyes, np.float64), np.array(kinds)


def _height(face):
    return face.box[3] - face.box[1]


def _cache(folder):
    if folder is not None:
        return pathlib.Path(folder).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(caches) / "mbu_tf"


def _read(file):
    """What `_keep` has written, or `None`."""
    try:
        kept = read_arrays(file, "places of faces", "Delete it.")
        return kept["sizes"], kept["eyes"], kept["kinds"]
    except (OSError, KeyError, DamagedFileError):
        return None


def _keep(file, found):
    try:
        make_folder(file.parent)
        with replacing(file) as beside, open(beside, "wb") as opened:
            np.savez(opened, **dict(zip(("sizes", "eyes", "kinds"), found, strict=True)))
    except OSError as error:  # Found anew the next time.
        logger.warning("Where the faces are is not kept: %s", error)
