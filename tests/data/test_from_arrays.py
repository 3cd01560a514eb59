"""Two domains from arrays: random pairs to train on, finite ones with masks to validate on."""

import keras
import numpy as np
import pytest

from mbu_tf import MaskedContentTransfer, TwoDomains
from mbu_tf.data import to_model_range

RNG = np.random.default_rng(0)
A = RNG.integers(0, 256, (5, 32, 32, 3), np.uint8)
B = RNG.integers(0, 256, (3, 32, 32, 3), np.uint8)
MASKS = RNG.random((3, 32, 32)) < 0.2


def test_images_come_back_as_they_are():
    for a, b in ((A, B), (to_model_range(A), to_model_range(B).astype(np.float64))):
        domains = TwoDomains.from_arrays(a, b, framing="face")
        np.testing.assert_array_equal(domains.a.take(range(5)), A)
        np.testing.assert_array_equal(domains.b.take(range(3)), B)
        assert domains.image_size == 32 and domains.framing.kind == "face"
        assert domains.b_mask is None


def test_pairs_are_random_whatever_the_counts():
    pairs, batches = set(), iter(TwoDomains.from_arrays(A, B).batches(5))
    for _ in range(20):
        for a, b in zip(*(x.numpy() for x in next(batches)), strict=True):
            i, j = (
                next(i for i, x in enumerate(known) if np.allclose(to_model_range(x), image))
                for known, image in ((A, a), (B, b))
            )
            pairs.add((i, j))
    assert len(pairs) == 15


@pytest.mark.parametrize(
    "masks", [MASKS, MASKS[..., None], MASKS.astype(np.float32), np.uint8(255) * MASKS]
)
def test_masks_go_with_the_images_of_b(masks):
    batches = list(TwoDomains.from_arrays(A, B, masks).pairs(2).as_numpy_iterator())
    assert [len(batch[0]) for batch in batches] == [2, 1]
    a, b, mask = (np.concatenate(x) for x in zip(*batches, strict=True))
    np.testing.assert_allclose(a, to_model_range(A[:3]))
    np.testing.assert_allclose(b, to_model_range(B))
    np.testing.assert_array_equal(mask, MASKS[..., None].astype(np.float32))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((A[0], B), r"`a` must be images.*\(32, 32, 3\)"),
        ((A[:, :, :20], B), r"`a` must be images.*\(5, 32, 20, 3\)"),
        ((A, B[..., :1]), r"`b` must be images.*\(3, 32, 32, 1\)"),
        ((A, B.astype(np.float32)), r"`b` must be uint8, or float.*float32 in \[0, 255\]"),
        ((A.astype(int), B), r"`a` must be uint8, or float.*int64"),
        ((A, B * np.float32("nan")), "`b` must be uint8, or float.*nan"),
        ((A[:, :16, :16], B), "of one size"),
        ((A, B, MASKS[:2]), r"`masks` must be \(3, 32, 32, 1\).*\(2, 32, 32\)"),
        ((A, B, MASKS * 2.0), r"`masks` must be bool.*float64 in \[0, 2\]"),
        ((A, B, MASKS.astype(np.uint8)), r"255 for 1\. Received: uint8 in \[0, 1\]"),
        ((A[:0], B), "Domain A holds no image"),
    ],
)
def test_other_arrays_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        TwoDomains.from_arrays(*arrays)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config")
def test_validation_measures_the_masks():
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)
    model.compile(keras.optimizers.Adam(1e-3))
    train = TwoDomains.from_arrays(A, B)
    held_out = TwoDomains.from_arrays(A, B, MASKS).pairs(3)
    history = model.fit(
        train.batches(2),
        steps_per_epoch=1,
        epochs=2,
        validation_data=held_out,
        shuffle=False,
        verbose=0,
    ).history
    assert len(history["val_iou"]) == 2 and "iou" not in history
    predicted = model.segment(to_model_range(B), "stored")[..., 0] > 0
    expected = (predicted & MASKS).sum() / (predicted | MASKS).sum()
    assert history["val_iou"][-1] == pytest.approx(expected, abs=1e-5)
