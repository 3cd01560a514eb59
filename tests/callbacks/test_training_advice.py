import re
import warnings

import numpy as np
import pytest

from mbu_tf.callbacks import TrainingAdvice
from mbu_tf.callbacks.training_advice import CONFUSION_LOST, MASK_EMPTY, MASK_FULL, NO_CONTRAST
from mbu_tf.models.methods import METHODS

HEALTHY = {"mask_coverage": 0.06, "mask_contrast": 2.5, "confusion": 1.39, "loss": 3.0}
EMPTY = {**HEALTHY, "mask_coverage": 0.001}
FULL = {**HEALTHY, "mask_coverage": 0.75}
LOST = {**HEALTHY, "confusion": 5.25}
MISPLACED = {**HEALTHY, "mask_contrast": 0.68}
# What each advice begins with, the measured value in it.
EMPTY_ADVICE = r"The mask has shrunk to nothing \(0.10% of the picture\).*Lower .*recon2_a"
FULL_ADVICE = r"The mask covers 75% of the picture. Raise .*recon2_a"
MISPLACED_ADVICE = (
    r"The mask lies where the domains do not differ.*\(errors of 0.68 to 1.*crop closer"
)
LOST_ADVICE = r"The discriminator .*confusion loss 5.25; 1.39 is chance.*Raise .*confusion"


def warned_after(epochs, **arguments):
    """Numbers of the epochs after which the advice warned, and what it said."""
    advice, found = TrainingAdvice(**arguments), []
    for epoch, logs in enumerate(epochs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            advice.on_epoch_end(epoch, logs)
        found += [(epoch, str(warning.message)) for warning in caught]
    return [epoch for epoch, _ in found], [text for _, text in found]


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [
        (EMPTY, EMPTY_ADVICE),
        (FULL, FULL_ADVICE),
        (MISPLACED, MISPLACED_ADVICE),
        (LOST, LOST_ADVICE),
    ],
)
def test_each_trouble_has_its_advice(trouble, advice):
    epochs, texts = warned_after([HEALTHY, trouble, trouble, trouble, trouble])
    assert epochs == [2]
    assert re.match(advice, texts[0])


@pytest.mark.parametrize(("value", "advice"), [(0.001, EMPTY_ADVICE), (0.75, FULL_ADVICE)])
def test_either_part_of_two_may_be_in_trouble(value, advice):
    both = {"mask_coverage_a": 0.06, "mask_coverage_b": value, "confusion": 1.39, "loss": 3.0}
    epochs, texts = warned_after([HEALTHY, both, both])
    assert epochs == [2] and re.match(advice, texts[0])


def test_healthy_training_is_left_in_peace():
    bounds = {"mask_coverage": MASK_EMPTY, "confusion": CONFUSION_LOST}
    bounds["mask_contrast"] = NO_CONTRAST
    upper = {"mask_coverage": MASK_FULL, "confusion": 0.0}
    assert warned_after([HEALTHY, bounds, bounds, upper, upper, HEALTHY], patience=1)[0] == []


def test_what_is_not_logged_is_no_trouble():
    assert warned_after([{}, None, {"loss": 1.0}, {"mask_coverage": 0.1}], patience=1)[0] == []


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_a_trouble_must_last(patience):
    epochs, _ = warned_after([EMPTY] * 6, patience=patience, grace=0)
    assert epochs == [patience - 1]


def test_the_first_epochs_are_not_counted():
    epochs, _ = warned_after([FULL] * 8, patience=2, grace=3)
    assert epochs == [4]


def test_a_trouble_that_comes_and_goes_does_not_last():
    assert warned_after([EMPTY, HEALTHY] * 4, patience=2, grace=0)[0] == []


def test_it_warns_again_after_a_recovery():
    epochs, _ = warned_after([LOST, LOST, LOST, HEALTHY, LOST, LOST, LOST], grace=0)
    assert epochs == [1, 5]


def test_troubles_are_counted_apart():
    both = {"mask_coverage": 0.0, "confusion": 5.0}
    epochs, texts = warned_after([EMPTY, both, both, both], grace=0)
    assert epochs == [1, 2]
    assert "mask has shrunk" in texts[0] and "discriminator" in texts[1]


def steps(advice, *logs, epoch=0):
    """One epoch of steps, their logs as Keras gives them."""
    advice.on_epoch_begin(epoch)
    for batch, step in enumerate(logs):
        advice.on_train_batch_begin(batch)
        advice.on_train_batch_end(batch, step)


def test_a_loss_that_is_not_finite_is_said_at_once_and_once_an_epoch():
    advice, nan = TrainingAdvice(), float("nan")
    broken = {"loss": nan, "recon1_a": 1.0, "skipped_steps": 1}
    for first in (1, 4):
        with pytest.warns(UserWarning) as caught:
            steps(advice, HEALTHY, broken, broken)
        [warning] = caught
        assert f"The loss of step {first + 1} is not finite (loss)." in str(warning.message)
        assert "images of both domains" in str(warning.message)


def test_steps_skipped_for_their_gradients_alone_are_no_trouble_until_there_are_many():
    advice = TrainingAdvice()
    steps(advice, HEALTHY, *({"loss": 1.0, "skipped_steps": n} for n in range(1, 20)), HEALTHY)
    advice = TrainingAdvice()
    skipped = [{"loss": 1.0, "skipped_steps": n} for n in range(1, 21)]
    steps(advice, *skipped[:12])
    with pytest.raises(FloatingPointError, match="no step since step 0 was finite.*lower the"):
        steps(advice, *skipped[:8], epoch=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "domain"),
    # Fader Networks normalise both domains together, so that their losses do not tell which.
    [*((name, x) for name in METHODS if name != "fader" for x in "ab"), ("mbu", "both")],
)
def test_the_domain_of_images_that_are_not_finite_is_told(name, domain):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
    images[{"a": [0], "b": [1], "both": [0, 1]}[domain], 1, 3, 4] = np.nan
    model = METHODS[name](image_size=32, depth=4, width=0.03, separate_channels=2)
    model.compile(run_eagerly=True)
    with pytest.warns(UserWarning, match="The loss of step 2 is not finite .*skipped") as caught:
        model.fit(*images, batch_size=1, shuffle=False, verbose=0, callbacks=[TrainingAdvice()])
    [text] = [str(w.message) for w in caught if "not finite" in str(w.message)]
    said = re.findall("images of domain ([AB])", text)
    assert said == ([domain.upper()] if domain != "both" else [])
    assert all(np.isfinite(w).all() for w in model.get_weights())
