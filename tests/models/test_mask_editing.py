"""The invariants of inference, with any model, and Otsu's threshold."""

import warnings

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.inference import Edit
from mbu_tf.models.mask_editing import composite_edit, otsu_threshold
from tests.models.conftest import TINY


@pytest.fixture(scope="module")
def untrained():
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY)
    model.compile()
    return model


@pytest.fixture
def tiny(untrained):
    """One model for all, its threshold set back."""
    threshold = untrained.mask_threshold
    yield untrained
    untrained.mask_threshold = threshold


def test_transfer_is_equations_1_and_2(tiny, images):
    a, b = images
    code = np.concatenate([tiny.common_encoder(a), tiny.separate_encoder(b)], axis=-1)
    mask, raw = (np.asarray(x) for x in tiny.decoder_b(code))
    edit = tiny.transfer(a, b)
    np.testing.assert_allclose(edit.mask, mask, atol=1e-6)
    np.testing.assert_allclose(edit.image, mask * raw + (1 - mask) * a, atol=1e-6)
    layer = tiny.transfer_layer(a, b)
    np.testing.assert_allclose(layer.image, raw, atol=1e-6)


def test_removal_is_section_3(tiny, images):
    _, b = images
    soft = tiny.segment(b)
    threshold = float(np.median(soft))
    code = np.concatenate([tiny.common_encoder(b), np.zeros((8, 2, 2, 2), "float32")], axis=-1)
    unmasked = np.asarray(tiny.decoder_a(code))
    edit = tiny.remove(b, threshold)
    assert set(np.unique(edit.mask)) == {0.0, 1.0}
    np.testing.assert_array_equal(edit.mask, soft >= threshold)
    np.testing.assert_allclose(edit.image, np.where(edit.mask > 0, unmasked, b), atol=1e-6)


@pytest.mark.parametrize("border", [1, 2])
def test_a_border_around_the_mask_is_taken_off_too(tiny, images, border):
    b = images[1]
    bordered = MaskedContentTransfer(**TINY, removal_border=border)
    bordered.set_weights(tiny.get_weights())
    threshold = float(np.quantile(tiny.segment(b), 0.97))
    plain, edit = (model.remove(b, threshold) for model in (tiny, bordered))
    beside = np.pad(plain.mask, ((0, 0), *2 * [(border, border)], (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(beside, 2 * [2 * border + 1], (1, 2))
    np.testing.assert_array_equal(edit.mask, windows.max((-1, -2)))
    assert plain.mask.sum() < edit.mask.sum() < edit.mask.size
    within = np.broadcast_to(edit.mask > 0, b.shape)
    np.testing.assert_allclose(edit.image[within], tiny.remove(b, 1e-6).image[within], atol=1e-6)
    assert edit.image[~within].tobytes() == b[~within].tobytes()
    # What is outlined, and put on, stays as it was.
    np.testing.assert_array_equal(bordered.segment(b), tiny.segment(b))
    again = MaskedContentTransfer.from_config(bordered.get_config())
    assert again.removal_border == border


@pytest.mark.parametrize("border", [-1, 1.0, True, None])
def test_a_border_that_is_none(border):
    with pytest.raises(ValueError, match="`removal_border` must be an integer from 0 on. Received"):
        MaskedContentTransfer(**TINY, removal_border=border)


def test_pixels_outside_the_mask_come_back_bit_identical(tiny, images):
    _, b = images
    b = b.copy()
    b[0, 0, 0] = [-0.0, 1.0, -1.0]
    edit = tiny.remove(b, float(np.median(tiny.segment(b))))
    outside = np.broadcast_to(edit.mask == 0, b.shape)
    assert outside.any() and not outside.all()
    assert edit.image[outside].tobytes() == b[outside].tobytes()


def test_a_zero_mask_keeps_every_bit_whatever_is_painted():
    background = np.array([-0.0, 0.1, -1.0], "float32").reshape(1, 1, 1, 3)
    paint = np.array([np.inf, np.nan, 1.0], "float32").reshape(1, 1, 1, 3)
    edit = composite_edit(Edit(paint, np.zeros((1, 1, 1, 1), "float32")), background)
    assert np.asarray(edit.image).tobytes() == background.tobytes()


def test_segment_soft_binarised_and_stored(tiny, images):
    _, b = images
    soft = tiny.segment(b)
    assert soft.shape == (8, 32, 32, 1) and 0 < soft.min() < soft.max() < 1
    np.testing.assert_array_equal(tiny.segment(b, 0.5), soft >= 0.5)
    tiny.mask_threshold = 0.45
    np.testing.assert_array_equal(tiny.segment(b, "stored"), soft >= 0.45)
    np.testing.assert_array_equal(tiny.remove(b).mask, soft >= 0.45)


def test_interpolation_ends_at_both_references(tiny, images):
    a, b = images
    first, second = b[:1], b[1:2]
    edit = tiny.interpolate(a, first, second, steps=4)
    assert edit.image.shape == (8, 4, 32, 32, 3) and edit.mask.shape == (8, 4, 32, 32, 1)
    for step, reference in ((0, first), (-1, second)):
        end = tiny.transfer(a, reference)
        np.testing.assert_allclose(edit.image[:, step], end.image, atol=1e-5)
        np.testing.assert_allclose(edit.mask[:, step], end.mask, atol=1e-5)
    codes = [np.asarray(tiny.separate_encoder(x)) for x in (first, second)]
    blend = np.repeat(codes[0] + (codes[1] - codes[0]) / 3, 8, axis=0)
    mask, _ = tiny.decoder_b(np.concatenate([tiny.common_encoder(a), blend], axis=-1))
    np.testing.assert_allclose(edit.mask[:, 1], mask, atol=1e-5)


def test_batch_size_and_kind_of_array_change_nothing(tiny, images):
    a, b = images
    whole = tiny.transfer(a, b)
    for other in (
        tiny.transfer(a, b, batch_size=3),
        tiny.transfer(keras.ops.convert_to_tensor(a), keras.ops.convert_to_tensor(b)),
        tiny.transfer(a.astype("float64"), b.astype("float64")),
    ):
        np.testing.assert_allclose(other.image, whole.image, atol=1e-6)
    one_for_all = tiny.transfer(a, b[:1])
    np.testing.assert_allclose(one_for_all.image[0], whole.image[0], atol=1e-6)


def test_predict_transfers(tiny, images):
    import tensorflow as tf

    a, b = images
    expected = tiny.transfer(a, b)
    for data in ([a, b], tf.data.Dataset.from_tensor_slices((a, b)).batch(4)):
        got = tiny.predict(data, verbose=0)
        np.testing.assert_allclose(got["image"], expected.image, atol=1e-6)
        np.testing.assert_allclose(got["mask"], expected.mask, atol=1e-6)


@pytest.mark.parametrize(
    "target,message",
    [
        (np.zeros((32, 32, 3), "float32"), r"batch.*shape \(32, 32, 3\)"),
        (np.zeros((1, 64, 64, 3), "float32"), r"resize.*shape \(1, 64, 64, 3\)"),
        (np.zeros((0, 32, 32, 3), "float32"), r"shape \(0, 32, 32, 3\)"),
        (np.zeros((1, 32, 32, 3), "uint8"), "to_model_range.*dtype uint8"),
        (np.full((1, 32, 32, 3), 255.0, "float32"), r"\[0, 255\].*values in \[255, 255\]"),
        (np.full((1, 32, 32, 3), np.nan, "float32"), r"lie in \[-1, 1\].*nan"),
    ],
)
def test_images_out_of_range(tiny, images, target, message):
    for call in (tiny.remove, tiny.segment, lambda x: tiny.transfer(x, images[1][:1])):
        with pytest.raises(ValueError, match=message) as error:
            call(target)
        assert "Received: " in str(error.value)


def test_numbers_of_references_and_steps(tiny, images):
    a, b = images
    with pytest.raises(ValueError, match="one image or as many.*3 beside 8"):
        tiny.transfer(a, b[:3])
    for steps in (1, 2.5, True):
        with pytest.raises(ValueError, match="at least 2"):
            tiny.interpolate(a, b, b, steps)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1, float("nan")])
def test_thresholds_out_of_range(tiny, images, threshold):
    with pytest.raises(ValueError, match="between 0 and 1"):
        tiny.mask_threshold = threshold
    with pytest.raises(ValueError, match="between 0 and 1"):
        tiny.remove(images[1], threshold)


@pytest.mark.parametrize("threshold", ["otsu", [0.1]])
def test_thresholds_that_are_no_number_say_what_is(tiny, images, threshold):
    with pytest.raises(
        ValueError, match=r"find_mask_threshold.*\"stored\".*Received: [\['](otsu|0)"
    ):
        tiny.segment(images[1], threshold)


def test_otsu_against_all_splits_tried_one_by_one():
    rng = np.random.default_rng(0)
    masks = np.concatenate([rng.beta(1, 60, 9000), rng.beta(4, 2, 600)])
    logs = np.log(np.clip(masks, 1 / 255, 1))
    borders = np.linspace(np.log(1 / 255), 0, 257)[1:-1]

    def within(border):
        low, high = logs[logs < border], logs[logs >= border]
        return len(low) * low.var() + len(high) * high.var() if len(low) and len(high) else np.inf

    # The variance within classes is smallest where that between them is largest.
    best = np.exp(borders[np.argmin([within(x) for x in borders])])
    assert otsu_threshold(masks) == pytest.approx(best, rel=0.05)


def test_the_threshold_found_is_stored(tiny, images):
    found = tiny.find_mask_threshold(images[1])
    assert found == tiny.mask_threshold == pytest.approx(otsu_threshold(tiny.segment(images[1])))


@pytest.mark.parametrize(
    "in_a, in_b, told", [(0.1, 0.1, True), (0.19, 0.2, True), (0.17, 0.2, False), (0.5, 0.5, False)]
)
def test_masks_of_what_both_domains_have_are_told(tiny, images, monkeypatch, in_a, in_b, told):
    a, b = np.zeros((2, *images[0].shape), np.float32)
    b += 0.5
    monkeypatch.setattr(
        tiny, "segment", lambda x, **options: np.where(x[..., :1] > 0.25, in_b, in_a)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = tiny.calibrate(a, b)
    assert found["mask_shared"] == pytest.approx(in_a / in_b)
    message = f"cover {in_a / in_b:.0%} of what B's do"
    assert any(message in str(x.message) for x in caught) == told


def test_masks_shared_is_the_quotient_of_their_means(tiny, images):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tiny.calibrate(*images)
    of_a, of_b = (tiny.segment(x).mean() for x in images)
    assert found["mask_shared"] == pytest.approx(of_a / of_b, rel=1e-5)
