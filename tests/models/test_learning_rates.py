"""Both sides' learning rates under Keras's callbacks, and in files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.callbacks import Backup
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.optimizers import PyTorchAdam

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


def compiled(rate=2e-3, discriminators=1e-3, kind=keras.optimizers.Adam, **arguments):
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY, **arguments)
    model.compile(kind(rate), kind(discriminators))
    return model


def rates(model):
    return tuple(float(x.learning_rate) for x in (model.optimizer, model.discriminator_optimizer))


class Rates(keras.callbacks.Callback):
    """What both rates were at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(rates(self.model))


@pytest.mark.parametrize(
    "precision,kind", [("float32", keras.optimizers.Adam), ("mixed_float16", PyTorchAdam)]
)
def test_a_scheduler_drives_both(images, kind, precision):
    model, seen = compiled(kind=kind, dtype=precision), Rates()
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: [4e-3, 0.0, 1e-3][epoch])
    model.fit(*images, epochs=3, verbose=0, callbacks=[scheduler, seen])
    expected = [(4e-3, 2e-3), (0.0, 0.0), (1e-3, 5e-4)]
    np.testing.assert_allclose(seen.seen, expected, rtol=1e-6)


@pytest.mark.slow
def test_a_plateau_lowers_both(images):
    model = compiled()
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", mode="min", factor=0.5, patience=1, min_delta=1e9
    )
    model.fit(*images, epochs=4, verbose=0, callbacks=[plateau])
    # After epochs 2, 3 and 4.
    assert rates(model) == pytest.approx((2.5e-4, 1.25e-4), rel=1e-6)


def test_the_rate_is_what_the_discriminators_step_is_made_with(images):
    moved = []
    for factor in (1.0, 0.5):
        model = compiled(kind=keras.optimizers.SGD)
        before = model.discriminator.get_weights()
        model.optimizer.learning_rate = 2e-3 * factor
        model.compile(loss_weights=dict.fromkeys(model.loss_weights, 1e-12))
        model.train_on_batch(*images)
        pairs = zip(before, model.discriminator.get_weights(), strict=True)
        moved.append([new - old for old, new in pairs])
    for whole, half in zip(*moved, strict=True):
        np.testing.assert_allclose(half, whole / 2, rtol=2e-2, atol=1e-8)


def test_without_a_change_no_digit_moves(images):
    model = compiled(2e-4, 3e-4)
    for _ in range(3):
        model.train_on_batch(*images)
    assert rates(model) == (np.float32(2e-4), np.float32(3e-4))


def test_a_discriminators_rate_of_ones_own_stays_and_gives_the_new_ratio(images):
    model = compiled()
    model.optimizer.learning_rate, model.discriminator_optimizer.learning_rate = 1e-3, 3e-3
    model.train_on_batch(*images)
    assert rates(model) == pytest.approx((1e-3, 3e-3))
    model.optimizer.learning_rate = 2e-3
    model.train_on_batch(*images)
    assert rates(model) == pytest.approx((2e-3, 6e-3))


@pytest.mark.parametrize("first", [0.0, 1e-3])
def test_a_rate_of_zero(images, first):
    """Frozen at first, there is no ratio to keep, and the discriminator's stays."""
    model = compiled(first, 1e-3)
    for rate in (0.0, 2e-3, 4e-3):
        model.optimizer.learning_rate = rate
        model.train_on_batch(*images)
    assert rates(model)[1] == pytest.approx(2e-3 if first == 0 else 4e-3)


def test_schedules_are_left_alone(images):
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    model = compiled()
    model.compile(keras.optimizers.Adam(schedule))
    model.train_on_batch(*images)
    assert float(model.discriminator_optimizer.learning_rate) == np.float32(1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("at", ["end of an epoch", "end of a step"])
def test_saved_at_any_moment_it_goes_on_exactly(images, at, tmp_path):
    """Also where the generator's rate was assigned since the last step."""
    straight = compiled()
    straight.train_on_batch(*images)
    if at == "end of an epoch":
        straight.optimizer.learning_rate = 0.0
    straight.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    for model in (straight, again):
        model.train_on_batch(*images)
        model.optimizer.learning_rate = 7e-4
        model.train_on_batch(*images)
    assert rates(again) == rates(straight) == pytest.approx((7e-4, 3.5e-4))
    for v, w in zip(again.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(v, w)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["backup", "scheduler"])
def test_an_interrupted_run_goes_on_exactly(images, first, tmp_path):
    data = tf.data.Dataset.from_tensors(tuple(images)).repeat()

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def run(*callbacks, name):
        model, backup = compiled(), Backup(tmp_path / name, every=1)
        scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 / (epoch + 1) ** 2)
        pair = [backup, scheduler] if first == "backup" else [scheduler, backup]
        model.fit(
            data,
            steps_per_epoch=2,
            epochs=3,
            verbose=0,
            shuffle=False,
            callbacks=[*pair, *callbacks],
        )
        return model

    straight = run(name="straight")
    with pytest.raises(KeyboardInterrupt):
        run(Stop(), name="resumed")
    resumed = run(name="resumed")
    assert rates(resumed) == rates(straight) == pytest.approx((1e-3 / 9, 5e-4 / 9))
    for v, w in zip(resumed.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(v, w)
