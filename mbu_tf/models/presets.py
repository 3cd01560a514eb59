"""Named recipes: plain dictionaries of architecture, loss weights and optimizers.

The keys of a recipe: `description`; `architecture` (constructor arguments);
`optimizer` and `discriminator_optimizer` (what `build_optimizer` takes);
`compile` (further arguments of `compile`, the loss weights among them);
`training` (`steps`, `batch_size`, `flip`, which `mbu-tf train` follows).

A formulation turns a recipe into what the published code, or the paper's text,
makes of the same task; docs/published-code.md compares them.
"""

import keras

from mbu_tf.optimizers import PyTorchAdam


def build_optimizer(recipe, steps):
    """Adam as a recipe asks for it, a fresh instance each time.

    Args:
        recipe: dict of `learning_rate`, `beta_1`, `beta_2`, `decay_to`, the
            share of the learning rate that a cosine decay over all steps
            leaves, or `None` for a constant one, and `pytorch`, whether it is
            to be PyTorch's Adam.
        steps: training steps.
    """
    rate, share = recipe["learning_rate"], recipe["decay_to"]
    if share is not None:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=share)
    kind = PyTorchAdam if recipe["pytorch"] else keras.optimizers.Adam
    return kind(rate, beta_1=recipe["beta_1"], beta_2=recipe["beta_2"])


def _adam(learning_rate, decay_to=None):
    return {
        "learning_rate": learning_rate,
        "beta_1": 0.5,
        "beta_2": 0.999,
        "decay_to": decay_to,
        "pytorch": False,
    }


def _published(description, recon1_a, recon1_b, cycle_separate, recon2, confusion):
    """A recipe of the published code: 128 px, Adam 2e-4, 150,000 steps of 32."""
    return {
        "description": description,
        "architecture": {"image_size": 128, "width": 1.0, "separate_channels": 25},
        "optimizer": _adam(2e-4),
        "discriminator_optimizer": _adam(2e-4),
        "compile": {
            "generator_clip_norm": 5.0,
            "discriminator_codes": "updated",
            "loss_weights": {
                "recon1_a": recon1_a,
                "recon1_b": recon1_b,
                "cycle_common": 0.0,
                "cycle_separate": cycle_separate,
                "recon2_a": recon2,
                "recon2_b": recon2,
                "confusion": confusion,
            },
        },
        "training": {"steps": 150_000, "batch_size": 32, "flip": True},
    }


def _quick(
    description, separate_channels, learning_rate, recon2, confusion, steps, batch_size, flip
):
    """A recipe for a CPU: 64 px, half width (docs/learning.md says how it was found)."""
    return {
        "description": description,
        "architecture": {
            "image_size": 64,
            "width": 0.5,
            "separate_channels": separate_channels,
        },
        "optimizer": _adam(learning_rate, decay_to=0.02),
        "discriminator_optimizer": _adam(learning_rate, decay_to=0.02),
        "compile": {
            "generator_clip_norm": 5.0,
            "discriminator_codes": "shared",
            "loss_weights": {
                "recon1_a": 5.0,
                "recon1_b": 7.0,
                "cycle_common": 0.0,
                "cycle_separate": 0.03,
                "recon2_a": recon2,
                "recon2_b": recon2,
                "confusion": confusion,
            },
        },
        "training": {"steps": steps, "batch_size": batch_size, "flip": flip},
    }


PRESETS = {
    "avatars": _quick(
        "The embedded avatars, minutes on a CPU.",
        separate_channels=8,
        learning_rate=4e-3,
        recon2=2.0,
        confusion=0.1,
        steps=3000,
        batch_size=16,
        flip=False,
    ),
    "photos": _quick(
        "Photographs at 64 px, an hour on a CPU.",
        separate_channels=16,
        learning_rate=2e-3,
        recon2=1.0,
        confusion=0.2,
        steps=20_000,
        batch_size=16,
        flip=True,
    ),
    "glasses": _published("B: glasses, A: none.", 5.0, 7.0, 0.001, 0.7, 0.005),
    "smile": _published("B: smiling, A: not.", 5.0, 7.0, 0.0001, 1.0, 0.005),
    "womens_hair": _published(
        "B: women with black hair, A: with blond hair.", 1.0, 1.0, 0.04, 0.1, 1.0
    ),
    "mens_hair": _published("B: men with dark hair, A: bald.", 5.0, 5.0, 0.5, 0.5, 1.0),
    "facial_hair": _published(
        "B: facial hair, A: none. No recipe is published: the weights of glasses.",
        *(5.0, 7.0, 0.001, 0.7, 0.005),
    ),
    "handbags": _published(
        "B: handbags with a handle, A: without. No recipe is published: the weights of glasses.",
        *(5.0, 7.0, 0.001, 0.7, 0.005),
    ),
}

PUBLISHED_NETWORKS = {
    "depth": 6,
    "common_channels": None,
    "normalization": "batch",
    "encoder_activation": "leaky_relu",
    "decoder_activation": "leaky_relu",
    "decoder_a_input": "common_and_zeros",
}


def published_code(recipe):
    """`recipe` as the published code trains it, step for step (`mbu_tf.interop`)."""
    return {
        **recipe,
        "architecture": {
            **recipe["architecture"],
            **PUBLISHED_NETWORKS,
            "separate_code_of_a": "zeros",
            "share_passes": False,
        },
        "optimizer": {**recipe["optimizer"], "pytorch": True},
        "discriminator_optimizer": {**recipe["discriminator_optimizer"], "pytorch": True},
        "compile": {
            **recipe["compile"],
            "generator_clip_norm": 5.0,
            "discriminator_clip_norm": None,
            "confusion_label": 0,
            "discriminator_codes": "updated",
        },
    }


def paper(recipe):
    """`recipe` as the paper's text has it: appendix A, one lambda_3, no factor at L_DC."""
    weights = recipe["compile"]["loss_weights"]
    return {
        **recipe,
        "architecture": {
            **recipe["architecture"],
            "separate_channels": 100,
            "common_channels": "paper",
            "decoder_activation": "relu",
            "decoder_a_input": "common",
            "separate_code_of_a": "encoded",
        },
        "compile": {
            **recipe["compile"],
            "generator_clip_norm": None,
            "confusion_label": 1,
            "discriminator_codes": "shared",
            "loss_weights": {
                **weights,
                "cycle_common": weights["cycle_separate"],
                "confusion": 1.0,
            },
        },
    }


FORMULATIONS = {"published_code": published_code, "paper": paper}
