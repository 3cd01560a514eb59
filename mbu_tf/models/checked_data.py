"""Data are looked at where they come in, before anything is computed of them."""

import inspect
from typing import Any

from mbu_tf.models.first_batch import check_arrays, checked_source, pair
from mbu_tf.system.failures import explaining_tensorflow

# What Keras takes where none is given.
BATCH_SIZE = 32


class CheckedData:
    """Keras's `fit`, `evaluate`, `predict` and `…_on_batch` of checked data; a mixin.

    The first batch is looked at (`first_batch.py`). Arrays may be given one by one,
    `fit(a, b)`, or together, `fit([a, b])`, true masks third.

    All raise `ValueError` if the data are no pairs of images; what reading them
    raises comes out as it was raised, and exhausted memory as `OutOfMemory`
    (`explaining_tensorflow`).
    """

    # Whether the data of the last call had true masks, and whether it was one that evaluates.
    _with_masks = _held_out_with_masks = _evaluates = False

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.fit` of checked data, see `CheckedData`."""
        history = self._checked_call(super().fit, args, kwargs)
        self._learning_rates.follow()  # What callbacks assigned after the last step.
        return history

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.evaluate` of checked data, see `CheckedData`."""
        if not kwargs.get("_use_cached_eval_dataset"):
            return self._checked_call(super().evaluate, args, kwargs)
        # Within `fit`, which has looked at them.
        training, self._with_masks = self._with_masks, self._held_out_with_masks
        self._evaluates = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self._with_masks, self._evaluates = training, False

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.predict` of `[a, b]`, or of batches `(a, b)`, see `CheckedData`."""
        return self._checked_call(super().predict, args, kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.train_on_batch`; the first batch is checked, see `CheckedData`."""
        return self._checked_call(super().train_on_batch, args, kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.test_on_batch`; the first batch is checked, see `CheckedData`."""
        return self._checked_call(super().test_on_batch, args, kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.predict_on_batch` of `(a, b)`; the first is checked, see `CheckedData`."""
        return self._checked_call(super().predict_on_batch, args, kwargs)

    def _checked_call(self, door, args, kwargs):
        given = dict(inspect.signature(door).bind(*args, **kwargs).arguments)
        given.update(given.pop("kwargs", {}))
        if given.get("class_weight") is not None:
            raise ValueError(
                "`class_weight` has no meaning here: the domains are the classes. "
                f"Received: class_weight={given['class_weight']!r}"
            )
        if hasattr(given.get("batch_size"), "shape"):
            raise ValueError(
                "`batch_size` must be an integer; true masks are given as sample_weight=masks, or "
                f"as {door.__name__}([a, b, masks]). Received: {type(given['batch_size']).__name__}"
            )
        held_out = given.get("validation_data")
        if held_out is not None:
            pieces = held_out if isinstance(held_out, (tuple, list)) else [held_out]
            pieces, self._held_out_with_masks = self._checked_data(door, *pieces)
            given["validation_data"] = pieces if pieces[1] is not None else pieces[0]
        elif given.get("validation_split"):
            self._held_out_with_masks = given.get("sample_weight") is not None

        names = ("x", "y", "sample_weight")
        pieces = [given.get(name) for name in names]
        checked, with_masks = self._checked_data(door, *pieces, given.get("batch_size"))
        if not door.__name__.startswith("predict"):
            given.update({n: x for n, x in zip(names, checked, strict=True) if x is not None})
            self._with_masks = with_masks
            self._evaluates = door.__name__ in ("evaluate", "test_on_batch")
        elif checked[1] is None:
            given["x"] = checked[0]
        with explaining_tensorflow():
            return door(**given)

    def _checked_data(self, door, x, y=None, third=None, batch_size=None):
        """`(x, y, third)` for Keras, and whether there are masks."""
        if y is None and isinstance(x, (tuple, list)):
            x, y, third = pair(x)
        if y is None:
            x, with_masks = checked_source(x, self._size())
            return (x, None, None), with_masks
        return (x, y, third), self._checked_arrays(door.__name__, x, y, third, batch_size)

    def _checked_arrays(self, door, a, b, mask, batch_size):
        on_batch = door.endswith("_on_batch")
        if not (on_batch and getattr(self, f"_{door}_is_checked", False)):
            check_arrays(a, b, mask, self._size(), None if on_batch else batch_size or BATCH_SIZE)
            setattr(self, f"_{door}_is_checked", True)
        return mask is not None

    def _size(self):
        return getattr(self, "image_size", None)
