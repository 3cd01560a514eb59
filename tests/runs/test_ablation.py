import json

import numpy as np
import pytest

from mbu_tf.data import read_image
from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.evaluation import attribute_classifier
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.recipes import varied
from mbu_tf.runs import ablation

pytestmark = pytest.mark.slow

RECIPE = varied(
    MaskedContentTransfer.recipe("avatars"),
    {"architecture": {"image_size": 32, "width": 0.03, "separate_channels": 2}},
)
ROWS = {
    "full": {},
    "no cycle": {"loss_weights": {"cycle_separate": 0.0}},
    "strict": {"mask_threshold": 0.999},
}


@pytest.fixture(scope="module")
def domains():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 3), np.uint8)
    return TwoDomains(*map(ImageArray, pixels), 32)


def ablate(output, domains, rows=ROWS, **options):
    return ablation.ablate(
        rows, RECIPE, domains, output, steps=2, batch_size=2, classifier_steps=1, **options
    )


@pytest.fixture(scope="module")
def done(all_eagerly, domains, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    return folder, ablate(folder, domains)


def test_rows_of_one_training_share_it(done):
    folder, figures = done
    document = json.loads((folder / "ablation.json").read_text())
    assert 0.0 <= document["classifier_accuracy"] <= 1.0
    models = {name: row["model"] for name, row in document["rows"].items()}
    assert models["full"] == models["strict"] != models["no cycle"]
    assert len(list((folder / "runs").glob("*/model.keras"))) == 2
    assert figures["full"]["transfer_mask"] == figures["strict"]["transfer_mask"]
    assert figures["full"]["segmented"] > figures["strict"]["segmented"] == 0.0


def test_each_run_is_of_its_variation_and_of_the_same_steps(done):
    folder, _ = done
    rows = json.loads((folder / "ablation.json").read_text())["rows"]
    for name, weight in (("full", 0.03), ("no cycle", 0.0)):
        model = load_model(folder / rows[name]["model"])
        assert model.loss_weights["cycle_separate"] == weight
        assert int(model.optimizer.iterations) == 2
        assert model.optimizer._learning_rate.decay_steps == 2
        assert ("cycle_separate" in rows[name]["training"]) == (weight > 0)


def test_the_table_and_the_figure(done):
    folder, figures = done
    lines = (folder / "ablation.md").read_text().splitlines()
    assert (
        lines[0] == "|  | seen as B | similarity | KID × 100 | mask | segmented |"
    )  # Without truth there is no more.
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(ROWS)
    assert f"| {figures['full']['transfer_mask']:.1%} |" in lines[2]
    # Four pictures of each of three pairs; the pairs' own column and one for each row.
    assert read_image(folder / "ablation.png").shape == (12 * 132 + 4 + 16, 4 * 132 + 4, 3)


def test_what_is_finished_is_not_trained_again(done, domains, monkeypatch):
    folder, figures = done
    trained = []
    train = ablation.train_recipe
    monkeypatch.setattr(
        ablation, "train_recipe", lambda *a, **k: trained.append(a[0]) or train(*a, **k)
    )
    monkeypatch.setattr(attribute_classifier, "train_attribute_classifier", None)
    # Killed while it was trained: a model lies there, the figures that are written last do not.
    rows = json.loads((folder / "ablation.json").read_text())["rows"]
    (folder / rows["no cycle"]["model"]).with_name("metrics.json").unlink()
    again = ablate(folder, domains)
    assert [x["compile"]["loss_weights"]["cycle_separate"] for x in trained] == [0.0]
    assert again["full"] == figures["full"]
    assert again["no cycle"]["segmented"] == pytest.approx(figures["no cycle"]["segmented"])


def test_other_settings_are_other_runs(domains):
    def folder(**options):
        options = {"data": "x", "seed": 0, "images": [1, 1], **options}
        return ablation._rows({"full": {}}, RECIPE, options)[0].folder

    assert folder() == folder()
    others = [folder(seed=1), folder(data="y"), folder(images=[1, 2])]
    assert len({folder(), *others}) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss_weights": {"recon3": 1.0}}, "Row 'odd': .*unknown names.*recon3"),
        ({"architecture": {"depht": 3}}, "Row 'odd': .*depht"),
        ({"mask_threshold": 2}, "Row 'odd': .*between 0 and 1. Received: 2"),
        ({"data": {}}, "Row 'odd': .*Received: 'data'"),
    ],
)
def test_a_bad_row_is_told_before_anything_is_trained(tmp_path, domains, changes, message):
    with pytest.raises(ValueError, match=message):
        ablate(tmp_path / "out", domains, {"full": {}, "odd": changes})
    assert not list(tmp_path.glob("out/runs/*"))


def test_no_row_is_none(tmp_path, domains):
    with pytest.raises(ValueError, match="needs a row"):
        ablate(tmp_path / "out", domains, {})
