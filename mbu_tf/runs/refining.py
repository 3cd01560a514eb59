"""One run that teaches a trained model's refiner: the model with it, and figures, in a folder."""

import pathlib

import keras

from mbu_tf.callbacks import Backup
from mbu_tf.data.image_kinds import may_be_mirrored
from mbu_tf.models.loading import load_model
from mbu_tf.models.recipes import decaying
from mbu_tf.models.refinement import Refinement
from mbu_tf.runs.folder import (
    BACKUP,
    HISTORY,
    METRICS,
    MODEL,
    check_unused,
    checksum,
    fingerprints,
    finished_metrics,
    write_history,
)
from mbu_tf.runs.training import CHECKPOINT_EVERY, fit_until
from mbu_tf.system.files import remove_leftovers, sole_use, write_json

STEPS, BATCH_SIZE = 3000, 8
# The rate is held for a share of the steps, then decays to a share of itself.
LEARNING_RATE, HELD, DECAY_TO = 2e-3, 0.7, 0.02
STEPS_PER_EPOCH = 100


def train_refiner(
    model,
    domains,
    output,
    steps=STEPS,
    batch_size=BATCH_SIZE,
    channels=None,
    seed=0,
    resume=False,
    checkpoint_every=CHECKPOINT_EVERY,
):
    """Teach a model's refiner, and write the model with it to `output`, as `train_recipe` does.

    Args:
        model: a trained `MaskedContentTransfer`; it stays as it is.
        domains: `TwoDomains` of images twice the model's size.
        output: folder, made if missing.
        steps, batch_size, seed: of the training.
        channels: see `Refinement`.
        resume, checkpoint_every: see `train_recipe`.

    Returns:
        `(model, metrics)`: the model with its refiner and what `metrics.json` holds.

    Raises:
        ValueError: on a model without masks or images of another size, or if the run to
            be resumed is another one.
        FileExistsError: if `output` holds a run and `resume` is false.
        OSError: if `output` cannot be written to, or another run is writing to it.
        mbu_tf.callbacks.Interrupted: on Ctrl-C and SIGTERM.
    """
    output = pathlib.Path(output)
    keras.utils.set_random_seed(seed)
    refinement = Refinement(model, channels, seed)
    if domains.image_size != 2 * model.image_size:
        raise ValueError(
            f"A refiner of a model of {model.image_size} px learns from images of twice that; load "
            f"them at {2 * model.image_size} px. Received: images of {domains.image_size} px"
        )
    with sole_use(output):
        if not resume:
            check_unused(output)
        flip = may_be_mirrored(domains)
        metrics = {
            "method": "Refinement",
            "image_size": domains.image_size,
            "framing": model.framing.get_config(),
            "steps": steps,
            "batch_size": batch_size,
            "seed": seed,
        }
        settings = {
            **metrics,
            "channels": refinement.refiner.channels,
            "precision": keras.config.dtype_policy().name,
            "model": checksum([model]),
            "flip": flip,
            "data": fingerprints(domains),
        }
        finished = finished_metrics(output, settings)
        if finished:
            return load_model(output / MODEL), finished
        remove_leftovers(output)
        rate = decaying(LEARNING_RATE, steps, DECAY_TO, HELD)
        refinement.compile(
            keras.optimizers.Adam(rate, beta_2=0.99, global_clipnorm=1.0), jit_compile=False
        )
        refinement.optimizer.build(refinement.trainable_variables)
        backup = Backup(output / BACKUP, checkpoint_every, settings=settings)
        history = _fit(refinement, domains, steps, batch_size, seed, flip, backup, output / HISTORY)
        refined = refinement.refined()
        refined.save(output / MODEL)
        metrics |= {
            "training_seconds": round(backup.seconds, 1),
            "training": {name: values[-1] for name, values in history.items()},
        }
        write_json(output / METRICS, {**metrics, "settings": settings})
        backup.delete()
        return refined, metrics


def _fit(refinement, domains, steps, batch_size, seed, flip, backup, history_file):
    """Train up to `steps` from where the backup stands; the history."""
    history = keras.callbacks.History()
    changes = {"flip": flip, "augment": True, "seed": seed, "first_step": backup.step}
    batches = domains.batches(batch_size, **changes).map(lambda a, b: ((a, b),))
    callbacks = [
        history,
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: write_history(history_file, history.history)
        ),
        backup,
    ]
    fit_until(steps, refinement, batches, min(STEPS_PER_EPOCH, steps), backup, callbacks)
    return history.history
