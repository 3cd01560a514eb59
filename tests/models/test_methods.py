"""What every method inherits, tried on each of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from tests.conftest import fitting
from tests.every_method import EVERY_METHOD
from tests.models.conftest import TINY

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(autouse=True)
def deterministic():
    tf.config.experimental.enable_op_determinism()


@pytest.fixture(params=EVERY_METHOD)
def method(request):
    return METHODS[request.param]


@pytest.fixture
def model(method):
    keras.utils.set_random_seed(0)
    model = method(**fitting(method, **TINY))
    model.compile(keras.optimizers.Adam(5e-3), keras.optimizers.Adam(5e-3))
    return model


def weights(model):
    return [np.asarray(v) for v in model.weights]


@pytest.mark.slow
def test_epochs_decrease_the_reconstruction_and_report_every_term(model, images):
    history = model.fit(*images, batch_size=8, epochs=10, verbose=0).history
    for name in model.active_losses:
        assert len(history[name]) == 10 and np.isfinite(history[name]).all(), name
    reconstructions = [name for name in model.active_losses if name.startswith("recon")]
    first, last = (sum(history[name][i] for name in reconstructions) for i in (0, -1))
    assert last < 0.97 * first


def test_the_total_is_the_weighted_sum_of_the_terms(model, images):
    logs = model.evaluate(*images, batch_size=8, verbose=0, return_dict=True)
    total = sum(model.loss_weights[name] * logs[name] for name in model.active_losses)
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("trained", ["generator", "discriminator"])
def test_each_step_moves_its_own_networks_alone(model, images, trained):
    still, moving = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1)
    pair = (moving, still) if trained == "generator" else (still, moving)
    model.compile(*pair, loss_weights=dict.fromkeys(model.default_loss_weights, 1.0))
    networks = {x.name: x for x in (*model.generator_networks, model.discriminator)}
    before = {n: [np.asarray(v) for v in x.trainable_variables] for n, x in networks.items()}
    model.fit(*images, batch_size=8, verbose=0)
    moved = {
        name
        for name, network in networks.items()
        for old, new in zip(before[name], network.trainable_variables, strict=True)
        if not np.array_equal(old, new)
    }
    discriminator = {"discriminator"}
    assert moved == (set(networks) - discriminator if trained == "generator" else discriminator)


@pytest.mark.slow
def test_save_load_continue_equals_uninterrupted_bit_for_bit(model, images, tmp_path):
    def train(model):
        model.fit(*images, batch_size=4, shuffle=False, verbose=0)

    train(model)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.get_config() == model.get_config()
    train(model)
    train(again)
    for one, other in zip(weights(model), weights(again), strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("optimizer", "discriminator_optimizer"):
        states = (getattr(x, name).variables for x in (model, again))
        for one, other in zip(*states, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_and_gives_float32(method, images, policy):
    keras.config.set_dtype_policy(policy)
    model = method(**fitting(method, **TINY))
    model.compile()
    history = model.fit(*images, batch_size=4, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    for result in keras.tree.flatten(model(images)):
        assert result.dtype == "float32"


def test_predict_takes_pairs(model, images):
    results = keras.tree.flatten(model.predict(list(images), batch_size=4, verbose=0))
    expected = keras.tree.flatten(model(images))
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_calibration_says_what_it_set(model, images):
    editors = {"mask_threshold": lambda: model}
    editors |= {f"mask_threshold_{x}": lambda x=x: getattr(model, f"part_{x}") for x in "ab"}
    found = model.calibrate(*images)
    assert ("mask_shared" in found) == isinstance(model, MaskedContentTransfer)
    found.pop("mask_shared", None)
    for name, value in found.items():
        assert 0 < value < 1
        assert editors[name]().mask_threshold == pytest.approx(value)


def test_every_preset_builds_in_every_formulation(method):
    for name in method.presets:
        for formulation in (None, *method.formulations):
            small = fitting(method, width=0.08, separate_channels=3)
            small |= {"formulation": formulation, "load_weights": False}
            model = method.from_preset(name, **small)
            assert model.compiled
    with pytest.raises(ValueError, match="Presets are.*Received: name='hats'"):
        method.from_preset("hats")


@pytest.mark.parametrize(
    "wrong",
    [
        {"separate_channels": 0},
        {"separate_channels": 10**6},
        {"width": -1.0},
        {"image_size": 33},
        {"normalization": "layer"},
        {"decoder_activation": "gelu"},
        {"encoder_activation": "gelu"},
    ],
)
def test_arguments_outside_their_range_are_refused(method, wrong):
    with pytest.raises(ValueError, match="Received: "):
        tiny = fitting(method, **TINY)
        method(**{**tiny, **({"depth": None} if "image_size" in wrong else {}), **wrong})
