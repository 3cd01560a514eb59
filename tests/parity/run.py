"""Our training run beside a recorded one, everything written down that is recorded."""

import contextlib

import keras
import numpy as np

from mbu_tf.interop import published_mbu
from mbu_tf.models import two_domain
from mbu_tf.networks.normalization import BatchNormalization

RESUMED_AFTER = 10


def model_at_start(fixtures, size, checkpoint=None):
    """The published code's model in the rule's state, or in that of `checkpoint`."""
    checkpoint = checkpoint or fixtures.checkpoint(size)
    model = published_mbu.new_model(checkpoint)
    weights = fixtures.loss_weights()
    model.compile(model.optimizer, model.discriminator_optimizer, weights)
    published_mbu.restore(model, checkpoint)
    return model


def train(fixtures, size, dtype, steps=None, unbiased=True):
    """What happens in each step, in the fixtures' names and PyTorch's layouts.

    After step 10 the run goes on in another model, through a checkpoint.

    Returns:
        `(steps, after)`: lists of dicts shaped as in the json files, but with
        `confusion` for the sum of its two halves, and norms alone of gradients.
    """
    keras.config.set_dtype_policy(dtype)
    recorded = fixtures.numbers[f"train{size}"][dtype]
    model = model_at_start(fixtures, size)
    records, after = [], {}
    for step in range(1, (steps or len(recorded["steps"])) + 1):
        if step == RESUMED_AFTER + 1:
            checkpoint = published_mbu.to_checkpoint(model)
            model = model_at_start(fixtures, size, checkpoint)
        for layer in batch_normalizations(model):
            layer.unbiased = unbiased
        records.append(_recorded_step(model, fixtures.images("train", size, step)))
        if str(step) in recorded["after"]:
            after[str(step)] = flat(published_mbu.to_checkpoint(model))
    return records, after


def batch_normalizations(model):
    networks = model.generator_networks
    return [x for n in networks for x in n.layers if isinstance(x, BatchNormalization)]


def flat(checkpoint):
    """The tensors of a checkpoint's networks under their full names."""
    return {
        f"{module}.{name}": array
        for module in published_mbu.NETWORKS
        for name, array in checkpoint[module].items()
    }


def _recorded_step(model, images):
    gradients, terms = {}, {}
    model.reset_metrics()
    with _watched(model, gradients, terms):
        logs = model.train_step(images)
    record = {name: float(x) for name, x in terms.items()}
    record["confusion"] = float(logs["confusion"])
    record["gen_total"] = float(logs["loss"])
    record["disc_loss"] = float(logs["discriminator_loss"])
    names = {
        id(x.variable): name for name, x in published_mbu.model_tensors(model).items() if x.trained
    }
    for side in ("gen", "disc"):
        norms = {names[v]: float(np.linalg.norm(g)) for v, g in gradients[side].items()}
        record[f"{side}_grads"] = norms
        record[f"{side}_grad_norm"] = float(np.linalg.norm(list(norms.values())))
    return record


@contextlib.contextmanager
def _watched(model, gradients, terms):
    """Write down gradients, before clipping, and unweighted loss terms of weight 0 as well."""
    apply, losses = two_domain.apply_gradients, model.generator_losses

    def watched_apply(optimizer, tape, scaled_loss, variables, clip_norm):
        class Tape:
            @staticmethod
            def gradient(loss, sources):
                found = tape.gradient(loss, sources)
                side = "gen" if optimizer is model.optimizer else "disc"
                gradients[side] = dict(zip(map(id, variables), found, strict=True))
                return found

        apply(optimizer, Tape, scaled_loss, variables, clip_norm)

    def watched_losses(*arguments, **options):
        results = losses(*arguments, **options)
        terms.update(results[0])
        return results

    two_domain.apply_gradients, model.generator_losses = watched_apply, watched_losses
    try:
        yield
    finally:
        two_domain.apply_gradients, model.generator_losses = apply, losses
