"""The stream of random batches: order, repetition, determinism, mirror images."""

import itertools

import numpy as np
import pytest

from mbu_tf.data.domains import ImageArray, TwoDomains, to_model_range, to_uint8


def numbered(count, size=4):
    """Image i is filled with the value i."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return ImageArray(np.broadcast_to(images, (count, size, size, 3)))


def numbers(batch):
    return to_uint8(batch)[:, 0, 0, 0].tolist()


def take(data, count):
    return [tuple(x.numpy() for x in batch) for batch in itertools.islice(data, count)]


@pytest.fixture
def domains():
    return TwoDomains(numbered(10), numbered(4), 4)


def test_value_range():
    values = np.arange(256, dtype=np.uint8)
    floats = to_model_range(values)
    assert floats.dtype == np.float32 and (floats.min(), floats.max()) == (-1, 1)
    np.testing.assert_array_equal(to_uint8(floats), values)
    np.testing.assert_array_equal(to_uint8([-3.0, 3.0]), [0, 255])


def test_batches_are_float_images_of_both_domains(domains):
    (a, b), *_ = take(domains.batches(3), 1)
    assert a.shape == b.shape == (3, 4, 4, 3) and a.dtype == b.dtype == np.float32


def test_every_image_comes_once_in_each_pass_and_the_smaller_domain_repeats(domains):
    assert domains.steps_per_epoch(3) == 4
    a, b = (sum(map(numbers, side), []) for side in zip(*take(domains.batches(2), 10), strict=True))
    assert sorted(a[:10]) == sorted(a[10:]) == list(range(10))
    assert all(sorted(b[i : i + 4]) == [0, 1, 2, 3] for i in range(0, 20, 4))
    assert a[:10] != a[10:] and len({tuple(b[i : i + 4]) for i in range(0, 20, 4)}) > 1


def test_pairs_are_random(domains):
    pairs = {
        pair
        for a, b in take(domains.batches(10), 40)
        for pair in zip(numbers(a), numbers(b), strict=True)
    }
    assert len(pairs) == 40  # all of 10 x 4


def test_the_seed_decides_everything_and_a_run_goes_on_where_it_stopped(domains):
    def stream(count, **options):
        return [
            np.concatenate(batch).tobytes()
            for batch in take(domains.batches(3, flip=True, **options), count)
        ]

    whole = stream(12, seed=5)
    assert stream(12, seed=5) == whole
    assert stream(5, seed=5, first_step=7) == whole[7:]
    assert stream(12, seed=6) != whole


def test_the_shards_of_a_batch_are_the_batch_and_read_nothing_else(domains):
    def stream(**options):
        return take(domains.batches(6, seed=5, flip=True, first_step=3, **options), 7)

    parts = [stream(shards=3, shard=i) for i in range(3)]
    for step, batch in enumerate(stream()):
        for side, images in enumerate(batch):
            joined = np.concatenate([part[step][side] for part in parts])
            np.testing.assert_array_equal(joined, images)
    taken = []

    class Watched(ImageArray):
        def take(self, indices):
            taken.append(len(indices))
            return super().take(indices)

    watched = TwoDomains(Watched(domains.a.take(range(10))), domains.b, 4)
    take(watched.batches(6, shards=3, shard=1), 2)
    assert set(taken) == {2}
    for wrong in ({"shards": 4}, {"shards": 3, "shard": 3}, {"shard": -1}, {"shards": 0}):
        with pytest.raises(ValueError, match="multiple of `shards`.*Received: batch_size=6"):
            domains.batches(6, **wrong)


def test_flip_mirrors_half_of_the_images():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[:, :, 0] = 255
    domains = TwoDomains(ImageArray(images), ImageArray(images), 4)
    plain = np.concatenate([x for batch in take(domains.batches(10), 20) for x in batch])
    assert (plain[:, :, 0] == 1).all() and (plain[:, :, -1] == -1).all()
    flipped = np.concatenate([x for b in take(domains.batches(10, flip=True), 20) for x in b])
    left = flipped[:, 0, 0, 0] == 1
    assert 0.4 < left.mean() < 0.6
    assert (flipped[~left][:, :, -1] == 1).all()


def test_pairs_for_evaluation_come_once_in_order_with_masks(domains):
    batches = take(domains.pairs(3), 9)
    assert [len(a) for a, _ in batches] == [3, 1]
    assert sum((numbers(b) for _, b in batches), []) == [0, 1, 2, 3]
    assert len(domains.pairs(3)) == 2
    masks = ImageArray(np.full((4, 4, 4, 1), 255, np.uint8))
    (batch,) = take(TwoDomains(domains.a, domains.b, 4, b_mask=masks).pairs(8, limit=2), 2)
    assert [x.shape for x in batch] == [(2, 4, 4, 3), (2, 4, 4, 3), (2, 4, 4, 1)]
    assert (batch[2] == 1).all()


def test_arrays_are_the_first_images_in_the_models_range(domains):
    for images, array in zip((domains.a, domains.b), domains.arrays(2), strict=True):
        np.testing.assert_array_equal(array, to_model_range(images.take([0, 1])))
    a, b = domains.arrays(1000)
    assert (len(a), len(b)) == (len(domains.a), len(domains.b))
    np.testing.assert_array_equal(a, domains.arrays()[0])


def test_empty_domains_and_wrong_arrays():
    empty = ImageArray(np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="Domain B holds no image.*A of 3, B of 0"):
        TwoDomains(numbered(3), empty, 4)
    with pytest.raises(ValueError, match="uint8 array.*float64"):
        ImageArray(np.zeros((1, 4, 4, 3)))
