"""`compile` and what it keeps: weights, optimizers, frozen networks."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from tests.conftest import fitting
from tests.every_method import EVERY_METHOD

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}
SIDES = ("optimizer", "discriminator_optimizer")


pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 8, 3)).astype("float32")


def state(model):
    """All numbers of both optimizers, as arrays."""
    return [np.asarray(v) for side in SIDES for v in getattr(model, side).variables]


def assert_equal(one, other):
    assert len(one) == len(other)
    for x, y in zip(one, other, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_second_compile_changes_what_is_named_alone(images):
    recipe = MaskedContentTransfer.recipe("avatars", "paper")
    model = MaskedContentTransfer.from_recipe(recipe, **TINY)
    model.fit(*images, batch_size=4, verbose=0)
    model.generator_clip_norm = None
    before, optimizers = model.get_compile_config(), [getattr(model, x) for x in SIDES]
    model.compile(loss_weights={"recon2_b": 3.0})
    expected = {**before, "loss_weights": {**before["loss_weights"], "recon2_b": 3.0}}
    assert model.get_compile_config() == expected
    assert [getattr(model, x) for x in SIDES] == optimizers
    assert model.optimizer.iterations == 2

    model.compile(keras.optimizers.SGD(0.1), generator_clip_norm=2.0, confusion_label=0)
    expected |= {"generator_clip_norm": 2.0, "confusion_label": 0}
    found = model.get_compile_config()
    assert found.pop("optimizer")["class_name"] == "SGD"
    assert found == {key: value for key, value in expected.items() if key != "optimizer"}
    model.compile(generator_clip_norm=None)
    assert model.generator_clip_norm is None


def test_a_refused_compile_changes_nothing(tiny):
    before = tiny.get_compile_config()
    with pytest.raises(ValueError, match="'recon1_a' must be a number"):
        tiny.compile(keras.optimizers.SGD(), loss_weights={"confusion": 1.0, "recon1_a": -1.0})
    assert tiny.get_compile_config() == before


@pytest.fixture(params=EVERY_METHOD)
def model(request):
    keras.utils.set_random_seed(0)
    method = METHODS[request.param]
    model = method(**fitting(method, **TINY))
    model.compile(keras.optimizers.Adam(5e-3), keras.optimizers.Adam(5e-3))
    return model


@pytest.mark.slow
def test_what_is_frozen_stays_so_in_a_file_and_so_does_the_optimizers_state(
    model, images, tmp_path
):
    model.fit(*images, batch_size=8, verbose=0)
    model.common_encoder.trainable = False
    model.discriminator.get_layer("hidden").trainable = False
    model.compile()
    frozen = model.common_encoder.get_weights()
    held = model.discriminator.get_layer("hidden").get_weights()
    model.fit(*images, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")

    again = load_model(tmp_path / "model.keras")
    assert not again.common_encoder.trainable and not again.common_encoder.layers[1].trainable
    assert not again.discriminator.get_layer("hidden").trainable
    assert again.discriminator.trainable and again.discriminator.get_layer("logit").trainable
    assert again.get_config() == model.get_config()
    assert_equal(state(again), state(model))
    assert again.optimizer.iterations == 2
    for each in (model, again):
        each.fit(*images, batch_size=8, verbose=0)
        assert_equal(frozen, each.common_encoder.get_weights())
        assert_equal(held, each.discriminator.get_layer("hidden").get_weights())
    # And thawed again it goes on.
    again.common_encoder.trainable = True
    again.compile()
    again.fit(*images, batch_size=8, verbose=0)
    assert not np.array_equal(frozen[0], again.common_encoder.get_weights()[0])
    assert again.optimizer.iterations == 4


def test_weights_frozen_without_compiling_anew_lose_no_state_either(model, images, tmp_path):
    model.fit(*images, batch_size=8, verbose=0)
    model.common_encoder.trainable = False
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert_equal(state(again), state(model))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("trained", ["generator", "decoder", "discriminator", "nothing"])
def test_any_part_may_be_frozen(images, trained, policy):
    keras.config.set_dtype_policy(policy)
    model = MaskedContentTransfer(**TINY)
    networks = {x.name: x for x in (*model.generator_networks, model.discriminator)}
    moving = {
        "generator": set(networks) - {"discriminator"},
        "decoder": {"decoder_b"},
        "discriminator": {"discriminator"},
        "nothing": set(),
    }[trained]
    for name, network in networks.items():
        network.trainable = name in moving
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    before = {name: network.get_weights() for name, network in networks.items()}
    history = model.fit(*images, batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all() and history["skipped_steps"] == [0]
    changed = {
        name
        for name, network in networks.items()
        for old, new in zip(before[name], network.get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert changed == moving
