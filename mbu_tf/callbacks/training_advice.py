"""A callback that says when training has gone wrong, and which weight to turn."""

import math
import re
import warnings

import keras

# Twice the binary cross entropy of a discriminator that cannot tell is 1.386.
CONFUSION_LOST = 2.0
MASK_EMPTY = 0.002
MASK_FULL = 0.6
# Decoder A's errors inside the mask, B's images' to A's; docs/learning.md has what was measured.
NO_CONTRAST = 1.0

ADVICE = {
    "mask_empty": (
        "The mask has shrunk to nothing ({value:.2%} of the picture), so nothing is "
        "transferred. Lower the loss weights recon2_a and recon2_b (lambda_4, lambda_5), or "
        "raise recon1_a and recon1_b; without either of those or without confusion the paper "
        "sees empty masks too (table 7)."
    ),
    "mask_full": (
        "The mask covers {value:.0%} of the picture. Raise the loss weights recon2_a and "
        "recon2_b (lambda_4, lambda_5: appendix J raises them when the mask is too large), or "
        "train on: while decoder A reconstructs badly (recon1_a), wide masks are normal."
    ),
    "mask_misplaced": (
        "The mask lies where the domains do not differ: inside it decoder A draws B's images no "
        "worse than A's (errors of {value:.2f} to 1; 1.7 and more where a part is found). If the "
        "part is very small, crop closer or take a larger image_size; else raise the loss weights "
        "recon2_a and recon2_b (lambda_4, lambda_5), or lower separate_channels. Early in training "
        "it is normal."
    ),
    "confusion_lost": (
        "The discriminator tells the domains apart (confusion loss {value:.2f}; 1.39 is "
        "chance), so the common code still holds B's content and removal cannot work. Raise "
        "the loss weight of confusion, or lower the discriminator's learning rate."
    ),
}
# In float16 a loss scale that is too large comes down within 15 steps.
SKIPS_IN_A_ROW = 20
NOT_FINITE = (
    "The loss of step {step} is not finite ({names}). The step was skipped and no weight changed. "
    "{cause}"
)
DIVERGED = (
    "Training has diverged: no step since step {step} was finite, and none changed a weight. Look "
    "for images that are not finite; with none, go back to a model or backup from well before, and "
    "lower the learning rate or, in mixed_float16, take mixed_bfloat16 or float32."
)


class TrainingAdvice(keras.callbacks.Callback):
    """Warns when the mask saturates or is misplaced, confusion is lost or a loss not finite.

    Looks at `mask_coverage`, `mask_contrast` and `confusion` after each epoch and warns
    once each time that one has been out of bounds for `patience` epochs in a row. Of
    the first loss in an epoch that is not finite it warns at once, with the step
    and, if its losses tell, the domain; steps whose gradients are not finite
    change nothing, so that training goes on unharmed. With `steps_per_execution` above
    1 it sees the last of each few steps alone.

    Args:
        patience: epochs that a trouble must last.
        grace: first epochs in which wide and misplaced masks are normal and not counted.

    Raises:
        FloatingPointError: during training, if 20 steps in a row were skipped.
    """

    def __init__(self, patience: int = 2, grace: int = 1) -> None:
        super().__init__()
        self.patience, self.grace = patience, grace
        self._lasting = dict.fromkeys(ADVICE, 0)
        self._step = self._in_a_row = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._skipped, self._told = 0, False

    def on_train_batch_begin(self, batch, logs=None):
        self._first = batch

    def on_train_batch_end(self, batch, logs=None):
        logs = logs or {}
        self._step += batch + 1 - self._first
        broken = [name for name, value in logs.items() if not math.isfinite(value)]
        if broken and not self._told:
            self._told = True
            text = NOT_FINITE.format(step=self._step, names=", ".join(broken), cause=_cause(broken))
            warnings.warn(text, stacklevel=2)
        skipped = logs.get("skipped_steps", 0) - self._skipped
        self._skipped += skipped
        self._in_a_row = self._in_a_row + skipped if skipped else 0
        if self._in_a_row >= SKIPS_IN_A_ROW:
            raise FloatingPointError(DIVERGED.format(step=int(self._step - self._in_a_row)))

    def on_epoch_end(self, epoch, logs=None):
        seen = (logs or {}) if epoch >= self.grace else {}
        confusion, contrast = seen.get("confusion"), seen.get("mask_contrast")
        # One mask, or one for each domain's part.
        masks = [value for name, value in seen.items() if name.startswith("mask_coverage")]
        least, most = min(masks, default=None), max(masks, default=None)
        troubles = {
            "mask_empty": (least, least is not None and least < MASK_EMPTY),
            "mask_full": (most, most is not None and most > MASK_FULL),
            "mask_misplaced": (contrast, contrast is not None and contrast < NO_CONTRAST),
            "confusion_lost": (confusion, confusion is not None and confusion > CONFUSION_LOST),
        }
        for name, (value, present) in troubles.items():
            self._lasting[name] = self._lasting[name] + 1 if present else 0
            if self._lasting[name] == self.patience:
                warnings.warn(ADVICE[name].format(value=value), stacklevel=2)


def _cause(broken):
    """What to look at, by the names of the losses that are not finite."""
    domains = {name[-1].upper() for name in broken if re.match("recon.*_[ab]$", name)}
    if len(domains) == 1:
        return f"Look at the images of domain {domains.pop()} in this batch: some are not finite."
    return (
        "Look at this batch: images of both domains are not finite, or else training diverges "
        "and needs a lower learning rate."
    )
