import numpy as np
import pytest

from mbu_tf.evaluation.frechet_distance import frechet_distance
from mbu_tf.evaluation.report.made import Made
from mbu_tf.evaluation.report.measures import (
    distances,
    measure_attribute,
    measure_distribution,
    measure_preservation,
    measure_segmentation,
    share,
)
from mbu_tf.evaluation.segmentation import mask_iou


class Judges:
    """Features are the mean colour; B is what is bright."""

    features, seed = "own", 0

    def extractor(self, name):
        assert name == "own"
        return lambda images: images.mean(axis=(1, 2)).astype(np.float64)

    def real_features(self):
        rng = np.random.default_rng(1)
        return {"a": rng.normal(-0.5, 0.1, (30, 3)), "b": rng.normal(0.5, 0.1, (30, 3))}

    def share_in_b(self, images):
        return float((images.mean(axis=(1, 2, 3)) > 0).mean())


def images(means):
    return np.broadcast_to(np.float32(means)[:, None, None, None], (len(means), 4, 4, 3)).copy()


@pytest.fixture
def made():
    bright = images(np.linspace(0.3, 0.7, 20))
    mixed = images(np.linspace(-0.75, 0.25, 20))  # 15 of 20 are dark.
    mask = np.zeros((20, 4, 4, 1), np.float32)
    mask[:, :1] = 1.0
    return {
        "transfer": Made(mixed, bright, bright, mask),
        "removal": Made(bright, None, mixed, None),
    }


def test_each_way_is_held_against_the_domain_wanted(made):
    found = measure_attribute(None, lambda: made, None, Judges())
    assert found["transfer"] == {"mean": 1.0, "std": 0.0, "n": 20}
    assert found["removal"]["mean"] == 0.75


def test_a_share_has_its_standard_error():
    assert share(0.2, 100) == {"mean": 0.2, "std": pytest.approx(0.04), "n": 100}


def test_distances_are_those_of_the_features(made):
    found = measure_distribution(None, lambda: made, None, Judges())
    real, bright = Judges().real_features(), made["transfer"].image[:, 0, 0].astype(np.float64)
    fid = found["transfer"]["to_b"]["fid"]
    assert fid["mean"] == pytest.approx(frechet_distance(bright, real["b"])) and fid["n"] == 20
    assert 0 < fid["std"] < fid["mean"]
    for name in ("kid", "kid_usual", "fid"):
        transfer = found["transfer"]
        assert transfer["to_b"][name]["mean"] < transfer["to_a"][name]["mean"]


def test_the_deviation_is_seeded():
    x, y = np.random.default_rng(0).normal(size=(2, 40, 5))
    assert distances(x, y, 3) == distances(x, y, 3) != distances(x, y, 4)


def test_what_is_left_alone(made):
    found = measure_preservation(None, lambda: made, None, None)
    assert found["transfer"]["mask_coverage"] == {"mean": 0.25, "std": 0.0, "n": 20}
    assert found["transfer"]["unchanged"]["mean"] == 0.0
    assert "mask_coverage" not in found["removal"]


def test_segmentation_at_the_systems_own_threshold():
    class System:
        mask_threshold = 0.5

        def segment(self, images):
            return images[..., :1]

    system, material = System(), System()
    system.editor = system
    truth = np.random.default_rng(0).random((3, 4, 4, 1)) > 0.5
    soft = np.random.default_rng(1).random((3, 4, 4, 3)).astype(np.float32)
    material.outlined = soft, truth
    found = measure_segmentation(system, None, material, None)
    expected = mask_iou(soft[..., :1] >= 0.5, truth)
    assert found["iou"] == {
        "mean": pytest.approx(expected.mean()),
        "std": pytest.approx(expected.std()),
        "n": 3,
    }
    assert found["threshold"] == {"mean": 0.5}
    at, iou = found["sweep"]["threshold"], found["sweep"]["iou"]
    assert at == pytest.approx([0.05 * i for i in range(1, 20)])
    assert iou[9] == pytest.approx(expected.mean())
    assert max(iou) == found["iou_best"]["mean"] == iou[at.index(found["best_threshold"]["mean"])]
    system.editor = None
    assert measure_segmentation(system, None, material, None) is None
