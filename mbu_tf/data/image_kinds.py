"""What kind of images two domains hold, for recipes that leave a choice to them."""

import numpy as np

from mbu_tf.data.domains import TwoDomains, to_model_range

IMAGES_SEEN = 512
# Of photographs of faces it is below 0.005, of avatars, which all look one way, above 0.3.
ASYMMETRY = 0.1
# Neighbours that differ by so many levels of 255 are alike. Of the pixels of drawings, avatars and
# pixel art, 77 to 92 % are like their neighbours, of photographs of faces a fifth; of things
# photographed on white it may be half.
ALIKE, FLAT = 2, 0.65


def may_be_mirrored(domains: TwoDomains) -> bool:
    """Whether images mirrored left to right look like more of the same.

    They do where the mean picture of each domain is its own mirror image, as of photographs
    taken from anywhere. Drawn faces that all look one way, or mugs that all have their
    handle on the right, are none.

    Args:
        domains: of which at most 512 images each are looked at, spread over all.
    """
    return max(_asymmetry(x) for x in (domains.a, domains.b)) < ASYMMETRY


def are_drawn(domains: TwoDomains) -> bool:
    """Whether most of the images' area is of flat colours, as in drawings and never in photographs.

    Args:
        domains: of which at most 512 images each are looked at, spread over all.
    """
    return min(_flatness(x) for x in (domains.a, domains.b)) > FLAT


def _flatness(images):
    """The share of neighbouring pixels, across and down, that are alike."""
    pictures = _some(images).astype(np.int16)
    steps = (np.abs(np.diff(pictures, axis=axis)).max(-1) for axis in (1, 2))
    return float(np.mean([(step <= ALIKE).mean() for step in steps]))


def _asymmetry(images):
    """Mean square of the mean picture less its mirror image, over the images' variance.

    What chance makes of so many images is taken off, 2 / count.
    """
    pictures = to_model_range(_some(images))
    mean = pictures.mean(axis=0)
    variance = max(float(pictures.var(axis=0).mean()), 1e-12)
    return float(np.square(mean - mean[:, ::-1]).mean()) / variance - 2 / len(pictures)


def _some(images):
    """As many images as are looked at, spread over all."""
    return images.take(np.unique(np.linspace(0, len(images) - 1, IMAGES_SEEN, dtype=int)))
