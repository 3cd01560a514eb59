"""A training that collapses is taken back, says so, and goes on with other weights."""

import keras
import numpy as np
import pytest

from mbu_tf.callbacks import Backup, Retreat
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.steering import RULES
from mbu_tf.models.training_state import as_array, training_variables

STEERED = {x: "auto" for x in ("confusion", "recon2_a", "recon2_b", "cycle_separate")}

pytestmark = pytest.mark.usefixtures("eagerly")


def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


def compiled(loss_weights=STEERED):
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(image_size=8, width=0.02, separate_channels=1)
    model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3), loss_weights)
    return model


def shut(model):
    """Let decoder B's masks be shut, as they are where lambda_4 and lambda_5 are too large."""
    bias = next(v for v in reversed(model.decoder_b.trainable_variables) if v.shape == (4,))
    bias.assign([-20.0, 0.0, 0.0, 0.0])


def state(model):
    return [as_array(v) for v in training_variables(model, metrics=False)]


def train(model, steps):
    for _ in range(steps):
        logs = model.train_on_batch(*images(), return_dict=True)
    return logs


@pytest.mark.slow
def test_back_is_exactly_before_but_for_the_weight_that_led_there():
    model, retreat = compiled(), Retreat(every=4)
    shut(model)
    train(model, 2)
    before, weight = state(model), float(model.loss_weight("recon2_a"))
    retreat.begin(model)
    train(model, 4)
    with pytest.warns(UserWarning, match="shrunk to nothing.*4 steps ago.*recon2.*1 of 3"):
        assert retreat.after(model, 4)
    assert float(model.loss_weight("recon2_a")) == pytest.approx(0.5 * weight, rel=1e-6)
    own = ("weight_recon2", "most_recon2", "least_recon2", "restarts")
    names = [v.name.removeprefix("steered_") for v in training_variables(model, metrics=False)]
    for name, old, new in zip(names, before, state(model), strict=True):
        if name not in own:
            np.testing.assert_array_equal(new, old, err_msg=name)
    assert train(model, 1)["restarts"] == 1
    assert not retreat.after(model, 3)  # Too early to look again.


def test_it_gives_up_in_words():
    model, retreat = compiled(), Retreat(every=1, attempts=2)
    shut(model)
    train(model, 1)
    retreat.begin(model)
    train(model, 1)
    for _ in range(2):
        with pytest.warns(UserWarning, match="goes back"):
            assert retreat.after(model, 1)
    with pytest.warns(UserWarning, match="back 2 times already and goes on"):
        assert not retreat.after(model, 1)
    assert not retreat.after(model, 1)  # Said once.
    assert model.steering.restarts == 2
    least = RULES["recon2"].first / 4
    assert float(model.loss_weight("recon2_a")) == pytest.approx(least, rel=0.05)


def test_what_is_not_steered_is_left_alone():
    model, retreat = compiled({}), Retreat(every=1)
    retreat.begin(model)
    assert not retreat.after(model, 1)
    given = compiled({**STEERED, "recon2_a": 2.0, "recon2_b": 2.0})
    shut(given)
    train(given, 1)
    retreat.begin(given)
    assert not retreat.after(given, 1)


class Stop(Exception):
    pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Training has collapsed")
def test_an_interrupted_run_goes_back_as_an_uninterrupted_one(tmp_path):
    def fit(folder, stop_at=None):
        def step(batch, logs):
            if batch + 1 == stop_at:
                raise Stop

        model = compiled()
        shut(model)
        a, b = images()
        retreat = Retreat(every=3)
        backup = Backup(folder, every=2, keep=[retreat])
        stopping = keras.callbacks.LambdaCallback(on_train_batch_end=step)
        data = ((np.roll(a, i, axis=2), b) for i in range(backup.step, 8))
        callbacks = [backup, retreat, stopping]
        model.fit(data, steps_per_epoch=8, shuffle=False, verbose=0, callbacks=callbacks)
        return model

    straight = fit(tmp_path / "straight")
    assert straight.steering.restarts == 2
    with pytest.raises(Stop):
        fit(tmp_path / "run", stop_at=5)
    for one, other in zip(state(straight), state(fit(tmp_path / "run")), strict=True):
        np.testing.assert_array_equal(one, other)
