import copy

import numpy as np
import pytest

from mbu_tf.models import variations
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.recipes import varied

RECIPE = MaskedContentTransfer.recipe("glasses")
EVERY = {"recon1_a", "recon1_b", "cycle_separate", "recon2_a", "recon2_b", "confusion"}


def test_table_7_takes_away_what_each_row_says():
    active = {}
    for name, changes in variations.table_7(RECIPE).items():
        recipe = varied(RECIPE, changes)
        weights = recipe["compile"]["loss_weights"]
        active[name] = {x for x, weight in weights.items() if weight}
        if not changes.get("architecture"):
            assert recipe["architecture"] == RECIPE["architecture"]
    assert active == {
        "full": EVERY,
        "without recon2_a": EVERY - {"recon2_a"},
        "without recon2_b": EVERY - {"recon2_b"},
        "without cycle": EVERY - {"cycle_separate"},
        "without recon1_b": EVERY - {"recon1_b"},
        "without recon1_a": EVERY - {"recon1_a"},
        "without confusion": EVERY - {"confusion"},
        "L2 mask size": EVERY - {"recon2_a", "recon2_b"} | {"mask_size"},
        "L2 recon1": EVERY,
        "L2 recon2": EVERY,
    }


def test_without_cycle_the_papers_second_cycle_term_goes_as_well():
    recipe = MaskedContentTransfer.recipe("glasses", "paper")
    weights = varied(recipe, variations.table_7(recipe)["without cycle"])["compile"]["loss_weights"]
    assert recipe["compile"]["loss_weights"]["cycle_common"] > 0
    assert weights["cycle_common"] == weights["cycle_separate"] == 0


@pytest.mark.parametrize(("number", "term"), [(1, "recon1_b"), (2, "recon2_b")])
def test_the_l2_rows_square_what_they_name(number, term):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype(np.float32)
    small = {"architecture": {"image_size": 32, "width": 0.06, "separate_channels": 2}}
    changes = variations.table_7(RECIPE)[f"L2 recon{number}"]
    model = MaskedContentTransfer.from_recipe(varied(varied(RECIPE, small), changes))
    plain = MaskedContentTransfer.from_recipe(varied(RECIPE, small))
    plain.set_weights(model.get_weights())
    mask, raw = plain.decode_b(plain.common_code(images[1]), plain.separate_code(images[1]))
    background = plain.decode_a(plain.common_code(images[1])) if number == 1 else images[1]
    z = np.asarray(mask) * raw + (1 - np.asarray(mask)) * background
    one, other = (m.generator_losses(*images)[0] for m in (model, plain))
    np.testing.assert_allclose(one[term], np.square(z - images[1]).mean(), rtol=1e-4)
    np.testing.assert_allclose(other[term], np.abs(z - images[1]).mean(), rtol=1e-4)


@pytest.mark.parametrize(
    ("rows", "name", "weights"),
    [("lambda_1", "recon1_a", [3, 4, 5, 6, 7]), ("lambda_4", "recon2_a", [0.4, 0.5, 0.7, 0.9, 1])],
)
def test_figures_38_and_39_on_the_recipe_for_glasses(rows, name, weights):
    changes = variations.LISTS[rows](RECIPE)
    recipes = [varied(RECIPE, x) for x in changes.values()]
    assert [x["compile"]["loss_weights"][name] for x in recipes] == weights
    assert recipes[2] == RECIPE
    assert list(changes) == [f"{name} {weight:g}" for weight in weights]


def test_figure_37_changes_the_threshold_alone():
    rows = variations.threshold(RECIPE)
    assert [x["mask_threshold"] for x in rows.values()] == pytest.approx(np.arange(0.1, 1, 0.1))
    assert all(set(x) == {"mask_threshold"} for x in rows.values())


def test_a_recipe_is_varied_and_stays_as_it_is():
    before = copy.deepcopy(RECIPE)
    changes = {
        "loss_weights": {"recon1_a": 2.0},
        "compile": {"generator_clip_norm": None},
        "architecture": {"width": 0.5},
        "optimizer": {"learning_rate": 1.0},
    }
    recipe = varied(RECIPE, changes)
    assert before == RECIPE
    assert recipe["compile"]["generator_clip_norm"] is None
    assert recipe["compile"]["loss_weights"] == {
        **RECIPE["compile"]["loss_weights"],
        "recon1_a": 2.0,
    }
    assert recipe["architecture"] == {**RECIPE["architecture"], "width": 0.5}
    assert recipe["optimizer"] == {**RECIPE["optimizer"], "learning_rate": 1.0}
    assert recipe["discriminator_optimizer"] == RECIPE["discriminator_optimizer"]


@pytest.mark.parametrize("changes", [{"weights": {}}, {"training": {}}, {"loss_weights": 3}])
def test_other_changes_are_refused(changes):
    with pytest.raises(ValueError, match="architecture, compile.*loss_weights. Received: '"):
        varied(RECIPE, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": {"lr": 1}},
        {"optimizer": {"beta_1": 1.5}},
        {"optimizer": {"beta_1": "0.5"}},
        {"optimizer": {"learning_rate": 0}},
        {"optimizer": {"pytorch": "no"}},
        {"discriminator_optimizer": {"decay_to": 7}},
        {"compile": {"generator_clip_norm": "5"}},
        {"compile": {"discriminator_clip_norm": -5}},
        {"loss_weights": {"cycle_separate": True}},
    ],
)
def test_changes_that_nothing_would_come_of_are_refused(changes):
    recipe = MaskedContentTransfer.recipe("avatars")
    small = {"architecture": {"image_size": 8, "width": 0.02, "separate_channels": 1}}
    with pytest.raises(ValueError, match="Received: "):
        MaskedContentTransfer.from_recipe(varied(varied(recipe, small), changes))
