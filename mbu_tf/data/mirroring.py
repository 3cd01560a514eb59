"""Whether mirror images are to be expected among the images of a domain."""

import numpy as np

from mbu_tf.data.domains import TwoDomains, to_model_range

IMAGES_SEEN = 512
# Of photographs of faces it is below 0.005, of avatars, which all look one way, above 0.3.
ASYMMETRY = 0.1


def may_be_mirrored(domains: TwoDomains) -> bool:
    """Whether images mirrored left to right look like more of the same.

    They do where the mean picture of each domain is its own mirror image, as of photographs
    taken from anywhere. Drawn faces that all look one way, or mugs that all have their
    handle on the right, are none.

    Args:
        domains: whose first 512 images are looked at, spread over each domain.
    """
    return max(_asymmetry(x) for x in (domains.a, domains.b)) < ASYMMETRY


def _asymmetry(images):
    """Mean square of the mean picture less its mirror image, over the images' variance.

    What chance makes of so many images is taken off, 2 / count.
    """
    some = np.unique(np.linspace(0, len(images) - 1, IMAGES_SEEN, dtype=int))
    pictures = to_model_range(images.take(some))
    mean = pictures.mean(axis=0)
    variance = max(float(pictures.var(axis=0).mean()), 1e-12)
    return float(np.square(mean - mean[:, ::-1]).mean()) / variance - 2 / len(some)
