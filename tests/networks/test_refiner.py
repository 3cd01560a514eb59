import keras
import numpy as np
import pytest

from mbu_tf.networks.refiner import HINTS, Refiner, hints


def inputs(side, count=2):
    rng = np.random.default_rng(0)
    return [
        rng.uniform(-1, 1, (count, side, side, 3)).astype("float32"),
        rng.uniform(-1, 1, (count, side // 2, side // 2, HINTS)).astype("float32"),
    ]


@pytest.mark.parametrize("side", [32, 96])
def test_it_takes_photos_of_any_multiple_of_32(side):
    mask, image = map(np.asarray, Refiner(4)(inputs(side)))
    assert mask.shape == (2, side, side, 1) and image.shape == (2, side, side, 3)
    assert 0 < mask.min() and mask.max() < 1


def test_the_image_is_the_photo_and_a_change():
    refiner = Refiner(4)
    change = refiner.get_layer("change_deconv")
    change.kernel.assign(0 * change.kernel)
    given = inputs(32)
    mask, image = map(np.asarray, refiner(given))
    np.testing.assert_array_equal(image, given[0])
    np.testing.assert_array_equal(mask, 0.5)


def test_all_that_it_is_told_counts():
    refiner, given = Refiner(4), inputs(32)
    before = np.asarray(refiner(given)[1])
    for channel in range(HINTS):
        changed = [given[0], given[1].copy()]
        changed[1][..., channel] += 0.5
        assert np.abs(np.asarray(refiner(changed)[1]) - before).max() > 1e-5


def test_outputs_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        refiner = Refiner(4, name="refiner")
    finally:
        keras.config.set_dtype_policy("float32")
    assert refiner.get_layer("level_1_conv").compute_dtype == "bfloat16"
    assert {str(np.asarray(x).dtype) for x in refiner(inputs(32))} == {"float32"}


def test_it_is_rebuilt_from_its_arguments(tmp_path):
    refiner, given = Refiner(4, name="refiner"), inputs(32)
    refiner.save(tmp_path / "refiner.keras")
    again = keras.saving.load_model(tmp_path / "refiner.keras")
    assert again.channels == 4
    for got, wanted in zip(again(given), refiner(given), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_hints_are_all_in_one_range():
    removed, paint = np.full((2, 1, 4, 4, 3), [[[[[-1.0]]]], [[[[1.0]]]]], np.float32)
    mask = np.full((1, 4, 4, 1), 0.25, np.float32)
    told = np.asarray(hints(removed, mask, paint))
    np.testing.assert_array_equal(told[0, 0, 0], [-1, -1, -1, -0.5, 1, 1, 1])


@pytest.mark.parametrize("channels", [0, 2.5])
def test_channels_are_a_positive_integer(channels):
    with pytest.raises(ValueError, match="Received: channels="):
        Refiner(channels)
