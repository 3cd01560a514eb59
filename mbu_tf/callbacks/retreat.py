"""A callback that takes a collapsed training back to before, with other weights."""

import warnings

import keras

from mbu_tf.models.training_state import as_array, training_variables

WENT_BACK = (
    "Training has collapsed: {what}. It goes back to the state of {ago} steps ago, with the loss "
    "weight {rule} at {weight:.3g}, which the rules shall not {direction} again (return {restarts} "
    "of {attempts})."
)
GAVE_UP = (
    "Training has collapsed: {what}. It has gone back {attempts} times already and goes on as it "
    "is. Look whether the domains differ in one part alone, and whether it is large enough to be "
    "seen at this image size; or give the loss weights yourself (docs/learning.md)."
)


class Retreat(keras.callbacks.Callback):
    """Looks every few hundred steps whether masks or codes have collapsed, and goes back if so.

    For models with steered loss weights (`compile(loss_weights={"recon2_a": "auto", ...})`).
    A collapse is one of `steering.COLLAPSES` whose weight is steered. Back means: all
    weights, running statistics and optimizers as they were when all was last well, the
    weight that led there turned away from where it was, and a warning. The logs' `restarts`
    counts it. The data go on.

    A training loop of one's own calls `begin(model)` before its first step and
    `after(model, steps)` now and then.

    Args:
        every: steps between two looks.
        attempts: how many times it goes back at most.
    """

    def __init__(self, every: int = 200, attempts: int = 3) -> None:
        super().__init__()
        self.every, self.attempts = every, attempts
        # Of training when all was last well, and what has been done since.
        self._values = None
        self._since = self._unseen = 0
        self._gave_up = False

    def begin(self, model: keras.Model) -> None:
        """Keep the state that `model` has now as one to go back to."""
        self._values = [as_array(v) for v in _kept(model)]
        self._since = 0

    def after(self, model: keras.Model, steps: int) -> bool:
        """Whether training was taken back: all variables of `model` are then others.

        Args:
            model: as it is after these steps.
            steps: made since the last call.
        """
        return self._is_due(steps) and self._look(model)

    def _is_due(self, steps):
        """Whether it is time to look, so many steps later."""
        self._since += steps
        self._unseen += steps
        return self._unseen >= self.every

    def _look(self, model):
        self._unseen = 0
        steering = model.steering
        if steering is None:
            return False
        collapse = steering.collapse()
        if collapse is None:
            if steering.is_well():
                self.begin(model)
            return False
        if steering.restarts >= self.attempts:
            if not self._gave_up:
                warnings.warn(
                    GAVE_UP.format(what=collapse.what, attempts=self.attempts), stacklevel=2
                )
            self._gave_up = True
            return False
        for variable, value in zip(_kept(model), self._values, strict=True):
            variable.assign(value)
        weight = steering.turn(collapse)
        text = WENT_BACK.format(
            what=collapse.what,
            ago=self._since,
            rule=collapse.rule,
            weight=weight,
            direction="exceed" if collapse.factor < 1 else "fall below",
            restarts=steering.restarts,
            attempts=self.attempts,
        )
        warnings.warn(text, stacklevel=2)
        self._since = 0
        return True

    def on_train_batch_begin(self, batch, logs=None):
        # Not at the start of training: what a `Backup` before it restores is there only now.
        if self._values is None:
            self.begin(self.model)
        self._first = batch

    def on_train_batch_end(self, batch, logs=None):
        steps = batch + 1 - self._first
        # `self.model` under JAX brings the state of all variables back from the device.
        if self._is_due(steps):
            self._look(self.model)


def _kept(model):
    """The variables that go back: all but an epoch's metrics and what was learned of weights."""
    lessons = set(map(id, model.steering.lessons)) if model.steering else set()
    return [v for v in training_variables(model, metrics=False) if id(v) not in lessons]
