"""A callback that keeps a run's whole state, so that an interrupted one goes on exactly."""

import contextlib
import inspect
import json
import pathlib
import random
import shutil
import signal
import time
from typing import Any

import keras
import numpy as np

from mbu_tf.callbacks.backup_schema import STATE
from mbu_tf.models.training_state import as_array, training_variables
from mbu_tf.runs.state import differences, read_newest_state, write_state
from mbu_tf.system.files import remove_leftovers
from mbu_tf.system.interrupts import Interrupted, noted_signals
from mbu_tf.system.reading import refusing
from mbu_tf.types import FilePath

# What `stop_training` is set to where only an epoch is to end; other callbacks set True.
EPOCH_IS_DONE = "the epoch is done"


class Backup(keras.callbacks.Callback):
    """Keeps the state of `fit` every so many steps; a later `fit` goes on from the last.

    What follows equals the uninterrupted run bit for bit, in the middle of an
    epoch too, if operations are deterministic
    (`tf.config.experimental.enable_op_determinism`, on a CPU as a rule without)
    and the data go on at `step`:

        backup = Backup("run/backup", every=500)
        model.fit(
            domains.batches(16, first_step=backup.step),
            steps_per_epoch=1000,
            epochs=10,
            callbacks=[backup],
        )

    The same script, started again, goes on. The variables of the model and of its
    optimizers must exist before `fit`, as with this library's models. Kept are all weights, running
    statistics, metrics and seed generators of the model, all its optimizers
    with their loss scales, the history, Python's and NumPy's random state, and
    what the callbacks in `keep` have changed of themselves, such as the best
    value so far. Not kept are random operations without a seed generator of
    their layer's or model's own, and the order of data that Keras shuffles.

    A state is written beside and renamed; the one before it stays too, for the
    case that the disk damages the newest. Under `tf.distribute` with several
    workers the chief writes and all read, so that all must see the folder.

    Args:
        folder: for the states; made when the first is written.
        every: steps between two states; `None` is an epoch.
        keep: callbacks of the same `fit` that have a state of their own.
        settings: dict of plain values that the run depends on, e.g. its batch
            size; a state made with others is refused.

    Attributes:
        step: training steps done, of the state found and then of training.
        seconds: that `fit` has taken for them, in all its sessions.

    Raises:
        ValueError: on a wrong `every`, a state of other settings, or if all
            states are damaged; at the start of `fit`, of another model.
        OSError: if states may not be read, or while training not be written.
        Interrupted: see `on_signals`.
    """

    def __init__(
        self, folder: FilePath, every: int | None = None, keep: Any = (), settings: Any = None
    ) -> None:
        super().__init__()
        if every is not None and (type(every) is not int or every < 1):
            raise ValueError(
                f"`every` must be a positive integer or None. Received: every={every!r}"
            )
        self.folder, self.every, self.keep = pathlib.Path(folder), every, list(keep)
        self.settings = {**(settings or {}), "kept": [type(x).__name__ for x in self.keep]}
        self._found = read_newest_state(folder, STATE)
        if self._found is not None:
            self._check_settings()
        self.step = self._kept_step = self._found["step"] if self._found else 0
        self.seconds = self._found["seconds"] if self._found else 0.0
        self._signals = []

    def _check_settings(self):
        changed = differences(self._found["settings"], self.settings)
        if changed:
            raise ValueError(
                f"The run kept in {self.folder} is another one: {'; '.join(changed)}. Go on with "
                "the same settings, or choose another folder."
            )

    @contextlib.contextmanager
    def on_signals(self, numbers=(signal.SIGINT, signal.SIGTERM)):
        """Within the block, Ctrl-C and SIGTERM end `fit` between two steps, the state kept.

        `fit` then raises `Interrupted`. A second signal acts as it did before.
        In another thread than the main one signals are left as they are.
        """
        with noted_signals(numbers) as self._signals:
            yield

    def delete(self) -> None:
        """Remove the folder, once what comes after `fit` is done as well."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def on_train_begin(self, logs=None):
        self._epoch, self._step_in_epoch = 0, 0
        # Steps of the first epoch that an earlier session made.
        self._made_before = 0
        self._clock = time.monotonic() - self.seconds
        self._unchanged = None
        if self._writes():
            remove_leftovers(self.folder)
        if self._found is not None:
            self._epoch, self._made_before = self._found["epoch"], self._found["step_in_epoch"]
            self._step_in_epoch = self._made_before
            self.model._initial_epoch = self._epoch  # As Keras's own BackupAndRestore does.
            self._set_variables()

    def on_epoch_begin(self, epoch, logs=None):
        self._begin_or_keep()

    def on_train_batch_begin(self, batch, logs=None):
        # Not at the end of the step before: other callbacks then still work on it.
        self._begin_or_keep()

    def on_train_batch_end(self, batch, logs=None):
        self.step += self._made_before + batch + 1 - self._step_in_epoch
        self._step_in_epoch = self._made_before + batch + 1
        # Keras would make all steps of an epoch that was begun earlier.
        if self._made_before and self._step_in_epoch >= (self.params["steps"] or float("inf")):
            self._model.stop_training = self._model.stop_training or EPOCH_IS_DONE

    def on_epoch_end(self, epoch, logs=None):
        self._epoch, self._step_in_epoch, self._made_before = epoch + 1, 0, 0
        if self._model.stop_training == EPOCH_IS_DONE:
            self._model.stop_training = False

    def on_train_end(self, logs=None):
        self._epoch = self.params["epochs"]  # Also where another callback has ended it.
        self._begin_or_keep(finished=True)

    def _begin_or_keep(self, finished=False):
        """Between two steps: the first time restore what `fit` has reset, then keep what is due."""
        if self._unchanged is None:
            self.model._initial_epoch = None  # Of this `fit` alone.
            self._unchanged = [_plain_attributes(x) for x in self._callbacks()]
            if self._found is not None:
                self._restore()
        since, stop = self.step - self._kept_step, bool(self._signals)
        due = self._step_in_epoch == 0 if self.every is None else since >= self.every
        if since and (due or stop or finished):
            self._keep()
        if stop:
            raise Interrupted(
                f"interrupted after step {self.step}, whose state is kept in {self.folder}; "
                "resume to go on",
                self._signals[0],
            )

    def _keep(self):
        self._kept_step = self.step
        self.seconds = time.monotonic() - self._clock
        # Every worker reads the variables: some are summed over all of them for that.
        values = [as_array(variable) for variable in training_variables(self.model)]
        if not self._writes():
            return
        state = {
            "settings": self.settings,
            "epoch": self._epoch,
            "step_in_epoch": self._step_in_epoch,
            "seconds": self.seconds,
            "variables": values,
            "callbacks": [
                _changed_attributes(callback, unchanged)
                for callback, unchanged in zip(self._callbacks(), self._unchanged, strict=True)
            ],
            "random": {"python": random.getstate(), "numpy": np.random.get_state()},
        }
        write_state(self.folder, self.step, state)

    def _restore(self):
        self._set_variables()  # Again, for the metrics' sake.
        with refusing(self.folder, "state that a run can go on from", "Choose another folder."):
            changed = list(zip(self._callbacks(), self._found["callbacks"], strict=True))
            version, values, gauss = self._found["random"]["python"]
            random.setstate((version, tuple(values), gauss))
            np.random.set_state(self._found["random"]["numpy"])
        for callback, attributes in changed:
            self._check_attributes(callback, attributes)
            vars(callback).update(attributes)
        self._found = None

    def _check_attributes(self, callback, attributes):
        """Raise `ValueError` unless such a callback has such attributes, of such kinds."""
        own, names = _plain_attributes(callback), _own_names(callback)
        for name, value in attributes.items():
            now = vars(callback).get(name)
            free = now is None or name in own or _is_arrays(now)
            if name not in names or not free or not _same_kind(now, value):
                raise ValueError(
                    f"The run kept in {self.folder} is another one: a {type(callback).__name__} "
                    "has no such attribute that training changes. Choose another folder. "
                    f"Received: {name}={str(value)[:40]}"
                )

    def _set_variables(self):
        variables, values = training_variables(self.model), self._found["variables"]
        expected = [tuple(variable.shape) for variable in variables]
        received = [value.shape for value in values]
        if expected != received:
            raise ValueError(
                f"The run kept in {self.folder} is of another model: it has {len(received)} "
                f"variables of {sum(map(np.prod, received)):.0f} numbers, this one {len(expected)} "
                f"of {sum(map(np.prod, expected)):.0f}. Build the same one, or choose another "
                "folder."
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _callbacks(self):
        return [self._model.history, *self.keep]

    def _writes(self):
        """Whether this process writes: the only one, or the chief of several workers."""
        strategy = getattr(self._model, "distribute_strategy", None)
        return strategy is None or strategy.extended.should_checkpoint


def _plain_attributes(callback):
    """The JSON of each attribute that has one and was not given to the constructor, by name."""
    given = {name for kind in type(callback).__mro__ for name in _parameters(kind)}
    found = {}
    for name in vars(callback).keys() - given:
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            found[name] = json.dumps(vars(callback)[name], default=lambda number: number.item())
    return found


def _parameters(kind):
    return inspect.signature(kind).parameters if issubclass(kind, keras.callbacks.Callback) else ()


def _changed_attributes(callback, unchanged):
    """Plain attributes that are no longer what they were, and lists of arrays."""
    now = _plain_attributes(callback)
    return {
        name: value
        for name, value in vars(callback).items()
        if (name in now and now[name] != unchanged.get(name)) or _is_arrays(value)
    }


def _own_names(callback):
    """Names of attributes that the callback has or its class speaks of, but for Keras's own."""
    kinds = type(callback).__mro__
    functions = [x for kind in kinds for x in vars(kind).values() if inspect.isfunction(x)]
    spoken = {name for function in functions for name in function.__code__.co_names}
    names = {name for name in spoken | vars(callback).keys() if not hasattr(type(callback), name)}
    return names - {"params", "_model"}


def _same_kind(now, kept):
    """Whether `kept` may take the place of a plain value; anything may take that of None.

    None may take that of a number or word, not of what is added to.
    """
    numbers = (int, float)
    if isinstance(now, numbers) and isinstance(kept, numbers):
        return True
    added_to = isinstance(now, (dict, list))
    return now is None or (kept is None and not added_to) or type(now) is type(kept)


def _is_arrays(value):
    """Whether it is a list of arrays, such as the best weights."""
    return isinstance(value, list) and bool(value) and all(isinstance(x, np.ndarray) for x in value)
