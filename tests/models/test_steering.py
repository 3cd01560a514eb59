"""Loss weights that steer themselves: rules against NumPy, and what is never moved."""

import keras
import numpy as np
import pytest

from mbu_tf.callbacks import Backup
from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.content_transfer import MaskedContentTransfer, code_spread
from mbu_tf.models.loading import load_model
from mbu_tf.models.steering import COLLAPSES, RULES, SHARE, Steering
from mbu_tf.models.training_state import as_array, training_variables

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}
STEERED = {x: "auto" for x in ("confusion", "recon2_a", "recon2_b", "cycle_separate")}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


def compiled(loss_weights=STEERED, kind=MaskedContentTransfer, **arguments):
    keras.utils.set_random_seed(0)
    model = kind(**TINY, **arguments)
    model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3), loss_weights)
    return model


def values(steering):
    return {v.name: float(keras.ops.convert_to_numpy(v)) for v in steering.variables}


def following(name, weight, **means):
    """What the rule makes of a weight."""
    tensors = {n: keras.ops.convert_to_tensor(x) for n, x in means.items()}
    return float(RULES[name].value(keras.ops.convert_to_tensor(weight), tensors))


@pytest.mark.parametrize(
    "rule,weight,means,expected",
    [
        ("confusion", 0.5, {"discriminator_accuracy": 0.57}, 0.5),
        ("confusion", 0.5, {"discriminator_accuracy": 0.61}, 0.5 * np.exp(0.05 * 0.04)),
        ("confusion", 0.5, {"discriminator_accuracy": 1.0}, 0.5 * np.exp(0.005)),
        ("confusion", 0.5, {"discriminator_accuracy": 0.5}, 0.5 * np.exp(-0.05 * 0.07)),
        (
            "confusion",
            0.5,
            {"discriminator_accuracy": 0.57, "mask_contrast": 1.2},
            0.5 * np.exp(0.006 * 0.3),
        ),
        (
            "confusion",
            0.5,
            {"discriminator_accuracy": 0.65, "mask_contrast": 1.9},
            0.5 * np.exp(0.05 * 0.04),
        ),
        ("confusion", 0.5, {"discriminator_accuracy": 0.67, "mask_contrast": 4.0}, 0.5),
        ("recon2", 1.0, {"mask_coverage": 0.02, "mask_contrast": 1.0}, np.exp(-0.04 * 0.5 * 0.5)),
        ("recon2", 1.0, {"mask_coverage": 0.01, "mask_contrast": 1.2}, np.exp(-0.04 * 0.75 * 0.3)),
        ("recon2", 1.0, {"mask_coverage": 0.01, "mask_contrast": 1.6}, 1.0),
        ("recon2", 1.0, {"mask_coverage": 0.03, "mask_contrast": 1.6}, np.exp(0.001)),
        ("recon2", 1.0, {"mask_coverage": 0.04, "mask_contrast": 1.0}, np.exp(0.002)),
        *[
            (
                "mask_size",
                9.0,
                {"recon1_a": 0.2, "mask_coverage": coverage, "mask_contrast": contrast},
                0.1 * 7 * 0.2 * factor,
            )
            for coverage, contrast, factor in (
                (0.05, 3.0, 0.5),
                (0.3, 1.5, 0.5),
                (0.3, 2.5, 1.0),
                (0.3, 0.9, 0.0),
            )
        ],
        ("cycle", 0.02, {"code_spread": 0.25}, 0.02 * np.exp(-0.0005)),
        ("cycle", 0.02, {"code_spread": 0.7}, 0.02 * np.exp(0.001)),
    ],
)
def test_rules_are_what_they_say(rule, weight, means, expected):
    assert following(rule, weight, **means) == pytest.approx(expected, rel=1e-6)


def test_means_are_of_what_was_measured_each_by_its_weight():
    steering, ratios, weights = Steering(["recon2"]), [1.0, 3.0, 2.0], [0.5, 0.1, 0.4]
    for ratio, weight in zip(ratios, weights, strict=True):
        measured = {n: 0.05 for n in steering.measured} | {"mask_contrast": (ratio, weight)}
        steering.follow(measured, True)
    fading = (1 - SHARE) ** np.array([2, 1, 0]) * weights
    expected = np.sum(fading * ratios) / np.sum(fading)
    means = {n: float(x) for n, x in steering.means().items()}
    assert means["mask_contrast"] == pytest.approx(expected, rel=1e-5)
    assert means["mask_coverage"] == pytest.approx(0.05, rel=1e-5)


@pytest.mark.slow
def test_weights_stay_within_their_bounds_and_a_skipped_step_moves_none():
    steering = Steering(["confusion"])
    for _ in range(2000):
        steering.follow({"discriminator_accuracy": 1.0}, True)
    assert float(steering.weight("confusion")) == pytest.approx(RULES["confusion"].most)
    before = values(steering)
    steering.follow({"discriminator_accuracy": float("nan")}, False)
    assert values(steering) == before


def test_the_step_is_weighted_by_what_the_logs_show(images):
    model = compiled()
    before = model.steering.logs()
    shown = {name: float(x) for name, x in before.items()}
    logs = model.train_on_batch(*images, return_dict=True)
    names = ("confusion", "recon2", "recon2", "cycle")
    weights = {x: shown[f"weight_{n}"] for x, n in zip(STEERED, names, strict=True)}
    fixed = {x: model.loss_weights[x] for x in model.active_losses if x not in STEERED}
    total = sum(weight * logs[x] for x, weight in {**weights, **fixed}.items())
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    # The logs show what the next step is weighted by.
    assert {x: logs[x] for x in shown} == {n: float(x) for n, x in model.steering.logs().items()}
    assert {x: logs[x] for x in shown} != shown


def test_a_weight_that_is_given_is_never_moved(images):
    model = compiled({**STEERED, "recon2_a": 0.4, "recon2_b": 0.4})
    for _ in range(3):
        logs = model.train_on_batch(*images, return_dict=True)
    assert "weight_recon2" not in logs and "weight_confusion" in logs
    assert model.loss_weights["recon2_a"] == 0.4
    assert float(model.loss_weight("recon2_b")) == pytest.approx(0.4)
    alone = compiled({}).train_on_batch(*images, return_dict=True)
    assert not [name for name in alone if name.startswith(("weight", "restarts", "code"))]


def test_a_step_that_is_not_finite_changes_nothing(images):
    model = compiled()
    model.train_on_batch(*images)
    before = values(model.steering)
    broken = images.copy()
    broken[0, 0] = np.nan
    assert model.train_on_batch(*broken, return_dict=True)["skipped_steps"] == 1
    assert values(model.steering) == before


def test_other_methods_steer_confusion_alone(images):
    model = compiled({"confusion": "auto"}, ContentDisentanglement)
    assert "weight_confusion" in model.train_on_batch(*images, return_dict=True)
    with pytest.raises(ValueError, match=r"only \['confusion'\] can be 'auto'.*recon_a"):
        model.compile(loss_weights={"recon_a": "auto"})


def test_what_is_not_measured_steers_nothing():
    with pytest.raises(ValueError, match="recon1_a and recon1_b a weight.*no mask_contrast"):
        compiled({**STEERED, "recon1_b": 0.0})


def test_what_was_learned_is_in_the_file_and_outlives_compile(images, tmp_path):
    model = compiled()
    for _ in range(3):
        model.train_on_batch(*images)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert values(loaded.steering) == values(model.steering)
    loaded.compile(generator_clip_norm=1.0)
    assert values(loaded.steering) == values(model.steering)
    loaded.compile(loss_weights=dict.fromkeys(STEERED, 1.0))
    assert loaded.steering is None and len(loaded.get_weights()) == len(model.get_weights())


class Stop(Exception):
    pass


@pytest.mark.slow
def test_an_interrupted_run_goes_on_bit_for_bit(images, tmp_path):
    def fit(folder, stop_at=None):
        def stop(batch, logs):
            if batch + 1 == stop_at:
                raise Stop

        model = compiled()
        data = [tuple(np.roll(x, i, axis=-2) for x in images) for i in range(6)]
        backup = Backup(folder, every=2)
        stopping = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
        batches = (x for x in data[backup.step :])
        callbacks = [backup, stopping]
        model.fit(batches, steps_per_epoch=6, shuffle=False, verbose=0, callbacks=callbacks)
        return model

    straight = fit(tmp_path / "straight")
    with pytest.raises(Stop):
        fit(tmp_path / "run", stop_at=5)
    resumed = fit(tmp_path / "run")
    for v, w in zip(*map(training_variables, (straight, resumed)), strict=True):
        np.testing.assert_array_equal(as_array(v), as_array(w), err_msg=v.path)
    assert values(straight.steering) == values(resumed.steering)
    assert straight.history.history == resumed.history.history


def test_the_spread_of_codes_is_that_over_the_batch():
    codes = np.random.default_rng(0).normal(1, 0.5, (6, 2, 2, 3)).astype("float32")
    expected = np.sqrt(codes.var(axis=0).mean() / np.square(codes).mean())
    assert float(code_spread(codes)) == pytest.approx(expected, rel=1e-5)
    assert float(code_spread(np.repeat(codes[:1], 6, axis=0))) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("collapse", COLLAPSES, ids=lambda x: x.what)
def test_a_weight_that_led_to_a_collapse_is_turned_away_for_good(collapse):
    steering = Steering([collapse.rule])
    before = float(steering.weight(RULES[collapse.rule].losses[0]))
    assert steering.turn(collapse) == pytest.approx(collapse.factor * before, rel=1e-6)
    found, bound = values(steering), "most" if collapse.factor < 1 else "least"
    assert found[f"steered_{bound}_{collapse.rule}"] == pytest.approx(collapse.factor * before)
    assert steering.restarts == found["steered_restarts"] == 1
    assert steering.turn(collapse) == pytest.approx(collapse.factor**2 * before, rel=1e-6)
