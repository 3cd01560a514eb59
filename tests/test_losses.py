"""Equations 2 to 9 against the paper's formulas written out in NumPy (float64)."""

import numpy as np
import pytest
from keras import ops

from mbu_tf import losses

N, S = 3, 5


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return {
        "a": rng.uniform(-1, 1, (N, S, S, 3)),
        "b": rng.uniform(-1, 1, (N, S, S, 3)),
        "raw": rng.uniform(-1, 1, (N, S, S, 3)),
        "mask": rng.uniform(0, 1, (N, S, S, 1)),
        "code": rng.normal(size=(N, 2, 2, 7)),
        "other_code": rng.normal(size=(N, 2, 2, 7)),
        "logits_a": 3 * rng.normal(size=(N, 1)),
        "logits_b": 3 * rng.normal(size=(N, 1)),
    }


def cross_entropy(p, q):
    """l(p, q) as printed below equation 3."""
    return -(q * np.log(p) + (1 - q) * np.log(1 - p))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def z(mask, raw, background):
    """Equations 2 and 7, pixel by pixel."""
    out = np.empty_like(background)
    for index in np.ndindex(background.shape):
        m = mask[(*index[:3], 0)]
        out[index] = m * raw[index] + (1 - m) * background[index]
    return out


@pytest.mark.parametrize("dtype,tolerance", [("float32", 2e-6), ("float64", 1e-13)])
def test_equations(data, dtype, tolerance):
    d = {k: v.astype(dtype) for k, v in data.items()}
    p_a, p_b = sigmoid(data["logits_a"]), sigmoid(data["logits_b"])
    a, b, raw, mask = (data[k] for k in ("a", "b", "raw", "mask"))
    expected_and_got = {
        "equation 3, paper": (
            cross_entropy(p_a, 1).mean() + cross_entropy(p_b, 1).mean(),
            losses.domain_confusion_loss(d["logits_a"], d["logits_b"], label=1),
        ),
        "equation 3, published code": (
            cross_entropy(p_a, 0).mean() + cross_entropy(p_b, 0).mean(),
            losses.domain_confusion_loss(d["logits_a"], d["logits_b"]),
        ),
        "equation 4": (
            cross_entropy(p_a, 0).mean() + cross_entropy(p_b, 1).mean(),
            losses.discriminator_loss(d["logits_a"], d["logits_b"]),
        ),
        "equation 5": (np.abs(raw - a).mean(), losses.reconstruction_1_a(d["raw"], d["a"])),
        "equation 6": (
            np.abs(z(mask, raw, a) - b).mean(),
            losses.reconstruction_1_b(d["mask"], d["raw"], d["a"], d["b"]),
        ),
        "equation 8": (
            np.abs(z(mask, raw, a) - a).mean(),
            losses.reconstruction_2(d["mask"], d["raw"], d["a"]),
        ),
        "equation 8, L2": (
            ((z(mask, raw, a) - a) ** 2).mean(),
            losses.reconstruction_2(d["mask"], d["raw"], d["a"], norm="l2"),
        ),
        "equation 9, common": (
            ((data["code"] - data["other_code"]) ** 2).mean(),
            losses.cycle_common_loss(d["code"], d["other_code"]),
        ),
        "equation 9, separate": (
            ((data["code"] - data["other_code"]) ** 2).mean(),
            losses.cycle_separate_loss(d["code"], d["other_code"]),
        ),
        "table 7, L2 reg": ((mask**2).mean(), losses.mask_size_loss(d["mask"])),
    }
    for name, (expected, got) in expected_and_got.items():
        assert ops.shape(got) == (), name
        np.testing.assert_allclose(got, expected, rtol=tolerance, err_msg=name)
    np.testing.assert_allclose(
        losses.composite(d["mask"], d["raw"], d["a"]), z(mask, raw, a), atol=tolerance
    )


def test_the_raw_image_counts_where_decoder_a_fails(data):
    b, decoded, raw = data["b"], data["b"].copy(), data["raw"]
    decoded[0, 1, 2] += 0.5
    decoded[2, 3] -= 0.04
    decoded[1] += 0.01  # Less than twice the mean of the batch.
    error = np.abs(decoded - b).mean(-1)
    failed = error > 2 * error.mean()
    assert failed.sum() == 6 and failed[0, 1, 2] and failed[2, 3].all()
    expected = (failed[..., None] * np.abs(raw - b)).mean()
    assert float(losses.raw_reconstruction(raw, decoded, b)) == pytest.approx(expected)


def test_the_zero_loss_is_the_mean_magnitude(data):
    np.testing.assert_allclose(losses.zero_loss(data["code"]), np.abs(data["code"]).mean())


def test_chance_is_two_log_two():
    zeros = np.zeros((4, 1), "float32")
    np.testing.assert_allclose(losses.domain_confusion_loss(zeros, zeros), 2 * np.log(2), rtol=1e-6)


def test_large_logits_stay_finite():
    logits = np.array([[-500.0], [500.0]], "float32")
    np.testing.assert_allclose(losses.binary_cross_entropy(logits, 1), 250.0)
    np.testing.assert_allclose(losses.binary_cross_entropy(logits, 0), 250.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_arguments_are_widened_first(data, dtype):
    # In float16 a mean over this many elements of 100 would overflow.
    images = ops.cast(np.full((4, 64, 64, 3), 100.0), dtype)
    loss = losses.reconstruction_1_a(images, ops.zeros_like(images))
    assert loss.dtype == "float32"
    np.testing.assert_allclose(loss, 100.0)
    logits = ops.cast(data["logits_a"], dtype)
    assert losses.binary_cross_entropy(logits, 1).dtype == "float32"


def test_float64_is_kept(data):
    assert losses.distance(data["a"], data["b"]).dtype == "float64"
    assert losses.binary_cross_entropy(data["logits_a"], 0).dtype == "float64"
