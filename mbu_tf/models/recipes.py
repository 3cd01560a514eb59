"""What a recipe is, and how an optimizer is built from one.

The keys of a recipe: `description`; `architecture` (constructor arguments);
`optimizer` and `discriminator_optimizer` (what `build_optimizer` takes);
`compile` (further arguments of `compile`, the loss weights among them, each a number,
`"auto"` or `rising`); `training` (`steps`, `batch_size`, `flip`, and where they are not as
usual `augment` and `framing`, which `mbu-tf train` follows; `"auto"` leaves `flip`,
`augment` and the optimizers' `held` to the images); `weights`, the name of trained ones that
come with the package (`mbu_tf.pretrained`), where there are.
"""

import keras

from mbu_tf.models.steering import AUTO
from mbu_tf.optimizers import FusedAdam, PyTorchAdam
from mbu_tf.system.reading import checked

BETA = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
OPTIMIZER = {
    "type": "object",
    "properties": {
        "learning_rate": {"type": "number", "exclusiveMinimum": 0},
        "beta_1": BETA,
        "beta_2": BETA,
        "decay_to": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "pytorch": {"type": "boolean"},
        "short_run": {"type": "integer", "minimum": 1},
        "held": {
            "anyOf": [{"const": AUTO}, {"type": "number", "minimum": 0, "exclusiveMaximum": 1}]
        },
    },
    "required": ["learning_rate", "beta_1", "beta_2", "decay_to", "pytorch"],
    "additionalProperties": False,
}


def build_optimizer(recipe, steps):
    """Adam as a recipe asks for it, a fresh instance each time.

    Args:
        recipe: dict of `learning_rate`, `beta_1`, `beta_2`, `decay_to`, the
            share of the learning rate that a cosine decay over all steps
            leaves, or `None` for a constant one, and `pytorch`, whether it is
            to be PyTorch's Adam. If wanted, `short_run`: the rate is that of runs of so
            many steps, and falls with the root of the steps of longer ones; `held`: the share
            of the steps for which it is held before it decays, 0 where it is `"auto"`, left to
            images that are not known here.
        steps: training steps; of no account at a constant rate.

    Raises:
        ValueError: on another key, or a value outside its range.
    """
    try:
        checked(recipe, OPTIMIZER)
    except ValueError as error:
        raise ValueError(
            f"An optimizer is made of {', '.join(OPTIMIZER['required'])}. Received: {error}"
        ) from None
    rate, share = recipe["learning_rate"], recipe["decay_to"]
    if "short_run" in recipe:
        rate *= min(1.0, recipe["short_run"] / steps) ** 0.5
    if share is not None:
        held = recipe.get("held", 0.0)
        rate = decaying(rate, steps, share, 0.0 if held == AUTO else held)
    kind = PyTorchAdam if recipe["pytorch"] else FusedAdam
    return kind(rate, beta_1=recipe["beta_1"], beta_2=recipe["beta_2"])


def decaying(rate, steps, share, held=0.0):
    """The cosine decay of a learning rate, held before for a share of the steps.

    Args:
        rate: at first.
        steps: of training.
        share: of the rate, left at the end.
        held: share of the steps.
    """
    held = round(held * steps)
    # A warm-up to the rate from the rate itself.
    hold = {"warmup_target": rate, "warmup_steps": held} if held else {}
    return keras.optimizers.schedules.CosineDecay(rate, steps - held, alpha=share, **hold)


def adam(learning_rate, decay_to=None, **options):
    """The papers' Adam at a learning rate, for `build_optimizer`."""
    return {
        "learning_rate": learning_rate,
        "beta_1": 0.5,
        "beta_2": 0.999,
        "decay_to": decay_to,
        "pytorch": False,
        **options,
    }


def rising(weight, over):
    """A loss weight that rises linearly from 0 to `weight` over a share of all training steps."""
    return {"rises_to": weight, "over": over}


def build_weights(weights, steps):
    """Loss weights as `compile` takes them, `rising` ones as functions of the step."""
    return {
        name: keras.optimizers.schedules.PolynomialDecay(
            0.0, max(1, round(weight["over"] * steps)), weight["rises_to"]
        )
        if isinstance(weight, dict) and "rises_to" in weight
        else weight
        for name, weight in weights.items()
    }


def default_optimizer():
    """The paper's Adam: learning rate 2e-4, beta_1 0.5, beta_2 0.999 (appendix A)."""
    return build_optimizer(adam(2e-4), steps=None)


def published(description, loss_weights, steps=150_000):
    """A recipe of published code: 128 px, full width, Adam 2e-4, batches of 32."""
    return {
        "description": description,
        "architecture": {"image_size": 128, "width": 1.0, "separate_channels": 25},
        "optimizer": adam(2e-4),
        "discriminator_optimizer": adam(2e-4),
        "compile": {
            "generator_clip_norm": 5.0,
            "discriminator_codes": "updated",
            "loss_weights": loss_weights,
        },
        "training": {"steps": steps, "batch_size": 32, "flip": True},
    }


def quick(
    description,
    loss_weights,
    learning_rate,
    steps,
    flip,
    augment=None,
    framing=None,
    rate=None,
    **architecture,
):
    """A recipe for a CPU: 64 px, half width, batches of 16.

    Args:
        rate: what the optimizers have beside the rate itself, see `build_optimizer`.
    """
    unusual = {"augment": augment, "framing": framing}
    unusual = {name: value for name, value in unusual.items() if value is not None}
    optimizer = adam(learning_rate, 0.02, **(rate or {}))
    return {
        "description": description,
        "architecture": {
            "image_size": 64,
            "width": 0.5,
            **architecture,
        },
        "optimizer": optimizer,
        "discriminator_optimizer": dict(optimizer),
        "compile": {
            "generator_clip_norm": 5.0,
            "discriminator_codes": "shared",
            "loss_weights": loss_weights,
        },
        "training": {"steps": steps, "batch_size": 16, "flip": flip, **unusual},
    }


def image_changes(recipe):
    """What a recipe asks of `TwoDomains.batches` to be done to images."""
    training = recipe["training"]
    return {"flip": training["flip"], **({"augment": True} if training.get("augment") else {})}


def as_published(recipe, architecture, **compile_arguments):
    """`recipe` with what all published codes share, for their formulations.

    Args:
        recipe: the recipe.
        architecture: constructor arguments of the published networks.
        **compile_arguments: in place of the recipe's.
    """
    return {
        **recipe,
        "architecture": {**recipe["architecture"], **architecture},
        "optimizer": {**recipe["optimizer"], "pytorch": True},
        "discriminator_optimizer": {**recipe["discriminator_optimizer"], "pytorch": True},
        "compile": {
            **recipe["compile"],
            "generator_clip_norm": 5.0,
            "discriminator_clip_norm": None,
            "discriminator_codes": "updated",
            **compile_arguments,
        },
    }


SECTIONS = ("architecture", "compile", "optimizer", "discriminator_optimizer")


def varied(recipe, changes):
    """`recipe` with some of its values replaced, for ablations and searches.

    Args:
        recipe: the recipe; it stays as it is.
        changes: dict of sections of a recipe (`SECTIONS`), each a dict of what to
            replace in it, e.g. `{"architecture": {"recon1_norm": "l2"}}`;
            `loss_weights`, a part of `compile`, stands by itself.

    Raises:
        ValueError: on another key, or a section that is no dict.
    """
    result = dict(recipe)
    for name, values in changes.items():
        if name not in (*SECTIONS, "loss_weights") or not isinstance(values, dict):
            raise ValueError(
                f"Changes of a recipe are dictionaries named {', '.join(SECTIONS)} or "
                f"loss_weights. Received: {name!r}: {values!r}"
            )
        if name == "loss_weights":
            weights = {**result["compile"]["loss_weights"], **values}
            name, values = "compile", {"loss_weights": weights}
        result[name] = {**result[name], **values}
    return result
