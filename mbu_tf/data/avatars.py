"""The embedded avatar data: a TFDS builder that renders faces offline."""

import contextlib
import functools
import io
import pathlib
import shutil
import warnings

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from mbu_tf.data import avatar_faces
from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.system.files import sole_use

SIZES = (64, 128)
# Faces of each domain.
SPLITS = {"train": 4000, "validation": 100, "test": 200}


class AvatarsConfig(tfds.core.BuilderConfig):
    """One task of `avatar_faces.TASKS` at one size.

    Args:
        task: key of `avatar_faces.TASKS`.
        size: height and width in pixels.
        counts: faces of each domain per split; `None` is `SPLITS`.
        seed: integer that decides every face.
        workers: rendering processes; `None` takes one per core.
    """

    def __init__(self, task, size, counts=None, seed=0, workers=None):
        avatar_faces.check_task(task)
        self.task, self.size, self.seed, self.workers = task, size, seed, workers
        self.counts = counts or SPLITS
        name = f"{task}_{size}"
        if self.counts != SPLITS or seed:
            name += "_" + "_".join(str(n) for n in [*self.counts.values(), seed])
        super().__init__(name=name, description=avatar_faces.TASKS[task]["description"])


class Avatars(tfds.core.GeneratorBasedBuilder):
    """Faces of two domains (label a and b) that differ in what they wear.

    Domain B has a part of its own, e.g. glasses; domain A lacks it, and has
    another of its own in some tasks. Face number i of a domain wears variant i
    of its part, counted round. In `validation` and `test` every face carries its
    `truth`, the very same face otherwise worn and the exact mask of the pixels
    that differ. Where A has no part: face i of b without its part; face i of a
    with the part of faces i and i + 1 of b. Where A has one: the face without its
    part, and with the part of face i of the other domain in its place. In `train`
    it is empty.

    Faces are rendered by processes of this machine, or, where the
    `download_config` of `download_and_prepare` names a Beam runner or options
    (`tfds build --beam_pipeline_options=...`), by Beam's workers; the data set is
    the same.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [AvatarsConfig(task, size) for task in avatar_faces.TASKS for size in SIZES]

    def _info(self):
        size = self.builder_config.size
        picture = tfds.features.Image(shape=(size, size, 3), encoding_format="png")
        mask = tfds.features.Image(shape=(size, size, 1), encoding_format="png")
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": picture,
                    "label": tfds.features.ClassLabel(names=["a", "b"]),
                    "number": np.int64,
                    "variant": tfds.features.Text(),
                    "truth": tfds.features.Sequence({"image": picture, "mask": mask}),
                }
            ),
            supervised_keys=("image", "label"),
            license="Pictures: CC0 1.0",
        )

    def download_and_prepare(self, *, download_config=None, **kwargs):
        """See `tfds.core.DatasetBuilder.download_and_prepare`, and the class for Beam."""
        asked = download_config and (download_config.beam_runner or download_config.beam_options)
        self._with_beam = bool(asked)
        super().download_and_prepare(download_config=download_config, **kwargs)

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(name) for name in self.builder_config.counts}

    def _generate_examples(self, split):
        config = self.builder_config
        if self._with_beam:
            return _generate_with_beam(config.task, config.size, config.seed, split, config.counts)
        return _generate(config, split)


def _generate(config, split):
    """The examples of a split, as the processes of this machine render them."""
    numbers = range(config.counts[split])
    plans = [x for i in numbers for x in _plan(config.task, config.seed, split, i)]
    faces = [(config.task, seed, each, config.size) for _, _, seed, w in plans for each in w]
    pictures = avatar_faces.render_faces(faces, config.workers)
    for plan in plans:
        yield _example(plan, [next(pictures) for _ in plan[-1]])


def _generate_with_beam(task, size, seed, split, counts):
    """The same as a Beam transformation, one element for each face."""
    import apache_beam as beam

    plans = beam.FlatMap(functools.partial(_plan, task, seed, split))
    render = beam.Map(functools.partial(_render, task, size))
    # Reshuffled, or one worker would render what one element expands to.
    return beam.Create(range(counts[split])) | plans | beam.Reshuffle() | render


def _plan(task, seed, split, number):
    """Number, domain, seed, and what is worn in the image and in its truths, of faces i of a, b."""
    for domain in ("a", "b"):
        worn, truth = _worn(avatar_faces.TASKS[task]["own"], domain, number)
        yield (
            number,
            domain,
            f"{seed}/{split}/{domain}/{number}",
            [
                worn,
                *([] if split == "train" else truth),
            ],
        )


def _render(task, size, plan):
    _, _, seed, worn = plan
    return _example(plan, [avatar_faces.render_face(task, seed, each, size) for each in worn])


def _example(plan, pictures):
    """Key and features of one face, given the picture and its truths as PNG bytes."""
    number, domain, seed, worn = plan
    picture, *others = pictures
    masks = [avatar_faces.difference_mask(_decode(picture), _decode(o)) for o in others]
    return seed, {
        "image": io.BytesIO(picture),
        "label": domain,
        "number": number,
        "variant": worn[0].get(domain, ""),
        "truth": [
            {"image": io.BytesIO(other), "mask": mask}
            for other, mask in zip(others, masks, strict=True)
        ],
    }


def _worn(own, domain, number):
    """What face `number` of a domain wears, and what it wears in its truths."""
    variants = {letter: names for letter, (_, names) in own.items()}

    def worn(letter, index):
        names = variants[letter]
        return {letter: names[index % len(names)]}

    if domain not in variants:
        return {}, [worn("b", number), worn("b", number + 1)]
    other = "a" if domain == "b" else "b"
    if other not in variants:
        return worn(domain, number), [{}]
    return worn(domain, number), [{}, worn(other, number)]


def _decode(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def load_avatars(task="glasses", split="train", image_size=64, data_dir=None, **config):
    """The avatar faces of one task, rendered on first use and cached by TFDS.

    Args:
        task: key of `avatar_faces.TASKS`: `"glasses"`, `"facial_hair"`,
            `"glasses_and_facial_hair"` (A has glasses, B facial hair), `"hat"`,
            `"lorelei_glasses"`.
        split: `"train"`, `"validation"` or `"test"`. The last two carry the
            exact truth, see `TwoDomains`.
        image_size: height and width in pixels; faces are rendered at this
            size, so masks are exact.
        data_dir: folder of the cache; `None` is TFDS's own
            (`~/tensorflow_datasets` or `TFDS_DATA_DIR`).
        **config: `counts`, `seed`, `workers` of `AvatarsConfig`.

    Returns:
        `TwoDomains` in memory.

    Raises:
        ValueError: on an unknown task or split.
    """
    if split not in SPLITS:
        raise ValueError(f"Avatar splits are {list(SPLITS)}. Received: split={split!r}")
    wanted = AvatarsConfig(task, image_size, **config)
    a, b = _faces(wanted, split, data_dir)
    truth = {}
    if split != "train":
        truth["b_mask"] = _stack(e["truth"]["mask"][0] for e in b)
        for letter, faces in (("a", a), ("b", b)):
            for i, name in enumerate(_truth_names(wanted.task, letter)):
                truth[name] = _stack(e["truth"]["image"][i] for e in faces)
    return TwoDomains(
        _stack(e["image"] for e in a),
        _stack(e["image"] for e in b),
        image_size,
        b_variants=[e["variant"].decode() for e in b],
        **truth,
    )


def _faces(config, split, data_dir):
    """The examples of A and of B in a split, rendered where there are none, or damaged ones."""
    root = pathlib.Path(data_dir or tfds.core.constants.DATA_DIR).expanduser()
    folder = root / "avatars" / config.name / str(Avatars.VERSION)
    # TFDS and TensorFlow raise many kinds of errors.
    with contextlib.suppress(Exception):
        return _read(_builder(config, root), split)
    with sole_use(folder.parent, wait=True):  # Another process may be rendering them.
        for left in folder.parent.glob("incomplete.*"):  # By one that was killed.
            shutil.rmtree(left)
        if folder.exists():  # By now, or as damaged as before.
            try:
                return _read(_builder(config, root), split)
            except Exception as error:
                warnings.warn(
                    f"The avatars in {folder} are damaged, and are rendered anew "
                    f"({' '.join(str(error).split())[:200]}).",
                    stacklevel=3,
                )
                shutil.rmtree(folder)
        builder = _builder(config, root)
        builder.download_and_prepare()
    return _read(builder, split)


def _builder(config, root):
    # TFDS takes one of its own configurations by name alone.
    named = config.name in Avatars.builder_configs
    return Avatars(config=config.name if named else config, data_dir=root)


def _read(builder, split):
    examples = list(tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)))
    # The cache is in hashed order; faces i of a and b belong together.
    a, b = (
        sorted((e for e in examples if e["label"] == label), key=lambda e: e["number"])
        for label in (0, 1)
    )
    count = builder.builder_config.counts[split]
    if [e["number"] for e in a] != [e["number"] for e in b] or len(a) != count:
        raise ValueError(f"{len(a)} and {len(b)} faces of {count} are there")
    return a, b


def _truth_names(task, domain):
    """What the truths of a domain's faces are called in `TwoDomains`."""
    if "a" in avatar_faces.TASKS[task]["own"]:
        return [f"{domain}_without", f"{domain}_translated"]
    return ["a_with", "a_with_next"] if domain == "a" else ["b_without"]


def _stack(images):
    return ImageArray(np.stack(list(images)))
