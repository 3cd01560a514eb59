"""The three published PyTorch codes: what their checkpoints hold, beside our models.

A checkpoint is a dict: the networks' `state_dict`s, two Adam optimizers
`ae_opt` (of all networks but the discriminator, in their order) and `disc_opt`,
and `iters`.

In MBU and CD the letters are swapped, their A is the domain with the content;
but MBU's `d_a` is the decoder without a mask as `decoder_a` is, and the
discriminator is positive for the domain with the content as ours is. In DIDD A
is our A, and the discriminator is positive for A where ours is for B.
"""

import math
from typing import NamedTuple

from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.presets import (
    CD_PUBLISHED_NETWORKS,
    DIDD_PUBLISHED_NETWORKS,
    MBU_PUBLISHED_NETWORKS,
)
from mbu_tf.networks import blocks, spectral

DISCRIMINATOR = "disc"


class PublishedCode(NamedTuple):
    """One published code.

    Attributes:
        name: how messages call it.
        method: our class.
        default_preset: whose loss weights a new model takes.
        networks: module of the checkpoint: (how its layers are called, see
            `network_tensors`; the attribute of our model), the discriminator last.
        required: constructor argument: the values that leave the networks the
            published ones.
        separate_kernel, decoder_kernel: the tensors whose first axes are the
            separate code's channels and those of all codes together.
        separate_codes: how many separate codes there are.
        passes: how often a step runs each network in training mode, where batch
            normalisation counts that.
        older_names: module of older checkpoints: its name today.
        negated: tensors whose sign is ours turned round.
    """

    name: str
    method: type
    default_preset: str
    networks: dict
    required: dict
    separate_kernel: str
    decoder_kernel: str
    separate_codes: int = 1
    passes: dict = {}
    older_names: dict = {}
    negated: tuple = ()

    @property
    def optimizers(self):
        """Optimizer: the modules it has, in its order."""
        generator = tuple(key for key in self.networks if key != DISCRIMINATOR)
        return {"ae_opt": generator, "disc_opt": (DISCRIMINATOR,)}

    @property
    def keys(self):
        """Those of a checkpoint, in its order."""
        (ae_opt, generator), (disc_opt, _) = self.optimizers.items()
        return (*generator, ae_opt, DISCRIMINATOR, disc_opt, "iters")

    def current_names(self, checkpoint):
        """`checkpoint` with its parts under today's names."""
        renamed = {old: new for old, new in self.older_names.items() if new not in checkpoint}
        return {renamed.get(key, key): value for key, value in checkpoint.items()}

    def sizes(self, checkpoint):
        """Constructor arguments that the tensors' shapes tell, the published ones if they do not.

        Of the image size they tell how often it holds 64, all that the published
        networks know of it.
        """
        published = {"separate_channels": 25, "width": 1.0, "image_size": 128}
        try:
            separate = _shape(checkpoint, self.separate_kernel)[0]
            channels = _shape(checkpoint, self.decoder_kernel)[0]
            inputs = _shape(checkpoint, f"{DISCRIMINATOR}.classify.0.weight")[1]
        except (KeyError, AttributeError, IndexError):
            return published
        common = channels - self.separate_codes * separate
        side = math.isqrt(inputs // max(1, common))
        if min(separate, common, side) < 1:
            return published
        return {
            "separate_channels": separate,
            "width": channels / blocks.CODE_CHANNELS,
            "image_size": 64 * side,
        }


def _shape(checkpoint, name):
    module, key = name.split(".", 1)
    return checkpoint[module][key].shape


def _required(networks, **choices):
    return {**{name: (value,) for name, value in networks.items()}, **choices}


_DISCRIMINATOR = {DISCRIMINATOR: ("classify.{layer}", "discriminator")}

MBU = PublishedCode(
    name="MBU",
    method=MaskedContentTransfer,
    default_preset="glasses",
    networks={
        "e1": ("full.{layer}", "common_encoder"),
        "e2": ("full.{layer}", "separate_encoder"),
        "d_a": ("main.{layer}", "decoder_a"),
        "d_b": ("main.{layer}", "decoder_b"),
        **_DISCRIMINATOR,
    },
    required=_required(MBU_PUBLISHED_NETWORKS),
    separate_kernel="e2.full.15.weight",
    decoder_kernel="d_a.main.0.weight",
    passes={"e1": 5, "e2": 2, "d_a": 2, "d_b": 4},
    older_names={"decoder": "d_a", "mustacher": "d_b"},
)

CD = PublishedCode(
    name="CD",
    method=ContentDisentanglement,
    default_preset="celeba",
    networks={
        "e1": ("full.{layer}", "common_encoder"),
        "e2": ("full.{layer}", "separate_encoder"),
        "decoder": ("main.{layer}", "decoder"),
        **_DISCRIMINATOR,
    },
    required=_required(CD_PUBLISHED_NETWORKS),
    separate_kernel="e2.full.15.weight",
    decoder_kernel="decoder.main.0.weight",
)

DIDD = PublishedCode(
    name="DIDD",
    method=DomainIntersectionDifference,
    default_preset="celeba",
    networks={
        "e_common": ("l{block}.0", "common_encoder"),
        "e_separate_A": ("l{block}.0", "separate_encoder_a"),
        "e_separate_B": ("l{block}.0", "separate_encoder_b"),
        "decoder": ("l{block}.0", "decoder"),
        **_DISCRIMINATOR,
    },
    required=_required(DIDD_PUBLISHED_NETWORKS, spectral_updates=spectral.UPDATES),
    separate_kernel="e_separate_A.l6.0.module.weight_bar",
    decoder_kernel="decoder.l1.0.module.weight_bar",
    separate_codes=2,
    negated=("disc.classify.2.weight", "disc.classify.2.bias"),
)

CODES = (MBU, CD, DIDD)


def code_of_checkpoint(checkpoint):
    """The code that wrote a checkpoint, told by its keys.

    Raises:
        ValueError: if none did, or if a part is of another kind than it must be.
    """
    names = ", ".join(code.name for code in CODES)
    none = f"This is no checkpoint of a published code ({names})"
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{none}, which is a dict. Received: {type(checkpoint).__name__}")
    nearest = min(CODES, key=lambda code: sum(map(len, _differences(code, checkpoint))))
    missing, surplus = _differences(nearest, checkpoint)
    kind = f"{none}. Nearest is {nearest.name}'s, a dict of {', '.join(nearest.keys)}."
    if missing or surplus:
        raise ValueError(f"{kind} Received: {sorted(missing)} missing, {sorted(surplus)} surplus")
    checkpoint = nearest.current_names(checkpoint)
    other = [key for key in nearest.networks if not _is_flat(checkpoint[key])]
    iters = checkpoint["iters"]
    if other or type(iters) is not int or not 0 <= iters < 2**53:
        raise ValueError(f"{kind} Received: {other or ['iters']} of another kind")
    return nearest


def _is_flat(state_dict):
    """Whether it is a dict from names to what is no container."""
    if not isinstance(state_dict, dict):
        return False
    containers = (dict, list, tuple)
    return not any(isinstance(x, containers) for pair in state_dict.items() for x in pair)


def _differences(code, checkpoint):
    """Keys that are missing, keys that are too many."""
    given = set(code.current_names(checkpoint))
    return set(code.keys) - given, given - set(code.keys)


def code_of_model(model):
    """The code whose method a model is.

    Raises:
        ValueError: if there is none, or if it has no such networks.
    """
    codes = [code for code in CODES if isinstance(model, code.method)]
    if not codes:
        methods = ", ".join(code.method.__name__ for code in CODES)
        raise ValueError(
            f"There is published code of {methods} alone. Received: {type(model).__name__}"
        )
    (code,) = codes
    config = model.get_config()
    other = [f"{k}={config[k]!r}" for k, values in code.required.items() if config[k] not in values]
    if other:
        published = ", ".join(
            f"{k}={' or '.join(map(repr, values))}" for k, values in code.required.items()
        )
        raise ValueError(
            f"The model's networks are not those of the published code, {published}. "
            f"Received: {', '.join(other)}"
        )
    return code
