"""The methods by the names that the command line gives them."""

from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.fader_networks import FaderNetworks
from mbu_tf.models.masked_domain_intersection import MaskedDomainIntersectionDifference

METHODS = {
    "mbu": MaskedContentTransfer,
    "cd": ContentDisentanglement,
    "didd": DomainIntersectionDifference,
    "masked_didd": MaskedDomainIntersectionDifference,
    "fader": FaderNetworks,
}
