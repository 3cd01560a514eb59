"""Presets hold what the published recipes say."""

import keras
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer

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
    assert set(recipe) == {
        *("description", "architecture", "optimizer", "discriminator_optimizer"),
        *("compile", "training"),
    }
    model = MaskedContentTransfer.from_preset(name, image_size=32, width=0.06)
    assert model.compiled and model.image_size == 32


def test_the_avatar_recipe_decays_over_the_steps_given():
    model = MaskedContentTransfer.from_preset("avatars", image_size=32, width=0.06, steps=77)
    schedule = model.optimizer._learning_rate
    assert schedule.decay_steps == 77


def test_unknown_preset():
    with pytest.raises(ValueError, match="Presets are.*glasses.*Received: name='hats'"):
        MaskedContentTransfer.from_preset("hats")
