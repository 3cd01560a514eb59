"""An interrupted training goes on as if nothing had been."""

import os
import random
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.callbacks import Backup, Interrupted
from mbu_tf.data.domains import ImageArray, TwoDomains
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.training_state import as_array, training_variables
from mbu_tf.runs.state import read_newest_state, state_files, write_state


class Crash(Exception):
    pass


class CrashAt(keras.callbacks.Callback):
    """Ends the process, as it were, after a number of steps of this session."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Crash


def assert_same(one, other):
    for v, w in zip(training_variables(one), training_variables(other), strict=True):
        np.testing.assert_array_equal(as_array(v), as_array(w), err_msg=v.path)
    assert one.history.history == other.history.history
    assert one.history.epoch == other.history.epoch


@pytest.mark.slow
def test_both_sides_of_a_method_go_on_bit_for_bit(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")  # With loss scales, then.
    rng = np.random.default_rng(0)
    images = [ImageArray(rng.integers(0, 256, (n, 8, 8, 3), np.uint8)) for n in (5, 7)]
    domains = TwoDomains(*images, 8)

    def fit(folder, *callbacks):
        keras.utils.set_random_seed(0)
        model = MaskedContentTransfer(image_size=8, width=0.02, separate_channels=1)
        decay = keras.optimizers.schedules.CosineDecay(2e-3, 8)
        model.compile(keras.optimizers.Adam(decay), keras.optimizers.Adam(1e-3), run_eagerly=True)
        backup = Backup(folder, every=2)
        model.fit(
            domains.batches(2, flip=True, first_step=backup.step),
            steps_per_epoch=3,
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[backup, *callbacks],
        )
        return model

    straight = fit(tmp_path / "straight")
    with pytest.raises(Crash):
        fit(tmp_path / "run", CrashAt(5))
    assert_same(fit(tmp_path / "run"), straight)
    assert sum("dynamic_scale" in x.path for x in training_variables(straight)) == 2


VALUES = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")


class Noise(keras.callbacks.Callback):
    """Draws on the random state of Python and of NumPy."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def on_train_batch_end(self, batch, logs=None):
        self.drawn.append(random.random() + np.random.random())


def session(folder, *callbacks, epochs=4, every=4, **backup):
    """One session of a small network with dropout: model, noise and what else has a state."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.3), "mse", run_eagerly=True)
    model.optimizer.build(model.trainable_variables)
    best = keras.callbacks.ModelCheckpoint(
        str(folder) + "-best.keras", monitor="loss", save_best_only=True
    )
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=0.5)
    early = keras.callbacks.EarlyStopping(
        monitor="loss", patience=3, start_from_epoch=1, restore_best_weights=True
    )
    noise = Noise()
    keep = [noise, best, plateau, early]
    backup = Backup(folder, every=every, keep=keep, **backup)
    steps = tf.data.Dataset.counter(backup.step)
    rows = steps.map(lambda step: tf.gather(VALUES, 4 * step % 60 + [0, 1, 2, 3]))
    with backup.on_signals():
        model.fit(
            rows.map(lambda x: (x[:, :3], x[:, 3:])),
            steps_per_epoch=6,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[*keep, backup, *callbacks],
        )
    return model, keep


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return session(tmp_path_factory.mktemp("straight") / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("every", "crashes"), [(4, (7, 11)), (1, (1, 1, 6)), (None, (3, 8)), (4, (23,))]
)
def test_random_state_best_values_and_history_go_on(tmp_path, straight, every, crashes):
    for crash in crashes:
        with pytest.raises(Crash):
            session(tmp_path / "run", CrashAt(crash), every=every)
    model, kept = session(tmp_path / "run", every=every)
    assert_same(model, straight[0])
    for one, other in zip(kept, straight[1], strict=True):
        for name in ("drawn", "best", "wait", "best_epoch", "cooldown_counter"):
            assert getattr(one, name, None) == getattr(other, name, None), name
    for one, other in zip(kept[-1].best_weights, straight[1][-1].best_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_lost_is_less_than_the_interval(tmp_path):
    with pytest.raises(Crash):
        session(tmp_path / "run", CrashAt(11))
    assert [path.stem for path in state_files(tmp_path / "run")] == [
        "step-000000004",
        "step-000000008",
    ]


def test_a_finished_run_has_nothing_left_to_do(tmp_path, straight):
    session(tmp_path / "run")
    crash = CrashAt(1)
    model, _ = session(tmp_path / "run", crash)
    assert crash.left == 1
    assert_same(model, straight[0])


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model, _ = session(tmp_path / "run", Stop())
    again, _ = session(tmp_path / "run")
    assert_same(again, model)
    assert len(again.history.epoch) == 2


def test_a_stop_in_the_resumed_epoch_is_not_undone(tmp_path):
    with pytest.raises(Crash):
        session(tmp_path / "run", CrashAt(9))

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    assert len(session(tmp_path / "run", Stop())[0].history.epoch) == 2


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_training_before_the_next_step(tmp_path, straight, number):
    class Signal(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                os.kill(os.getpid(), number)

    handlers = [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted, match="interrupted after step 3, .*run") as raised:
        session(tmp_path / "run", Signal())
    assert raised.value.number == number
    assert [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert_same(session(tmp_path / "run")[0], straight[0])


def test_a_second_signal_is_what_it_was_before(tmp_path):
    received = []
    # Its own, since a shell may start background processes with SIGINT ignored.
    before = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    try:
        with Backup(tmp_path).on_signals():
            signal.raise_signal(signal.SIGINT)
            assert received == []
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert received == [signal.SIGINT]


def test_another_run_is_refused_by_what_differs(tmp_path):
    session(tmp_path / "run", epochs=1, settings={"batch": 4, "rate": 0.3})
    with pytest.raises(ValueError, match="another one: batch was 4, now is 8. Go on with"):
        session(tmp_path / "run", settings={"batch": 8, "rate": 0.3})
    with pytest.raises(ValueError, match="kept was .*'EarlyStopping'.*, now is .*Noise"):
        Backup(tmp_path / "run", keep=[Noise()], settings={"batch": 4, "rate": 0.3})


def test_another_model_is_refused(tmp_path):
    session(tmp_path / "run", epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        dense = keras.layers.Dense
        patch.setattr(keras.layers, "Dense", lambda units: dense(5 if units == 4 else units))
        with pytest.raises(ValueError, match="another model: it has 17 variables of 69 numbers"):
            session(tmp_path / "run")


@pytest.mark.parametrize("every", [0, -1, 1.0, True, "epoch"])
def test_every_must_be_a_positive_integer(tmp_path, every):
    with pytest.raises(ValueError, match="`every` must be a positive integer or None. Received:"):
        Backup(tmp_path, every=every)


def test_a_disk_that_is_full_ends_training_with_the_state_before(tmp_path, straight):
    from tests.system.test_files import full_disk

    with pytest.raises(Crash):
        session(tmp_path / "run", CrashAt(15))
    before = state_files(tmp_path / "run")
    with pytest.raises(OSError, match="Cannot write.*step-000000016.npz"), full_disk():
        session(tmp_path / "run")
    assert state_files(tmp_path / "run") == before
    assert_same(session(tmp_path / "run")[0], straight[0])


def test_the_folder_goes_when_all_is_done(tmp_path):
    session(tmp_path / "run", epochs=1)
    backup = Backup(tmp_path / "other")
    backup.delete()  # Nothing there, nothing to do.
    backup.folder = tmp_path / "run"
    backup.delete()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "attributes",
    [
        {"unheard_of": 1},
        {"on_epoch_end": 1},
        {"params": {}},
        {"_model": None},
        {"drawn": "text"},
    ],
)
def test_a_state_sets_no_attribute_of_its_own_choosing(tmp_path, attributes):
    session(tmp_path, epochs=1)
    state = read_newest_state(tmp_path)
    state["callbacks"][1] |= attributes
    write_state(tmp_path, state.pop("step"), state)
    name = next(iter(attributes))
    with pytest.raises(ValueError, match=f"a Noise has no such attribute.*Received: {name}="):
        session(tmp_path, epochs=2)


@pytest.mark.parametrize("part", ["settings", "variables", "random", "callbacks", "epoch"])
def test_a_state_without_a_part_is_damaged(tmp_path, part):
    session(tmp_path, epochs=1)
    for path in state_files(tmp_path)[:-1]:
        path.unlink()
    state = read_newest_state(tmp_path)
    del state[part]
    write_state(tmp_path, state.pop("step"), state)
    with pytest.raises(ValueError, match=f"is damaged.*'{part}' is a required property"):
        Backup(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "alter",
    [
        lambda state: state["random"]["numpy"].__setitem__(1, np.zeros(())),
        lambda state: state["random"]["numpy"].__setitem__(1, np.zeros((1, 0))),
        lambda state: state["random"]["python"].__setitem__(1, [1, 2]),
        lambda state: state["random"]["python"].__setitem__(0, 99),
        lambda state: state["callbacks"].pop(),
    ],
)
def test_a_state_that_cannot_be_taken_up_is_refused(tmp_path, alter):
    session(tmp_path, epochs=1)
    state = read_newest_state(tmp_path)
    alter(state)
    write_state(tmp_path, state.pop("step"), state)
    message = (
        f"{tmp_path} holds no state that a run can go on from. Choose another folder. Received"
    )
    with pytest.raises(ValueError, match=message):
        session(tmp_path, epochs=2)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["epoch"], 1.0),  # Of JSON Schema an integer, of Python none.
        (["step_in_epoch"], 0.0),
        (["callbacks", 0, "history"], None),
        (["callbacks", 0, "history", "loss"], 3),
        (["callbacks", 1, "drawn"], None),
    ],
)
def test_what_would_end_training_later_is_told_at_its_beginning(tmp_path, place, value):
    session(tmp_path, epochs=1)
    for path in state_files(tmp_path)[:-1]:
        path.unlink()
    state = read_newest_state(tmp_path)
    part = state
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    write_state(tmp_path, state.pop("step"), state)
    with pytest.raises(ValueError, match=f"{tmp_path}.*(is damaged|has no such attribute)"):
        session(tmp_path, epochs=2)
