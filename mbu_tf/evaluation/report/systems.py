"""What is evaluated: models, two models in sequence, and pictures that another program made."""

import pathlib

from mbu_tf.evaluation.parts import file_digest
from mbu_tf.evaluation.report.listed_pictures import PictureSystem
from mbu_tf.evaluation.report.made import Made
from mbu_tf.models.loading import load_model, model_file
from mbu_tf.models.mask_editing import MaskEditing
from mbu_tf.models.methods import METHODS
from mbu_tf.models.translation import Translation
from mbu_tf.models.two_way import InSequence

# Stands for the material where a system's name would.
DATA = "real images"
TAKEN = {DATA, "targets", "references"}


class ModelSystem:
    """A saved model, or two one-way ones in sequence (section 4, figures 29 and 30).

    Args:
        name: what the report calls it.
        paths: one model, what `load_model` takes, or two: that of A's part and that of B's.

    Attributes:
        image_size, framing: of its images.
        method: its name in `METHODS`.
        editor: what adds, removes and outlines B's part, a `MaskEditing`, or `None`
            of a model without masks for parts.
        two_way: what translates both ways, or `None`.
        translator: what does so without a reference, a `Translation`, or `None`.
        key: what its results depend on.

    Raises:
        FileNotFoundError, OSError, ValueError: as `load_model`; also if two models
            do not go together.
    """

    def __init__(self, name, paths):
        self.name, models = name, [load_model(path) for path in paths]
        self.key = {"models": [file_digest(model_file(path)) for path in paths]}
        if len(models) == 2 and not all(isinstance(model, MaskEditing) for model in models):
            raise ValueError(
                "Only one-way models work in sequence; this one translates both ways by itself. "
                f"Received: {'+'.join(map(str, paths))}"
            )
        model = InSequence(*models) if len(models) == 2 else models[0]
        methods = {kind: method for method, kind in METHODS.items()}
        self.method = methods.get(type(models[0]), type(models[0]).__name__)
        self.method += ", in sequence" if len(models) == 2 else ""
        self.image_size, self.framing = model.image_size, model.framing
        self.two_way = model if hasattr(model, "transfer_to_b") else None
        self.translator = model if isinstance(model, Translation) else None
        if isinstance(models[-1], MaskEditing):
            self.editor = models[-1]
        else:
            self.editor = getattr(model, "part_b", None)

    def transfer(self, target, reference):
        """The references' content on images of A; `Edit`. Without them what a translator adds."""
        if self.translator:
            return self.translator.translate_to_b(target)
        transfer = self.two_way.transfer_to_b if self.two_way else self.editor.transfer
        return transfer(target, reference)

    def make(self, a, b):
        """All that it makes of pairs of images.

        Args:
            a, b: images of A and of B, as many of each, `(count, size, size, 3)`.

        Returns:
            `Made` by its way: `"transfer"`, and `"removal"` of a one-way model or a
            translator, `"transfer_to_a"` of a two-way one.
        """
        if self.translator:
            return {
                "transfer": Made(a, None, *self.transfer(a, b)),
                "removal": Made(b, None, *self.translator.translate_to_a(b)),
            }
        made = {"transfer": Made(a, b, *self.transfer(a, b))}
        if self.two_way:
            made["transfer_to_a"] = Made(b, a, *self.two_way.transfer_to_a(b, a))
        else:
            made["removal"] = Made(b, None, *self.editor.remove(b))
        return made


def open_systems(models, folders, image_size=None):
    """Everything that one evaluation compares.

    Args:
        models: texts `PATH`, `PATH_A+PATH_B` for two models in sequence, each
            with `NAME=` before it if it is to have a name of its own.
        folders: likewise, of folders with pictures and `pairs.csv`.
        image_size: of the pictures; `None` is that of the models.

    Returns:
        List of `ModelSystem` and `PictureSystem`.

    Raises:
        FileNotFoundError, OSError, ValueError: one of them cannot be read; the
            models are of several sizes; two have one name.
    """
    given, paths = _named([*models, *folders])
    systems = [
        ModelSystem(name, each) for name, each in zip(given, paths[: len(models)], strict=False)
    ]
    sizes = {system.image_size for system in systems} | ({image_size} - {None})
    if len(sizes) > 1:
        listed = ", ".join(f"{system.name} {system.image_size}" for system in systems)
        raise ValueError(
            "What is compared must be of one image size; evaluate the others by themselves. "
            f"Received: {listed}" + (f", --image-size {image_size}" if image_size else "")
        )
    size = next(iter(sizes), 128)
    names, places = given[len(models) :], paths[len(models) :]
    return systems + [
        PictureSystem(name, place, size) for name, (place,) in zip(names, places, strict=True)
    ]


def _named(specs):
    """Names and paths of `[NAME=]PATH[+PATH]`; paths without a name get a telling one."""
    names, paths = [], []
    for spec in specs:
        name, equals, rest = spec.partition("=")
        if not equals or pathlib.Path(spec).exists():
            name, rest = "", spec
        parts = [rest] if pathlib.Path(rest).exists() else rest.split("+")
        names.append(name)
        paths.append([pathlib.Path(part) for part in parts])
    telling = iter(short_names([each[-1] for each, n in zip(paths, names, strict=True) if not n]))
    names = [name or next(telling) for name in names]
    for name in names:
        if names.count(name) > 1 or name in TAKEN:
            raise ValueError(f"The name {name!r} is taken; give one another name: NAME=PATH.")
    return names, paths


def short_names(paths):
    """For each path the shortest end that no other has, without `model.keras`."""
    parts = []
    for path in paths:
        path = pathlib.Path(path).absolute()
        path = path.parent if path.name == "model.keras" else path.with_suffix("")
        parts.append(path.parts)
    names = []
    for own in parts:
        ends = range(1, len(own) + 1)
        others = [other for other in parts if other is not own]
        length = next((n for n in ends if all(own[-n:] != o[-n:] for o in others)), len(own))
        names.append("/".join(own[-length:]))
    return names
