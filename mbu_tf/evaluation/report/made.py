"""What a system made of images, as every measure takes it."""

from typing import NamedTuple

import numpy as np

# What a system may make of images, and the domain that it should then look like.
WAYS = {"transfer": "b", "removal": "a", "transfer_to_a": "a"}


class Made(NamedTuple):
    """Edited images and what they were made from.

    Attributes:
        source: the images before, float32 `(count, size, size, 3)` in [-1, 1].
        reference: the images whose content they were to get, or `None`.
        image: the images after.
        mask: where they were edited, float32 `(count, size, size, 1)` in [0, 1],
            or `None` if unknown.
    """

    source: np.ndarray
    reference: np.ndarray | None
    image: np.ndarray
    mask: np.ndarray | None
