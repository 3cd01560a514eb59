"""Our training run beside a recorded one, everything written down that is recorded."""

import contextlib
from typing import NamedTuple

import keras
import numpy as np

from mbu_tf.interop import published
from mbu_tf.interop.codes import code_of_checkpoint
from mbu_tf.networks.normalization import BatchNormalization


class Run(NamedTuple):
    """A recorded run and how many of its steps are made here.

    Attributes:
        implementation, variant: see `Fixtures`.
        size: pixels.
        float64, float32: steps made in each precision, out of those recorded.
    """

    implementation: str
    variant: str
    size: int
    float64: int
    float32: int


RUNS = {
    "mbu-64": Run("mbu", None, 64, 2, 1),
    "cd": Run("cd", None, 128, 1, 1),
    "didd-per_call": Run("didd", "per_call", 128, 1, 1),
}
# All steps that are recorded in float64, which tells whether they are right; of float32 as many as
# tell that it runs alike, for what follows is how rounding grows.
LONG_RUNS = {
    "mbu-64-long": Run("mbu", None, 64, 20, 5),
    "mbu-128-long": Run("mbu", None, 128, 3, 3),
    "cd-long": Run("cd", None, 128, 20, 5),
    "didd-per_call-long": Run("didd", "per_call", 128, 3, 5),
    "didd-as_executed-long": Run("didd", "as_executed", 128, 3, 0),
}


def model_at_start(fixtures, size, checkpoint=None, **arguments):
    """The published code's model in the rule's state, or in that of `checkpoint`."""
    checkpoint = checkpoint or fixtures.checkpoint(size)
    model = published.new_model(checkpoint, **{**fixtures.arguments, **arguments})
    weights = fixtures.loss_weights()
    model.compile(model.optimizer, model.discriminator_optimizer, weights)
    published.restore(model, checkpoint)
    return model


def train(fixtures, size, dtype, steps, unbiased=True):
    """What happens in each step, in the fixtures' names and PyTorch's layouts.

    Halfway the run goes on in another model, through a checkpoint.

    Returns:
        `(steps, after)`: lists of dicts shaped as in the json files, but with
        `confusion` for the sum of its two halves, and norms alone of gradients.
    """
    keras.config.set_dtype_policy(dtype)
    recorded = fixtures.training(size, dtype)
    model = model_at_start(fixtures, size)
    records, after = [], {}
    for step in range(1, steps + 1):
        if step == 1 + steps // 2 > 1:
            model = model_at_start(fixtures, size, published.to_checkpoint(model))
        for layer in batch_normalizations(model):
            layer.unbiased = unbiased
        records.append(_recorded_step(model, fixtures.images("train", size, step)))
        if str(step) in recorded["after"]:
            after[str(step)] = _summary(published.to_checkpoint(model))
    return records, after


def batch_normalizations(model):
    networks = model.generator_networks
    return [x for n in networks for x in n.layers if isinstance(x, BatchNormalization)]


def _summary(checkpoint):
    """Norm and first numbers of every tensor of a checkpoint's networks, or its value."""
    return {
        f"{module}.{name}": {"l2": np.linalg.norm(array), "first8": array.ravel()[:8]}
        if array.ndim
        else {"value": array}
        for module in code_of_checkpoint(checkpoint).networks
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
        id(x.variable): name for name, x in published.model_tensors(model).items() if x.trained
    }
    for side in ("gen", "disc"):
        norms = {names[v]: float(np.linalg.norm(g)) for v, g in gradients[side].items()}
        record[f"{side}_grads"] = norms
        record[f"{side}_grad_norm"] = float(np.linalg.norm(list(norms.values())))
    return record


@contextlib.contextmanager
def _watched(model, gradients, terms):
    """Write down gradients, before clipping, and unweighted loss terms of weight 0 as well."""
    found, losses = model._gradients, model.generator_losses

    def watched_gradients(forward, optimizer, variables):
        results, values = found(forward, optimizer, variables)
        side = "gen" if optimizer is model.optimizer else "disc"
        gradients[side] = dict(zip(map(id, variables), values, strict=True))
        return results, values

    def watched_losses(*arguments, **options):
        results = losses(*arguments, **options)
        terms.update(results[0])
        return results

    model._gradients, model.generator_losses = watched_gradients, watched_losses
    try:
        yield
    finally:
        del model._gradients, model.generator_losses
