"""Mask based unsupervised content transfer for Keras 3."""

import importlib
from typing import TYPE_CHECKING

from mbu_tf.registration import register_with_keras

__version__ = "0.1.0"

# Resolved on first use, so that `mbu-tf --help` and the avatar renderer's
# workers start without importing TensorFlow.
_EXPORTS = {
    "ContentDisentanglement": "mbu_tf.models.content_disentanglement",
    "DomainIntersectionDifference": "mbu_tf.models.domain_intersection",
    "FaderNetworks": "mbu_tf.models.fader_networks",
    "InSequence": "mbu_tf.models.two_way",
    "MaskedContentTransfer": "mbu_tf.models.content_transfer",
    "MaskedDomainIntersectionDifference": "mbu_tf.models.masked_domain_intersection",
    "Refinement": "mbu_tf.models.refinement",
    "TwoDomainModel": "mbu_tf.models.two_domain",
    "TwoDomains": "mbu_tf.data.domains",
    "load_model": "mbu_tf.models.loading",
    "load_source": "mbu_tf.data.sources",
}
__all__ = [*_EXPORTS, "__version__"]

if TYPE_CHECKING:  # What editors and type checkers read in place of `_EXPORTS`.
    from mbu_tf.data.domains import TwoDomains as TwoDomains
    from mbu_tf.data.sources import load_source as load_source
    from mbu_tf.models.content_disentanglement import (
        ContentDisentanglement as ContentDisentanglement,
    )
    from mbu_tf.models.content_transfer import MaskedContentTransfer as MaskedContentTransfer
    from mbu_tf.models.domain_intersection import (
        DomainIntersectionDifference as DomainIntersectionDifference,
    )
    from mbu_tf.models.fader_networks import FaderNetworks as FaderNetworks
    from mbu_tf.models.loading import load_model as load_model
    from mbu_tf.models.masked_domain_intersection import (
        MaskedDomainIntersectionDifference as MaskedDomainIntersectionDifference,
    )
    from mbu_tf.models.refinement import Refinement as Refinement
    from mbu_tf.models.two_domain import TwoDomainModel as TwoDomainModel
    from mbu_tf.models.two_way import InSequence as InSequence


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})


register_with_keras()
