"""Whether images may be mirrored is seen in the images."""

import numpy as np

from mbu_tf.data.domains import TwoDomains
from mbu_tf.data.mirroring import may_be_mirrored


def domains(shape, count=40):
    """Noise on which a shape lies, of as many images of either domain."""
    noise = np.random.default_rng(0).normal(0, 0.3, (2, count, 16, 16, 3))
    return TwoDomains.from_arrays(*np.clip(noise + shape, -1, 1).astype("float32"))


def test_what_looks_one_way_may_not():
    ramp = np.linspace(-0.6, 0.6, 16)[None, :, None]
    assert may_be_mirrored(domains(np.abs(ramp)))
    assert may_be_mirrored(domains(ramp.transpose(1, 0, 2)))  # Above is not below.
    assert not may_be_mirrored(domains(ramp))


def test_one_domain_that_looks_one_way_is_enough():
    level, ramp = (domains(x) for x in (0.0, np.linspace(-0.6, 0.6, 16)[None, :, None]))
    assert not may_be_mirrored(TwoDomains(level.a, ramp.b, 16))
    assert may_be_mirrored(TwoDomains(level.a, level.b, 16))
