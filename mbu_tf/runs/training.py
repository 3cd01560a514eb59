"""One training run from a recipe: model, figures and pictures in a folder."""

import math
import pathlib

import keras

from mbu_tf.callbacks import Backup, Retreat, TrainingAdvice, TransferPictures
from mbu_tf.data.image_kinds import are_drawn, may_be_mirrored
from mbu_tf.evaluation import evaluate_against_truth, evaluate_removal, evaluate_two_way
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.memory import check_batch
from mbu_tf.models.recipes import image_changes
from mbu_tf.models.steering import AUTO
from mbu_tf.runs.folder import (
    BACKUP,
    HISTORY,
    METRICS,
    MODEL,
    PICTURES,
    check_unused,
    finished_metrics,
    run_settings,
    write_history,
)
from mbu_tf.system.files import remove_leftovers, sole_use, write_json

MAX_EPOCHS = 10
CHECKPOINT_EVERY = 500
# A set whose images are each seen more often than this is learned by heart, as it is.
OFTEN = 60
# For such a share of the steps drawings are learned at the full rate. Photographs are not: what
# z_raw gains over decoder A on thin glasses, it gains at the smaller rates.
HELD_FOR_DRAWINGS = 0.7
PICTURES_SHOWN = 4
CALIBRATION_IMAGES = 512


def train_preset(preset, domains, output, method=MaskedContentTransfer, **options):
    """`train_recipe` on the recipe that `method` has under the name `preset`.

    Raises:
        ValueError: on an unknown preset; and see there.
    """
    recipe = method.recipe(preset)
    return train_recipe(recipe, domains, output, method=method, name=preset, **options)


def train_recipe(
    recipe,
    domains,
    output,
    held_out=None,
    steps=None,
    batch_size=None,
    seed=0,
    method=MaskedContentTransfer,
    checkpoint_every=CHECKPOINT_EVERY,
    resume=False,
    name=None,
    base=None,
    same_part=False,
    **architecture,
):
    """Train a recipe and write `model.keras`, `metrics.json` and more to `output`.

    The steps are shown in at most ten epochs, the last of which may be a little
    shorter; each ends with a picture in `pictures/`, a row in `history.csv` and
    the model so far in `model.keras`. `backup/` holds the whole state of the
    last checkpoint until all is done. Ctrl-C and SIGTERM end training between
    two steps, the state kept.

    Args:
        recipe: of `method`, see `mbu_tf.models.recipes`.
        domains: `TwoDomains` to train on; their image size and framing are the model's.
        output: folder, made if missing.
        held_out: `TwoDomains` for the pictures and the final figures, or `None`
            to draw `domains` and give no figures of unseen images.
        steps, batch_size: in place of the recipe's unless `None`.
        seed: of the weights and of the order of the images.
        method: subclass of `TwoDomainModel`.
        checkpoint_every: steps between two states in `backup/`.
        resume: whether to go on, exactly, with the run that `output` holds. One
            that has no state yet begins anew; of a finished one its model and
            figures are returned.
        name: of the recipe, for `metrics.json`.
        base, same_part: trained model to start from, see `FromRecipes.from_recipe`.
        **architecture: constructor arguments in place of the recipe's.

    Returns:
        `(model, metrics)`: the trained model and what `metrics.json` holds.

    Raises:
        ValueError: on an argument outside its range, or if the run to be resumed
            is another one.
        MemoryError: if networks or batches are larger than the memory that is free.
        FileExistsError: if `output` holds a run and `resume` is false.
        OSError: if `output` cannot be written to, or another run is writing to it.
        mbu_tf.callbacks.Interrupted: on Ctrl-C and SIGTERM.
    """
    output = pathlib.Path(output)
    with sole_use(output):
        if not resume:
            check_unused(output)
        steps = steps or recipe["training"]["steps"]
        batch_size = batch_size or recipe["training"]["batch_size"]
        recipe = _fitted(recipe, domains, steps, batch_size)
        framing = domains.framing.get_config()
        architecture = {**architecture, "image_size": domains.image_size, "framing": framing}
        metrics = {
            "method": method.__name__,
            "preset": name,
            "image_size": domains.image_size,
            "framing": framing,
            "steps": steps,
            "batch_size": batch_size,
            "seed": seed,
        }
        whole = method.architecture(recipe, base, same_part, **architecture)
        settings = {**metrics, **run_settings(recipe, domains, whole, base, same_part)}
        finished = finished_metrics(output, settings)
        if finished:
            return load_model(output / MODEL), finished

        remove_leftovers(output)
        remove_leftovers(output / PICTURES)
        keras.utils.set_random_seed(seed)
        model = method.from_recipe(recipe, steps, base, same_part, **architecture)
        check_batch(model, batch_size, "A training step")
        history, backup = _fit(
            model,
            domains,
            output,
            held_out or domains,
            steps,
            batch_size,
            seed=seed,
            changes=image_changes(recipe),
            checkpoint_every=checkpoint_every,
            settings=settings,
        )
        found = model.calibrate(*domains.arrays(CALIBRATION_IMAGES))
        model.save(output / MODEL)

        metrics |= {
            "training_seconds": round(backup.seconds, 1),
            **found,
            "training": {name: values[-1] for name, values in history.items()},
        }
        if held_out is not None:
            losses = model.evaluate(held_out.pairs(batch_size), return_dict=True, verbose=0)
            metrics["held_out"] = {name: float(value) for name, value in losses.items()}
            if held_out.a_with is not None and hasattr(model, "segment"):
                metrics["truth"] = evaluate_against_truth(model, held_out)
            if held_out.a_translated is not None and hasattr(model, "transfer_to_b"):
                metrics["truth"] = evaluate_two_way(model, held_out)
            if held_out.b_without is not None and hasattr(model, "translate_to_a"):
                metrics["truth"] = evaluate_removal(model, held_out)
        write_json(output / METRICS, {**metrics, "settings": settings})
        backup.delete()
        return model, metrics


def _fitted(recipe, domains, steps, batch_size):
    """`recipe` with what it leaves to the images."""
    training = dict(recipe["training"])
    if training["flip"] == AUTO:
        training["flip"] = may_be_mirrored(domains)
    if training.get("augment") == AUTO:
        smaller = min(len(domains.a), len(domains.b))
        training["augment"] = steps * batch_size > OFTEN * smaller
    optimizers = ("optimizer", "discriminator_optimizer")
    left = [name for name in optimizers if recipe[name].get("held") == AUTO]
    if left:
        held = HELD_FOR_DRAWINGS if are_drawn(domains) else 0.0
        recipe = {**recipe, **{name: {**recipe[name], "held": held} for name in left}}
    return {**recipe, "training": training}


def _fit(
    model, domains, output, shown, steps, batch_size, seed, changes, checkpoint_every, settings
):
    """Train up to `steps` from where the backup stands; the history and the backup."""
    advice = TrainingAdvice()
    retreats = [Retreat()] if model.steering else []
    backup = Backup(output / BACKUP, checkpoint_every, keep=[advice, *retreats], settings=settings)
    history = keras.callbacks.History()
    callbacks = [
        history,
        TransferPictures(output / PICTURES, *shown.arrays(PICTURES_SHOWN)),
        advice,
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: write_history(output / HISTORY, history.history)
        ),
        keras.callbacks.ModelCheckpoint(output / MODEL),
        backup,
        *retreats,
    ]
    batches = domains.batches(batch_size, seed=seed, first_step=backup.step, **changes)
    fit_until(steps, model, batches, math.ceil(steps / MAX_EPOCHS), backup, callbacks)
    return history.history, backup


def fit_until(steps, model, batches, steps_per_epoch, backup, callbacks):
    """`fit` up to `steps`, counted from the first session on, the state kept on signals.

    Args:
        steps: of the whole run.
        model, batches, steps_per_epoch: what is trained, on what, in epochs of how many steps.
        backup: the run's `Backup`, one of `callbacks`.
        callbacks: of `fit`.
    """

    def stop_after_the_last_step(batch, logs):
        if backup.step >= steps:
            model.stop_training = True

    stop = keras.callbacks.LambdaCallback(on_train_batch_end=stop_after_the_last_step)
    with backup.on_signals():
        model.fit(
            batches,
            shuffle=False,  # They are already.
            steps_per_epoch=steps_per_epoch,
            epochs=math.ceil(steps / steps_per_epoch),
            callbacks=[*callbacks, stop],
        )
