"""Two domains from folders or lists of image files."""

import functools
import pathlib

from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.data.face_images import find_face_images
from mbu_tf.data.image_files import ImageFiles, cache_images, load_images
from mbu_tf.data.images import check_preparation, prepare_image
from mbu_tf.data.search import contents, image_paths
from mbu_tf.faces import Framing

# What a split's folders may be called, the first that is there is taken. Sets
# without a validation split of their own validate on their test split.
SPLITS = {
    "train": ("train",),
    "validation": ("val", "validation", "test"),
    "test": ("test",),
}
CACHES = ("auto", "memory", "none", "disk:FOLDER")
MEMORY_LIMIT = 2 * 1024**3


def load_folders(
    path,
    split="train",
    image_size=128,
    a=None,
    b=None,
    crop="center",
    cache="auto",
    framing="centre",
):
    """Domains A (without the content) and B (with it) from image files.

    `path` holds, for the split "train", the folders `trainA` and `trainB`, or
    the lists `trainA.txt` and `trainB.txt`; likewise `testA`, `testB` and
    `valA`, `valB`. "validation" takes the test split where no other is there.
    Folders are searched with all that is below them, see `image_paths`; lists hold
    one path per line, absolute or relative to the list's folder.

    The published code calls the domain with the content A in the lists that it
    writes. Read those as `load_folders(path, a="trainB.txt", b="trainA.txt")`.

    Args:
        path: the folder; may be None if `a` and `b` are given.
        split: "train", "validation" or "test". Without effect if `a` and `b` are
            given, which name one split.
        image_size: height and width that pictures are resized to.
        a, b: folder or list of each domain, in place of those named after the
            split; relative to `path`.
        crop: `"center"` for the centred square, as everywhere in the library;
            None for whole pictures, whose aspect is not kept, as in the
            published code; or a box (left, upper, right, lower) of pixels.
        cache, framing: see `open_domains`.

    Raises:
        FileNotFoundError: a folder or list is missing.
        ValueError: an argument is out of range, a folder or list names no image,
            or none of its images can be read.
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {tuple(SPLITS)}. Received: {split!r}")
    if (a is None) != (b is None) or (path is None and a is None):
        raise ValueError(
            "Give the folder that holds both domains as `path`, or both `a` and `b`. "
            f"Received: path={path!r}, a={a!r}, b={b!r}"
        )
    check_preparation(image_size, crop)
    root = pathlib.Path("" if path is None else path).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"The data folder must be an existing folder. Received: {path}")
    locations = _find_split(root, split) if a is None else (root / a, root / b)
    return open_domains(*map(image_paths, locations), image_size, crop, cache, framing)


def _find_split(root, split):
    for name in SPLITS[split]:
        for ending in ("", ".txt"):
            a, b = (root / f"{name}{letter}{ending}" for letter in "AB")
            if a.exists() and b.exists():
                return a, b
            if a.exists() or b.exists():
                return _miss_split(root, split)
    return _miss_split(root, split)


def _miss_split(root, split):
    names = [f"{name}A, {name}B" for name in SPLITS[split]]
    raise FileNotFoundError(
        f"The split {split!r} needs two folders, or two lists ending in .txt, called "
        f"{' or '.join(names)}. Rename yours, or name them with `a` and `b`. "
        f"Received: {root} with {contents(root)}"
    )


def open_domains(sources_a, sources_b, image_size, crop="center", cache="auto", framing="centre"):
    """Two lists of images as `TwoDomains`.

    Args:
        sources_a, sources_b: sequences of paths, or of whole files as bytes.
        image_size: height and width of the images.
        crop: see `prepare_image`.
        cache: `"memory"` reads everything now, `"none"` reads each image whenever it
            is taken; `"auto"` chooses memory if both domains together fit into 2 GiB
            as uint8 pixels. `"disk:FOLDER"` decodes everything once, into files in
            FOLDER that later runs find again, see `cache_images`.
        framing: what `Framing.of` takes. `"face"` finds the face in each photo and
            frames it, see `find_face_images`, in place of `crop`.

    Raises:
        OSError: the cache cannot be written.
        ValueError: an argument is out of range, or a domain has no readable image.
    """
    check_preparation(image_size, crop)
    kind, _, folder = cache.partition(":")
    if cache not in CACHES[:-1] and not (kind == "disk" and folder):
        raise ValueError(f"`cache` must be one of {CACHES}. Received: {cache!r}")
    framing, sources = Framing.of(framing), (sources_a, sources_b)
    if framing.kind == "face":
        if crop != "center":
            raise ValueError(
                f"Faces are framed in place of a crop; leave out the crop. Received: crop={crop!r}"
            )
        sources = [find_face_images(each, framing, folder or None) for each in sources]
    size = sum(map(len, sources)) * image_size**2 * 3
    if kind == "disk":
        domains = [cache_images(each, image_size, crop, folder) for each in sources]
    elif cache == "memory" or (cache == "auto" and size <= MEMORY_LIMIT):
        prepare = functools.partial(prepare_image, size=image_size, crop=crop)
        domains = [ImageArray(load_images(each, prepare)) for each in sources]
    else:
        domains = [ImageFiles(each, image_size, crop) for each in sources]
    return TwoDomains(*domains, image_size, framing=framing)
