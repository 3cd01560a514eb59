"""Named recipes: plain dictionaries of architecture, loss weights and optimizers.

The keys of a recipe: `description`; `architecture` (constructor arguments);
`optimizer` and `discriminator_optimizer` (what `build_optimizer` takes);
`compile` (further arguments of `compile`, the loss weights among them);
`training` (`steps`, `batch_size`, `flip`, which `mbu-tf train` follows).
"""

import keras


def build_optimizer(recipe, steps):
    """Adam as a recipe asks for it, a fresh instance each time.

    Args:
        recipe: dict of `learning_rate`, `beta_1`, `beta_2` and `decay_to`, the
            share of the learning rate that a cosine decay over all steps
            leaves, or `None` for a constant one.
        steps: training steps.
    """
    rate, share = recipe["learning_rate"], recipe["decay_to"]
    if share is not None:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=share)
    return keras.optimizers.Adam(rate, beta_1=recipe["beta_1"], beta_2=recipe["beta_2"])


def _adam(learning_rate, decay_to=None):
    return {"learning_rate": learning_rate, "beta_1": 0.5, "beta_2": 0.999, "decay_to": decay_to}


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


def _quick(description, separate_channels, learning_rate, steps, flip):
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
                "recon2_a": 2.0,
                "recon2_b": 2.0,
                "confusion": 0.1,
            },
        },
        "training": {"steps": steps, "batch_size": 16, "flip": flip},
    }


PRESETS = {
    "avatars": _quick("The embedded avatars, minutes on a CPU.", 8, 4e-3, 3500, False),
    "photos": _quick("Photographs at 64 px, an hour or two on a CPU.", 16, 2e-3, 30_000, True),
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
