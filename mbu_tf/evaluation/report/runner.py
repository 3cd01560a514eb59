"""One evaluation: every measure of every system, kept as it is ready, then the report."""

import functools
import time

from mbu_tf import __version__
from mbu_tf.evaluation.affinity_network import AFFINITY_THRESHOLD
from mbu_tf.evaluation.class_activation import CAM_THRESHOLD
from mbu_tf.evaluation.parts import folder_name
from mbu_tf.evaluation.report import measures, showcase
from mbu_tf.evaluation.report.document import write_report
from mbu_tf.evaluation.report.judges import UnavailableError
from mbu_tf.evaluation.report.saving import save_material, save_transfers
from mbu_tf.evaluation.report.systems import DATA, ModelSystem
from mbu_tf.system.files import make_folder, replacing, write_json

# What is measured of each system, and which judges it depends on.
SECTIONS = {
    "preservation": (measures.measure_preservation, ()),
    "truth": (measures.measure_truth, ()),
    "segmentation": (measures.measure_segmentation, ()),
    "attribute": (measures.measure_attribute, ("classifier",)),
    "distribution": (measures.measure_distribution, ("features",)),
    "similarity": (measures.measure_similarity, ("embedding",)),
}
# What is measured of the material itself.
YARDSTICKS = {
    "classifier": (measures.measure_classifier, ("classifier",)),
    "cam": (measures.measure_cam, ("classifier",)),
    "affinity": (measures.measure_affinity, ("classifier",)),
    "real": (measures.measure_real, ("features",)),
}
# What the folder of a training run holds.
MODEL = "model.keras"
show = functools.partial(print, end="", flush=True)


def evaluate(systems, material, judges, parts, output, report=show, sequence=None, images=False):
    """Measure everything and write `metrics.json` and `report.html` to `output`.

    What `parts` holds of the same models, images and options is not computed again.
    What cannot be judged, say because weights cannot be fetched, is left out and the
    reason written down.

    Args:
        systems: list from `open_systems`.
        material: `Material`.
        judges: `Judges`.
        parts: `Parts`.
        output: folder, made if missing.
        report: function that is given the progress as text: what begins, then how it ended.
        sequence: `None`, or the `Sequence` whose part is added after each system's.
        images: whether to write the models' transfers as PNG files to `output`/images.

    Returns:
        What `metrics.json` holds.

    Raises:
        OSError: if `output` cannot be written to, or holds a training run.
    """
    output = make_folder(output)
    if (output / MODEL).exists():  # Its `metrics.json` would be replaced.
        raise FileExistsError(f"{output} holds a training run. Choose another folder.")
    run = _Run(material, judges, parts, report, jobs=5 + 7 * len(systems))
    metrics = {
        "version": __version__,
        "data": {
            "source": material.source,
            "split": material.split,
            "image_size": material.image_size,
            "pairs": len(material),
            "outlined": None if material.outlined is None else len(material.outlined.images),
            "features": judges.features,
            "embedding": judges.embedding,
        },
        "systems": {},
        "missing": run.missing,
    }
    for name, (measure, depends) in YARDSTICKS.items():
        compute = functools.partial(measure, material, judges)
        metrics["data"][name] = run.part(DATA, name, {}, depends, compute)
    shown = {"data": run.show_material(), "systems": {}}
    if sequence is not None:
        shown["data"]["second"] = showcase.cells(sequence.references)
    for system in systems:
        found = metrics["systems"][system.name] = {"method": system.method}
        # Made only if a measure asks for it, and once.
        made = functools.cache(lambda system=system: system.make(material.a, material.b))
        for name, (measure, depends) in SECTIONS.items():
            compute = functools.partial(measure, system, made, material, judges)
            found[name] = run.part(system.name, name, system.key, depends, compute)
        shown["systems"][system.name] = run.show_system(system, sequence)
        if images and isinstance(system, ModelSystem):
            save_transfers(system.name, made()["transfer"], output / "images")
    if images:
        save_material(material, output / "images")
    write_json(output / "metrics.json", metrics)
    with replacing(output / "report.html") as beside:
        write_report(beside, metrics, shown)
    return metrics


class _Run:
    """Computes parts, reports each and notes what could not be had."""

    def __init__(self, material, judges, parts, report, jobs):
        self._material, self._judges, self._parts, self._report = material, judges, parts, report
        self._jobs, self._done = jobs, 0
        self.missing = {}

    def part(self, owner, name, key, depends, compute):
        """One part by name: kept, computed, or `None` if it cannot be had."""
        key = self._key(key, depends)
        path = f"{folder_name(owner)}/{name}"
        self._done += 1
        kept, started, result = self._parts.has(f"{path}.json", key), time.monotonic(), None
        self._report(f"[{self._done}/{self._jobs}] {owner}: {name} ")
        try:
            result = self._parts.json(path, key, compute)
            note = "kept" if kept else f"{time.monotonic() - started:.1f} s"
        except UnavailableError as error:
            said = str(error) in self.missing.values()
            self.missing[name] = str(error)
            note = "left out, as said above" if said else f"left out: {error}"
        self._report(f"({note})\n")
        return result

    def _key(self, key, depends):
        judges = self._judges
        found = {"version": __version__, "material": self._material.key, **key}
        if "classifier" in depends:
            found["classifier"] = judges.classifier_key
        for name in ("features", "embedding"):
            if name in depends:
                found[name] = judges.feature_key(getattr(judges, name))
                found["seed"] = judges.seed
        return found

    def show_material(self):
        """The pictures before any system; what the classifier tells only where there is one."""
        judges = self._judges
        try:
            judges.classifier()
        except UnavailableError:
            return self._pictures(DATA, {}, (), showcase.show_material, self._material)
        outlines = {"cam": lambda images: judges.class_activation(images) >= CAM_THRESHOLD}
        if self._material.outlined is not None:  # Else nothing is measured of it.
            outlines["affinity"] = lambda images: judges.affinity(images) >= AFFINITY_THRESHOLD
        pictures = functools.partial(showcase.show_material, self._material, outlines)
        return self._pictures(DATA, {}, ("classifier",), pictures)

    def show_system(self, system, sequence):
        """The pictures of one system, with the second part added after its own."""

        def pictures():
            shown = showcase.show_system(system, self._material)
            if sequence is not None and "transfer" in shown:
                shown["sequence"] = sequence.show(system)
            return shown

        key = {**system.key, "sequence": sequence and sequence.key}
        return self._pictures(system.name, key, (), pictures)

    def _pictures(self, owner, key, depends, show, *arguments):
        compute = functools.partial(show, *arguments)
        return self.part(owner, "pictures", key, depends, compute)
