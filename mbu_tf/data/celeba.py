"""CelebA from a local folder or from TFDS, split into two domains by its attributes."""

import dataclasses
import os
import pathlib
import warnings

import numpy as np

from mbu_tf.data.celeba_rules import evaluate, parse_task
from mbu_tf.data.folders import open_domains
from mbu_tf.data.images import check_preparation
from mbu_tf.data.paths import PathList
from mbu_tf.faces import CENTRE, Framing

SPLITS = {"train": 0, "validation": 1, "test": 2}
# Where the official alignment has the eyes in its 178 x 218 pixels.
EYES = ((69.5, 111.5), (107.5, 111.5))


def load_celeba(
    path,
    task="glasses",
    split="train",
    image_size=128,
    crop=(0, 20, 178, 198),
    limit=None,
    cache="auto",
    data_dir=None,
):
    """Domains A and B of CelebA, in its official split.

    Args:
        path: folder that holds `img_align_celeba/`, `list_attr_celeba.txt` and
            `list_eval_partition.txt`; or "tfds" for `celeb_a` of
            tensorflow-datasets.
        task: see `parse_task`.
        split: "train", "validation" or "test".
        image_size: height and width that pictures are resized to.
        crop: see `load_folders`. The default is the centred 178 x 178 of DIDD; None
            squeezes the whole 178 x 218 into the square, as the published code of
            mask based content transfer does.
        limit: at most so many images of each domain, the first ones.
        cache: see `open_domains`. With "tfds" compressed images are held in memory,
            whatever it is.
        data_dir: folder where tensorflow-datasets keeps its data.

    Raises:
        FileNotFoundError: a file is missing.
        ImportError: tensorflow-datasets is asked for and missing.
        ValueError: an argument is out of range, a file is malformed, or a domain
            has no (readable) image.
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {tuple(SPLITS)}. Received: {split!r}")
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be a positive integer or None. Received: {limit!r}")
    check_preparation(image_size, crop)
    if path == "tfds":
        chosen, open_sources = _select_tfds(data_dir, task, split, limit)
    else:
        chosen, open_sources = _select_files(path, task, split)
    a, b = (np.flatnonzero(x)[:limit] for x in chosen)
    if not len(a) or not len(b):
        raise ValueError(
            f"The task needs images of both domains in the split {split!r}. "
            f"Received: {task!r}, with {len(a)} of A, {len(b)} of B"
        )
    shared = np.intersect1d(a, b).size
    if shared:
        warnings.warn(f"{shared} images satisfy both rules of the task {task!r}.", stacklevel=2)
    domains = open_domains(open_sources(a), open_sources(b), image_size, crop, cache)
    return dataclasses.replace(domains, framing=aligned_framing(crop))


def aligned_framing(crop):
    """The `Framing` of CelebA's aligned photos in a crop, see `load_celeba`.

    A crop that is no square squeezes faces, as no framing of other photos does: it
    counts as the centre square.
    """
    if crop == "center":
        crop = (0, 20, 178, 198)
    if crop is None or crop[2] - crop[0] != crop[3] - crop[1]:
        return CENTRE
    left, upper, side = crop[0], crop[1], crop[2] - crop[0]
    return Framing(*(((x - left) / side, (y - upper) / side) for x, y in EYES))


def _select_files(path, task, split):
    """Which images are of A and of B, and a function that opens those at some positions."""
    root = pathlib.Path(path).expanduser()
    attributes, partition, images = (
        _find(root, *names)
        for names in (
            ("Anno", "list_attr_celeba.txt"),
            ("Eval", "list_eval_partition.txt"),
            ("Img", "img_align_celeba"),
        )
    )
    names, table = read_attributes(attributes)
    rules = parse_task(task, table)
    numbers = _read_partition(partition)
    in_split = np.array([numbers.get(name) == SPLITS[split] for name in names])
    chosen = [in_split & evaluate(rule, table) for rule in rules]
    unlisted = sum(name not in numbers for name in names)
    if unlisted:
        warnings.warn(f"{unlisted} images are left out: {partition} lacks them.", stacklevel=3)
    present = {entry.name for entry in os.scandir(images)}
    there = np.array([name in present for name in names])
    missing = sum(int((domain & ~there).sum()) for domain in chosen)
    if missing:
        warnings.warn(
            f"{missing} images of the task {task!r}, split {split!r}, are left out: {images} "
            "lacks them.",
            stacklevel=3,
        )
    return [domain & there for domain in chosen], lambda x: PathList(images, names[x])


def _find(root, folder, name):
    """`name` in the data folder itself, or in the subfolder of the official download."""
    for place in (root / name, root / folder / name):
        if place.exists():
            return place
    raise FileNotFoundError(
        f"CelebA's {name} is missing. Its folder must hold img_align_celeba/ with the aligned "
        "photos, list_attr_celeba.txt and list_eval_partition.txt, all three unpacked as "
        f"published. Received: {root}"
    )


def read_attributes(path):
    """CelebA's attribute file.

    Args:
        path: file whose first line counts the images, the second names the
            attributes, and every other one gives an image's file name and, for
            each attribute, 1 or -1.

    Returns:
        `(names, table)`: array of file names, and a dictionary from attribute names
        to boolean arrays, both `(images,)`.

    Raises:
        ValueError: the file is not of this form.
    """
    text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    lines = text.rstrip().split("\n")
    attributes, rows = "".join(lines[1:2]).split(), lines[2:]
    parts = [row.strip().partition(" ") for row in rows]
    # One character per value and one per line end: numpy takes all lines at once,
    # which is several times faster than word by word.
    digits = "".join(values + "\n" for _, _, values in parts).replace("-1", "0").replace(" ", "")
    cells = np.frombuffer(digits.encode("ascii", "replace"), np.uint8)
    if cells.size == len(rows) * (len(attributes) + 1) > 0:
        values, ends = np.split(cells.reshape(len(rows), -1), [-1], axis=1)
        if np.isin(values, (ord("0"), ord("1"))).all() and (ends == ord("\n")).all():
            names = np.array([name for name, _, _ in parts], dtype=object)
            return names, dict(zip(attributes, values.T == ord("1"), strict=True))
    raise ValueError(_malformed(path, rows, len(attributes)))


def _malformed(path, rows, count):
    wrong = (
        f"line {number}: {row[:60]!r}"
        for number, row in enumerate(rows, start=3)
        if len(row.split()) != count + 1 or {*row.split()[1:]} - {"1", "-1"}
    )
    return (
        f"{path} is no CelebA attribute file: after a count and the attributes' names, each line "
        "must give a file name and 1 or -1 for each attribute. Download it again. "
        f"Received {next(wrong, 'no attributes, or no images')}"
    )


def _read_partition(path):
    words = pathlib.Path(path).read_text(encoding="utf-8-sig").split()
    try:
        return dict(zip(words[::2], map(int, words[1::2]), strict=True))
    except ValueError:
        raise ValueError(
            f"{path} must give a file name and 0, 1 or 2 in each line. Download it again. "
            f"Received: {' '.join(words[:4])!r} and so on, {len(words)} words"
        ) from None


def _select_tfds(data_dir, task, split, limit):
    """The same as `_select_files` of the images that TFDS gives and a rule chooses."""
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            "CelebA from 'tfds' needs tensorflow-datasets: pip install tensorflow-datasets"
        ) from error
    rules = parse_task(task)
    try:
        # Undecoded: only chosen images are decoded, and they are kept compressed.
        data = tfds.load(
            "celeb_a",
            split=split,
            data_dir=data_dir,
            shuffle_files=False,
            decoders={"image": tfds.decode.SkipDecoding()},
        )
    except Exception as error:
        raise ValueError(
            f"tensorflow-datasets cannot give celeb_a ({error}). Its downloads fail often: "
            "download CelebA yourself and give its folder. Received: path='tfds', "
            f"data_dir={data_dir!r}"
        ) from error
    chosen, images, counts = [], [], [0, 0]
    for example in tfds.as_numpy(data):
        choice = [
            count != limit and bool(evaluate(rule, example["attributes"]))
            for count, rule in zip(counts, rules, strict=True)
        ]
        if any(choice):
            chosen.append(choice)
            images.append(example["image"])
            counts = [count + x for count, x in zip(counts, choice, strict=True)]
        if counts == [limit, limit]:
            break
    return np.reshape(chosen, (-1, 2)).T, lambda x: [images[i] for i in x]
