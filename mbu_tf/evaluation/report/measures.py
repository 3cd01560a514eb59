"""The measures of one evaluation: each of a system, or of the material it is compared with.

Those of a system take it, a function that gives what it made by way (`make`), called only
where that is needed, the material and the judges.

A figure is a dictionary with `mean` and, where there are any, `std`, the deviation, and
`n`, the number of images.
"""

import numpy as np

from mbu_tf.evaluation.affinity_network import AFFINITY_THRESHOLD
from mbu_tf.evaluation.class_activation import CAM_THRESHOLD
from mbu_tf.evaluation.frechet_distance import frechet_distance
from mbu_tf.evaluation.ground_truth import evaluate_against_truth, evaluate_removal
from mbu_tf.evaluation.kernel_distance import PAPER_GAMMA, kernel_distance
from mbu_tf.evaluation.preservation import preservation
from mbu_tf.evaluation.report.made import WAYS
from mbu_tf.evaluation.segmentation import THRESHOLDS, iou_by_threshold, segmentation_iou
from mbu_tf.evaluation.similarity import embedding_similarity
from mbu_tf.evaluation.two_way_truth import evaluate_two_way

SUBSETS, HALVES = 100, 10


def figure(mean, std=None, n=None):
    """A figure of the report; what is `None` is left out."""
    found = {"mean": mean, "std": std, "n": n}
    return {name: value for name, value in found.items() if value is not None}


def share(value, n):
    """A share of `n` images with its standard error."""
    return figure(value, float(np.sqrt(value * (1.0 - value) / n)), n)


def distances(features, real, seed=0):
    """FID and KID, times 100, of features of results and of real images.

    KID over `SUBSETS` random subsets of half the images (1,000 at most), with the
    kernel below table 1 and, as `kid_usual`, with gamma = 1 / d. FID of all images,
    its deviation that of `HALVES` random halves of both.

    Returns:
        Dictionary of the figures `kid`, `kid_usual` and `fid`.
    """
    n = min(len(features), len(real))
    subsets = {"subsets": SUBSETS, "subset_size": max(2, min(1000, n // 2)), "seed": seed}
    found = {}
    for name, gamma in (("kid", PAPER_GAMMA), ("kid_usual", None)):
        mean, std = kernel_distance(features, real, gamma=gamma, **subsets)
        found[name] = figure(100 * mean, 100 * std, len(features))
    random = np.random.default_rng(seed)
    halves = [
        frechet_distance(*(random.permutation(each)[: max(2, n // 2)] for each in (features, real)))
        for _ in range(HALVES)
    ]
    fid = frechet_distance(features, real)
    return found | {"fid": figure(fid, float(np.std(halves)), len(features))}


def measure_real(material, judges):
    """Distances of other real images to the held-out ones: what no method can beat."""
    real = judges.real_features()
    return {
        domain: {
            f"to_{to}": distances(real[f"train_{domain}"], real[to], judges.seed) for to in "ab"
        }
        for domain in "ab"
    }


def measure_classifier(material, judges):
    """The classifier's balanced accuracy on held-out images, and what it sees in them."""
    _, accuracy = judges.classifier()
    return {
        "accuracy": figure(accuracy, n=2 * len(material)),
        "a": share(judges.share_in_b(material.a), len(material)),
        "b": share(judges.share_in_b(material.b), len(material)),
    }


def measure_cam(material, judges):
    """IoU of the classifier's activation maps with the true masks; `None` without truth."""
    if material.outlined is None:
        return None
    images, truth = material.outlined
    return _segmentation(judges.class_activation(images), truth, CAM_THRESHOLD)


def measure_affinity(material, judges):
    """The same after AffinityNet's random walk."""
    if material.outlined is None:
        return None
    images, truth = material.outlined
    return _segmentation(judges.affinity(images), truth, AFFINITY_THRESHOLD)


def measure_distribution(system, made, material, judges):
    """Distances of what a system made to held-out images of A and of B, by way."""
    extract, real = judges.extractor(judges.features), judges.real_features()
    found = {}
    for way, each in made().items():
        features = extract(each.image)
        found[way] = {f"to_{to}": distances(features, real[to], judges.seed) for to in "ab"}
    return found


def measure_attribute(system, made, material, judges):
    """Share of results that the classifier takes for the wanted domain, by way."""
    found = {}
    for way, each in made().items():
        in_b = judges.share_in_b(each.image)
        found[way] = share(in_b if WAYS[way] == "b" else 1.0 - in_b, len(each.image))
    return found


def measure_similarity(system, made, material, judges):
    """Similarity of embeddings before and after, by way."""
    embed = judges.extractor(judges.embedding)
    return {
        way: figure(*embedding_similarity(embed, each.source, each.image), len(each.image))
        for way, each in made().items()
    }


def measure_preservation(system, made, material, judges):
    """What is left alone, by way; see `preservation`."""
    return {
        way: _figures(preservation(each.source, each.image, each.mask), len(each.image))
        for way, each in made().items()
    }


def measure_segmentation(system, made, material, judges):
    """IoU of a system's masks with the true ones; `None` without masks or truth."""
    if system.editor is None or material.outlined is None:
        return None
    images, truth = material.outlined
    return _segmentation(system.editor.segment(images), truth, system.editor.mask_threshold)


def measure_truth(system, made, material, judges):
    """Errors against exact truth; `None` where there is none for the system."""
    domains = material.domains
    if system.two_way is not None and domains.a_translated is not None:
        found = evaluate_two_way(system.two_way, domains)
    elif system.two_way is None and system.editor is not None and domains.a_with is not None:
        found = evaluate_against_truth(system.editor, domains)
    elif system.translator is not None and domains.b_without is not None:
        found = evaluate_removal(system.translator, domains)
    else:
        return None
    return _figures(found, len(material))


def _segmentation(soft, truth, threshold):
    found = segmentation_iou(soft, truth, threshold)
    sweep = {"threshold": THRESHOLDS.tolist(), "iou": iou_by_threshold(soft, truth).tolist()}
    return _figures(found, len(truth)) | {"threshold": figure(threshold), "sweep": sweep}


def _figures(found, n):
    """Plain floats, `name` beside `name_std`, as figures."""
    return {
        name: figure(value, found.get(f"{name}_std"), n)
        for name, value in found.items()
        if not name.endswith("_std")
    }
