"""Whether images may be mirrored, and are drawn, is seen in the images."""

import numpy as np

from mbu_tf.data.domains import TwoDomains
from mbu_tf.data.image_kinds import are_drawn, may_be_mirrored


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


def of_rectangles(share):
    """Images of two flat colours, of whose columns such a share is noise instead."""
    rng = np.random.default_rng(0)
    images = np.full((2, 5, 40, 40, 3), 200, np.uint8)
    images[:, :, 10:30, 5:20] = (10, 40, 90)
    noisy = round(share * 40)
    images[..., 40 - noisy :, :] = rng.integers(0, 256, (2, 5, 40, noisy, 3))
    return TwoDomains.from_arrays(*images)


def test_drawings_are_flat():
    assert are_drawn(of_rectangles(0.0)) and are_drawn(of_rectangles(0.2))
    assert not are_drawn(of_rectangles(0.5))


def test_a_compressed_drawing_is_one_still():
    drawn = of_rectangles(0.0)
    a = drawn.a.take(np.arange(5)) + np.random.default_rng(1).integers(0, 3, (5, 40, 40, 3))
    assert are_drawn(TwoDomains.from_arrays(a.astype(np.uint8), drawn.b.take(np.arange(5))))


def test_one_domain_of_photographs_is_enough():
    drawn, photos = of_rectangles(0.0), of_rectangles(1.0)
    assert not are_drawn(TwoDomains(drawn.a, photos.b, 40))
    assert not are_drawn(TwoDomains(photos.a, drawn.b, 40))
