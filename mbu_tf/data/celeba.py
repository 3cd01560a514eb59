"""CelebA from a local folder or from TFDS, split into two domains by its attributes."""

import dataclasses
import warnings

import numpy as np

from mbu_tf.data.celeba_files import read_celeba_files
from mbu_tf.data.celeba_rules import evaluate, parse_task
from mbu_tf.data.face_images import FaceImages
from mbu_tf.data.folders import open_domains
from mbu_tf.data.image_files import sources_stamp
from mbu_tf.data.images import check_preparation, read_image
from mbu_tf.data.records import check_reachable
from mbu_tf.faces import CENTRE, Framing

SPLITS = {"train": 0, "validation": 1, "test": 2}
# Where eyes lie in the 178 x 218 pixels of the official alignment, from the corner: medians
# over 397 validation photos, as `find_faces` has them and dlib's landmarks confirm.
EYES = ((70.0, 113.0), (108.0, 113.0))
# Where CelebA-HQ has them: its square is four eye distances wide (Karras et al., "Progressive
# growing of GANs", appendix C), and so they lie in the labels of CelebAMask-HQ.
HQ_FRAMING = Framing((0.375, 0.476), (0.625, 0.476))


def load_celeba(
    path,
    task="glasses",
    split="train",
    image_size=128,
    crop="center",
    limit=None,
    cache="auto",
    data_dir=None,
    framing=None,
):
    """Domains A and B of CelebA, in its official split.

    Args:
        path: folder that holds `img_align_celeba/`, `list_attr_celeba.txt` and
            `list_eval_partition.txt`, or one of the other layouts of
            `mbu_tf.data.celeba_files`; or "tfds" for `celeb_a` of
            tensorflow-datasets.
        task: see `parse_task`.
        split: "train", "validation" or "test".
        image_size: height and width that pictures are resized to.
        crop: see `load_folders`. The default is the centred 178 x 178 of DIDD
            (CelebAMask-HQ's photos are squares, taken whole); None squeezes the whole
            178 x 218 into the square, as the published code of mask based content
            transfer does.
        limit: at most so many images of each domain, the first ones.
        cache: see `open_domains`. With "tfds" compressed images are held in memory,
            whatever it is.
        data_dir: folder where tensorflow-datasets keeps its data.
        framing: a `Framing` of kind `"face"` in place of a crop, what `Framing.of` takes:
            the alignment tells where the eyes are. `None` is the framing that the
            alignment and the crop make.

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
        own_framing = aligned_framing
    else:
        chosen, open_sources, own_framing = _select_files(path, task, split)
    a, b = (np.flatnonzero(x)[:limit] for x in chosen)
    if not len(a) or not len(b):
        raise ValueError(
            f"The task needs images of both domains in the split {split!r}. "
            f"Received: {task!r}, with {len(a)} of A, {len(b)} of B"
        )
    shared = np.intersect1d(a, b).size
    if shared:
        warnings.warn(f"{shared} images satisfy both rules of the task {task!r}.", stacklevel=2)
    sources = [open_sources(a), open_sources(b)]
    if framing is not None:
        framing = Framing.of(framing)
        if framing.kind != "face" or crop != "center":
            raise ValueError(
                "CelebA's photos are framed by their eyes or cropped, not both; leave out one. "
                f"Received: framing={framing}, crop={crop!r}"
            )
        sources = [_framed(each, framing, own_framing) for each in sources]
    domains = open_domains(*sources, image_size, crop, cache)
    return dataclasses.replace(domains, framing=framing or own_framing(crop))


def _framed(sources, framing, own_framing):
    """The photos as `FaceImages`; all are of the first one's size."""
    height, width = read_image(sources[0]).shape[:2]
    # Both framings without a crop are those of a centred square.
    square = CENTRE.placement(height, width)
    eyes = square.to_photo(own_framing("center").eyes)
    placement = framing.placement(height, width, [tuple(map(float, eye)) for eye in eyes])
    count = len(sources)
    return FaceImages(
        sources, np.arange(count), np.tile(placement, (count, 1)), sources_stamp(sources)
    )


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


def hq_framing(crop):
    """The `Framing` of CelebAMask-HQ's photos, which come in several sizes: of a box, unknown."""
    return HQ_FRAMING if crop in ("center", None) else CENTRE


def _select_files(path, task, split):
    """Which images are of A and of B, what opens those at some positions, what frames a crop."""
    files = read_celeba_files(path)
    rules = parse_task(task, files.table)
    chosen = [(files.partition == SPLITS[split]) & evaluate(rule, files.table) for rule in rules]
    unlisted = int((files.partition < 0).sum())
    if unlisted:
        warnings.warn(
            f"{unlisted} images are left out: list_eval_partition lacks them.", stacklevel=3
        )
    missing = sum(int((domain & ~files.there).sum()) for domain in chosen)
    if missing:
        warnings.warn(
            f"{missing} images of the task {task!r}, split {split!r}, are left out: "
            f"{files.folder} lacks them.",
            stacklevel=3,
        )
    framing = hq_framing if files.hq else aligned_framing
    return [domain & files.there for domain in chosen], files.paths, framing


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
        check_reachable(tfds.builder("celeb_a", data_dir=data_dir))
        # Undecoded: only chosen images are decoded, and they are kept compressed.
        data = tfds.load(
            "celeb_a",
            split=split,
            data_dir=data_dir,
            shuffle_files=False,
            decoders={"image": tfds.decode.SkipDecoding()},
        )
    except ConnectionError:
        raise
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
