"""How images are moved and relit."""

import itertools
import math

import numpy as np
import pytest

from mbu_tf.data.augmentation import BRIGHTNESS, DRAWS, SCALE, SHIFT, TURN, augmented
from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range

PLACE, LIGHT = slice(0, 4), slice(4, DRAWS)


def dot(size, x, y):
    """A bright disc around (x, y), of 3 pixels' deviation."""
    columns, rows = np.meshgrid(*(np.arange(size) + 0.5,) * 2)
    light = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / 9)
    return np.repeat(np.uint8(np.rint(240 * light))[..., None], 3, axis=-1)


def centre(image):
    light = image[..., 0] - image[..., 0].min()
    columns, rows = np.meshgrid(*(np.arange(len(image)) + 0.5,) * 2)
    return np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()


def test_nothing_drawn_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    same = augmented(images, np.zeros((3, DRAWS)))
    assert same.dtype == np.float32
    np.testing.assert_allclose(same, to_model_range(images), atol=1e-6)


@pytest.mark.parametrize("draws", [(1, 0, 0, 0), (0, -1, 0, 0), (0, 0, 1, -1), (-0.7, 0.5, 0.3, 1)])
def test_images_are_turned_scaled_and_moved_about_their_middle(draws):
    size, point = 64, np.array([44.0, 25.0])
    numbers = np.zeros((1, DRAWS))
    numbers[0, PLACE] = draws
    (moved,) = augmented(dot(size, *point)[None], numbers)
    turn, scale = TURN * draws[0], math.exp(SCALE * draws[1])
    # The square that is seen is turned and moved: what is in it, the other way.
    rotation = scale * np.array(
        [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
    )
    away = point - size / 2 - SHIFT * size * np.array(draws[2:])
    np.testing.assert_allclose(centre(moved), size / 2 + rotation @ away, atol=0.1)


def test_light_changes_alike_everywhere():
    images = np.random.default_rng(1).integers(60, 200, (1, 8, 8, 3), np.uint8)
    plain = to_model_range(images)
    numbers = np.zeros((1, DRAWS))
    numbers[0, -1] = 1
    np.testing.assert_allclose(augmented(images, numbers), plain + BRIGHTNESS, atol=1e-6)
    numbers = np.zeros((1, DRAWS))
    numbers[0, 4] = -1
    ratio = augmented(images, numbers) / plain
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)
    assert ratio.mean() < 1


def test_values_stay_in_range():
    images = np.random.default_rng(2).choice(np.uint8([0, 255]), (20, 8, 8, 3))
    changed = augmented(images, np.random.default_rng(3).uniform(-1, 1, (20, DRAWS)))
    assert changed.min() == -1 and changed.max() == 1


def test_batches_are_augmented_by_seed_and_step_alone_and_in_both_domains():
    images = ImageArray(np.repeat(dot(32, 16, 16)[None], 5, axis=0))
    domains = TwoDomains(images, images, 32)

    def stream(count, **options):
        batches = domains.batches(6, augment=True, **options)
        return [np.stack(batch) for batch in itertools.islice(batches, count)]

    whole = stream(8)
    np.testing.assert_array_equal(stream(3, first_step=5), whole[5:])
    halves = zip(*(stream(8, shards=2, shard=i) for i in range(2)), strict=True)
    parts = [np.concatenate(half, axis=1) for half in halves]
    np.testing.assert_array_equal(parts, whole)
    places = np.array([[centre(image) for image in side] for batch in whole for side in batch])
    places = places.reshape(8, 2, 6, 2)
    assert len(np.unique(places.round(3), axis=None)) > 100
    limit = 32 * SHIFT * math.exp(SCALE) * math.sqrt(2) + 0.1
    assert (np.linalg.norm(places - 16, axis=-1) < limit).all()
    spread = places.std(axis=(0, 2))
    # Uniform over ±SHIFT of the side, in A as in B.
    np.testing.assert_allclose(spread, 32 * SHIFT / math.sqrt(3), rtol=0.25)
