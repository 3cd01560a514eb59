"""Presets hold what the published recipes say."""

import copy

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.recipes import build_optimizer
from mbu_tf.optimizers import PyTorchAdam

pytestmark = pytest.mark.usefixtures("eagerly")

PUBLISHED = {  # lambda_1, lambda_2, cycle, lambda_4, lambda_5, confusion
    "glasses": (5, 7, 0.001, 0.7, 0.7, 0.005),
    "smile": (5, 7, 0.0001, 1.0, 1.0, 0.005),
    "womens_hair": (1, 1, 0.04, 0.1, 0.1, 1.0),
    "mens_hair": (5, 5, 0.5, 0.5, 0.5, 1.0),
}
NAMES = ("recon1_a", "recon1_b", "cycle_separate", "recon2_a", "recon2_b", "confusion")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipes(name):
    recipe = MaskedContentTransfer.presets[name]
    model = MaskedContentTransfer.from_preset(name, image_size=32, width=0.06)
    assert tuple(model.loss_weights[n] for n in NAMES) == PUBLISHED[name]
    assert model.loss_weights["cycle_common"] == 0
    assert model.generator_clip_norm == 5 and model.discriminator_clip_norm is None
    for optimizer in (model.optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    assert recipe["architecture"] == {"image_size": 128, "width": 1.0, "separate_channels": 25}
    assert recipe["training"] == {"steps": 150_000, "batch_size": 32, "flip": True}


@pytest.mark.parametrize("name", MaskedContentTransfer.presets)
def test_every_preset_builds_and_is_plain_data(name):
    recipe = MaskedContentTransfer.presets[name]
    assert set(recipe) - {"weights"} == {
        *("description", "architecture", "optimizer", "discriminator_optimizer"),
        *("compile", "training"),
    }
    small = {"image_size": 32, "width": 0.06}
    model = MaskedContentTransfer.from_preset(name, load_weights=False, **small)
    assert model.compiled and model.image_size == 32


@pytest.mark.parametrize("held, whole", [(0.7, 4e-3), ("auto", 4e-3 * (0.02 + 0.98 * 0.5))])
def test_a_rate_is_held_before_it_decays(held, whole):
    recipe = {**MaskedContentTransfer.recipe("auto")["optimizer"], "held": held}
    rate = build_optimizer(recipe, steps=1000)._learning_rate
    # Half a cosine from 700, or from 0, to 1,000, from 1 to 0.02; "auto" leaves it to images.
    assert float(rate(0)) == pytest.approx(4e-3)
    assert float(rate(500)) == pytest.approx(whole, rel=1e-5)
    assert float(rate(1000)) == pytest.approx(4e-3 * 0.02, rel=1e-5)


@pytest.mark.parametrize("steps, rate", [(600, 4e-3), (1000, 4e-3), (4000, 2e-3)])
def test_auto_learns_more_slowly_in_longer_runs(steps, rate):
    model = MaskedContentTransfer.from_preset("auto", image_size=32, width=0.06, steps=steps)
    for optimizer in (model.optimizer, model.discriminator_optimizer):
        schedule = optimizer._learning_rate
        assert schedule.initial_learning_rate == pytest.approx(rate)
        assert schedule.decay_steps == steps


def test_the_avatar_recipe_decays_over_the_steps_given():
    model = MaskedContentTransfer.from_preset("avatars", image_size=32, width=0.06, steps=77)
    schedule = model.optimizer._learning_rate
    assert schedule.decay_steps == 77


def test_facial_hair_in_photographs_differs_in_three_weights():
    presets = copy.deepcopy(MaskedContentTransfer.presets)
    hair, plain = presets["photos_facial_hair"], presets["photos"]
    for name, hair_weight, plain_weight in (
        ("confusion", 1.0, 0.2),
        ("recon2_a", 2.0, 1.0),
        ("recon2_b", 2.0, 1.0),
    ):
        assert hair["compile"]["loss_weights"].pop(name) == hair_weight
        assert plain["compile"]["loss_weights"].pop(name) == plain_weight
    assert {**hair, "description": ""} == {**plain, "description": ""}


def test_a_recipe_of_ones_own():
    recipe = copy.deepcopy(MaskedContentTransfer.recipe("avatars"))
    recipe["compile"]["loss_weights"]["recon1_a"] = 3.0
    small = {"image_size": 32, "width": 0.06}
    own = MaskedContentTransfer.from_recipe(recipe, steps=9, **small)
    named = MaskedContentTransfer.from_preset("avatars", steps=9, **small)
    configs = [model.get_compile_config() for model in (own, named)]
    assert [config["loss_weights"].pop("recon1_a") for config in configs] == [3.0, 5.0]
    for config in configs:
        for name in ("optimizer", "discriminator_optimizer"):
            config[name]["config"].pop("name")
    assert configs[0] == configs[1]
    assert own._config == named._config


def test_unknown_preset():
    with pytest.raises(ValueError, match="Presets are.*glasses.*Received: name='hats'"):
        MaskedContentTransfer.from_preset("hats")


SMALL = {"image_size": 64, "width": 0.06, "separate_channels": 3}


def formulated(formulation, images, **arguments):
    """A small model of a formulation that has trained a step."""
    model = MaskedContentTransfer.from_preset(
        "smile", formulation=formulation, **{**SMALL, **arguments}
    )
    logs = model.fit(*images, batch_size=4, verbose=0).history
    assert all(np.isfinite(v).all() for v in logs.values())
    return model


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 64, 64, 3)).astype("float32")


@pytest.mark.slow
def test_the_published_codes_formulation(images):
    model = formulated("published_code", images)
    config = model.get_config()
    assert (config["depth"], config["decoder_activation"]) == (6, "leaky_relu")
    assert (config["decoder_a_input"], config["separate_code_of_a"]) == (
        "common_and_zeros",
        "zeros",
    )
    assert config["share_passes"] is False
    assert (model.generator_clip_norm, model.discriminator_clip_norm) == (5.0, None)
    assert (model.confusion_label, model.discriminator_codes) == (0, "updated")
    assert tuple(model.loss_weights[n] for n in NAMES) == PUBLISHED["smile"]
    assert model.loss_weights["cycle_common"] == 0
    for optimizer in (model.optimizer, model.discriminator_optimizer):
        assert type(optimizer) is PyTorchAdam
        assert float(optimizer.learning_rate) == 2e-4
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-8)


@pytest.mark.slow
def test_the_papers_formulation(images):
    model = formulated("paper", images)
    config = model.get_config()
    assert (config["common_channels"], config["decoder_activation"]) == ("paper", "relu")
    assert (config["decoder_a_input"], config["separate_code_of_a"]) == ("common", "encoded")
    assert (model.generator_clip_norm, model.confusion_label) == (None, 1)
    assert model.discriminator_codes == "shared"
    weights = model.loss_weights
    assert weights["cycle_common"] == weights["cycle_separate"] == 0.0001
    assert weights["confusion"] == 1.0 and weights["recon1_b"] == 7
    recipe = MaskedContentTransfer.recipe("glasses", "paper")
    assert recipe["architecture"]["separate_channels"] == 100
    assert recipe["architecture"]["image_size"] == 128


def test_formulations_leave_the_presets_alone():
    before = copy.deepcopy(MaskedContentTransfer.presets)
    for name in before:
        for formulation in ("published_code", "paper"):
            assert MaskedContentTransfer.recipe(name, formulation)["description"]
    assert before == MaskedContentTransfer.presets


def test_unknown_formulation():
    with pytest.raises(ValueError, match="`formulation` must be one of.*'ours'"):
        MaskedContentTransfer.from_preset("glasses", formulation="ours")
