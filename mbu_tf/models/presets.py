"""Named recipes of each method: plain dictionaries (`recipes.py` says of what).

A formulation turns a recipe into what the published code, or the paper's text,
makes of the same task; docs/published-code.md compares them.
docs/learning.md says how the recipes for a CPU were found.
"""

import functools

from mbu_tf.models.recipes import adam, as_published, published, quick, rising
from mbu_tf.models.steering import AUTO

_AVATARS = {"learning_rate": 2e-3, "steps": 3000, "flip": False}
_PHOTOS = {"learning_rate": 2e-3, "steps": 20_000, "flip": True}
# Of methods with separate codes, and of those that lay paint on with masks.
_SEPARATE_AVATARS = {**_AVATARS, "separate_channels": 8}
_SEPARATE_PHOTOS = {**_PHOTOS, "separate_channels": 16}
_MASKED_AVATARS = {**_SEPARATE_AVATARS, "learning_rate": 4e-3}


def _mbu_weights(recon1_a, recon1_b, cycle_separate, recon2, confusion):
    return {
        "recon1_a": recon1_a,
        "recon1_b": recon1_b,
        "cycle_common": 0.0,
        "cycle_separate": cycle_separate,
        "recon2_a": recon2,
        "recon2_b": recon2,
        "confusion": confusion,
    }


# For faces of photos: 128 px, in which a thin frame is a pixel wide, and images changed alike in
# both domains (`augmented`), since sets of photos differ in more than the content.
_FACES = {**_SEPARATE_PHOTOS, "image_size": 128, "augment": True, "steps": 17_000}
_FACES_WEIGHTS = _mbu_weights(5.0, 7.0, 0.03, 0.7, 0.3)

# A pixel around what is taken off: a frame's soft outline shows a frame.
_quick_mbu = functools.partial(quick, removal_border=1)

_GLASSES = _mbu_weights(5.0, 7.0, 0.001, 0.7, 0.005)

MBU_PRESETS = {
    "auto": _quick_mbu(
        "Any data at 64 px: loss weights steer themselves. Minutes to an hour on a CPU.",
        {**_mbu_weights(5.0, 7.0, AUTO, AUTO, AUTO), "mask_size": AUTO, "raw_b": 2.0},
        separate_channels=8,
        cycle_images=4,
        learning_rate=4e-3,
        rate={"short_run": 1000, "held": AUTO},
        steps=4000,
        flip=AUTO,
        augment=AUTO,
    ),
    "avatars": _quick_mbu(
        "The embedded avatars, minutes on a CPU.",
        _mbu_weights(5.0, 7.0, 0.03, 2.0, 0.1),
        **_MASKED_AVATARS,
    ),
    "avatars_facial_hair": _quick_mbu(
        "The avatars' facial hair: a larger part, which the common code gives up less easily.",
        _mbu_weights(5.0, 7.0, 0.03, 2.0, 1.0),
        **_MASKED_AVATARS,
    ),
    "photos": _quick_mbu(
        "Photographs at 64 px, an hour on a CPU.",
        _mbu_weights(5.0, 7.0, 0.03, 1.0, 0.2),
        **_SEPARATE_PHOTOS,
    ),
    "photos_facial_hair": _quick_mbu(
        "Facial hair in photographs: a larger part, which the common code gives up less easily.",
        _mbu_weights(5.0, 7.0, 0.03, 2.0, 1.0),
        **_SEPARATE_PHOTOS,
    ),
    "faces": _quick_mbu(
        "A part of faces in photographs at 128 px, an hour or two on a CPU.",
        _FACES_WEIGHTS,
        framing="face",
        **_FACES,
    ),
    "faces_glasses": {
        **_quick_mbu("Glasses in photographs of faces.", _FACES_WEIGHTS, framing="eyes", **_FACES),
        "weights": "faces_glasses",
    },
    "faces_facial_hair": {
        **_quick_mbu(
            "Facial hair in photographs of faces.",
            {**_FACES_WEIGHTS, "confusion": 2.0, "raw_b": 2.0, "mask_size": 0.02},
            framing="mouth",
            **{**_FACES, "steps": 6000},
        ),
        "weights": "faces_facial_hair",
    },
    "glasses": published("B: glasses, A: none.", _GLASSES),
    "smile": published("B: smiling, A: not.", _mbu_weights(5.0, 7.0, 0.0001, 1.0, 0.005)),
    "womens_hair": published(
        "B: women with black hair, A: with blond hair.", _mbu_weights(1.0, 1.0, 0.04, 0.1, 1.0)
    ),
    "mens_hair": published(
        "B: men with dark hair, A: bald.", _mbu_weights(5.0, 5.0, 0.5, 0.5, 1.0)
    ),
    "facial_hair": published(
        "B: facial hair, A: none. No recipe is published: the weights of glasses.", _GLASSES
    ),
    "handbags": published(
        "B: handbags with a handle, A: without. No recipe is published: the weights of glasses.",
        _GLASSES,
    ),
}

MBU_PUBLISHED_NETWORKS = {
    "depth": 6,
    "common_channels": None,
    "normalization": "batch",
    "encoder_activation": "leaky_relu",
    "decoder_activation": "leaky_relu",
    "decoder_a_input": "common_and_zeros",
    "cycle_images": None,
}


def _mbu_published_code(recipe):
    networks = {
        **MBU_PUBLISHED_NETWORKS,
        "separate_code_of_a": "zeros",
        "share_passes": False,
        "removal_border": 0,
    }
    return as_published(recipe, networks, confusion_label=0)


def _mbu_paper(recipe):
    """Appendix A, one lambda_3, no factor at L_DC."""
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
            "cycle_images": None,
            "removal_border": 0,
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


MBU_FORMULATIONS = {"published_code": _mbu_published_code, "paper": _mbu_paper}


CD_PRESETS = {
    "avatars": quick(
        "The embedded avatars, minutes on a CPU.",
        {"recon_a": 5.0, "recon_b": 5.0, "confusion": 0.1},
        **_SEPARATE_AVATARS,
    ),
    "photos": quick(
        "Photographs at 64 px, an hour on a CPU.",
        {"recon_a": 5.0, "recon_b": 5.0, "confusion": 0.1},
        **_SEPARATE_PHOTOS,
    ),
    "celeba": published(
        "The published weights, for any pair of domains.",
        {"recon_a": 1.0, "recon_b": 1.0, "confusion": 0.001},
        steps=1_250_000,
    ),
}

CD_PUBLISHED_NETWORKS = {
    "depth": 6,
    "normalization": "instance",
    "encoder_activation": "leaky_relu",
    "decoder_activation": "relu",
}


def _cd_published_code(recipe):
    networks = {**CD_PUBLISHED_NETWORKS, "reconstruction_norm": "l2"}
    return as_published(recipe, networks, confusion_label=0)


CD_FORMULATIONS = {"published_code": _cd_published_code}


def _didd_weights(recon, zero, confusion):
    return {
        "recon_a": recon,
        "recon_b": recon,
        "zero_a": zero,
        "zero_b": zero,
        "confusion": confusion,
    }


DIDD_PRESETS = {
    "avatars": quick(
        "The embedded avatars, minutes on a CPU.",
        _didd_weights(5.0, 5.0, 0.1),
        **_SEPARATE_AVATARS,
    ),
    "photos": quick(
        "Photographs at 64 px, an hour on a CPU.",
        _didd_weights(5.0, 5.0, 0.1),
        **_SEPARATE_PHOTOS,
    ),
    "celeba": published(
        "The published weights, for any pair of domains.",
        _didd_weights(1.0, 1.0, 0.001),
        steps=1_250_000,
    ),
}

DIDD_PUBLISHED_NETWORKS = {
    "depth": 6,
    "normalization": "instance",
    "encoder_activation": "leaky_relu",
    "decoder_activation": "relu",
    "common_bare_blocks": [2],
    "separate_bare_blocks": [],
    "spectral_updates": "always",
}


def _didd_published_code(recipe):
    networks = {**DIDD_PUBLISHED_NETWORKS, "share_passes": False}
    return as_published(recipe, networks, confusion_label=1)


DIDD_FORMULATIONS = {"published_code": _didd_published_code}


_MASKED_DIDD = {
    "recon1_a": 6.0,
    "recon1_b": 6.0,
    "recon2_a": 2.0,
    "recon2_b": 2.0,
    "zero_a": 0.0,
    "zero_b": 0.0,
    "cycle_separate_a": 0.03,
    "cycle_separate_b": 0.03,
    "confusion": 1.0,
}

MASKED_DIDD_PRESETS = {
    "avatars": quick(
        "The embedded avatars, minutes on a CPU.",
        _MASKED_DIDD,
        **_MASKED_AVATARS,
    ),
    "photos": quick(
        "Photographs at 64 px, an hour or two on a CPU. Tried on avatars alone.",
        {**_MASKED_DIDD, "recon2_a": 1.0, "recon2_b": 1.0},
        **_SEPARATE_PHOTOS,
    ),
}


def _fader_weights(recon, confusion, over=0.5):
    return {"recon_a": recon, "recon_b": recon, "confusion": rising(confusion, over)}


FADER_PRESETS = {
    "avatars": quick(
        "The embedded avatars, minutes on a CPU.",
        _fader_weights(5.0, 0.1),
        **_AVATARS,
    ),
    "photos": quick(
        "Photographs at 64 px, an hour on a CPU.",
        _fader_weights(5.0, 0.1),
        **_PHOTOS,
    ),
    "celeba": {
        "description": "The paper's: 256 px, 32 images a step, lambda_E 1e-4 after 500,000 steps.",
        "architecture": {"image_size": 256, "width": 1.0},
        "optimizer": adam(2e-3),
        "discriminator_optimizer": adam(2e-3),
        "compile": {
            "generator_clip_norm": None,
            "discriminator_codes": "shared",
            "loss_weights": _fader_weights(1.0, 1e-4),
        },
        "training": {"steps": 1_000_000, "batch_size": 16, "flip": True},
    },
}
