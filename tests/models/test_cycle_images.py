"""Terms that take passes of their own, on some images of a batch alone."""

import numpy as np
import pytest

from mbu_tf import MaskedContentTransfer

TINY = {"image_size": 16, "width": 0.05, "separate_channels": 2, "normalization": None}
WEIGHTS = {"cycle_common": 0.5, "cycle_separate": 0.5}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 6, 16, 16, 3)).astype("float32")


def terms(model, a, b, training):
    found, *_ = model.generator_losses(a, b, training=training)
    return {name: float(x) for name, x in found.items()}


def model_of(cycle_images, **arguments):
    model = MaskedContentTransfer(**{**TINY, **arguments}, cycle_images=cycle_images)
    model.compile(loss_weights=WEIGHTS)
    return model


@pytest.mark.parametrize("of_a", ["zeros", "encoded"])
def test_they_are_the_means_over_these_images(images, of_a):
    a, b = images
    whole, some = model_of(None, separate_code_of_a=of_a), model_of(2, separate_code_of_a=of_a)
    some.set_weights(whole.get_weights())
    of_all = terms(whole, a, b, training=True)
    first, last = (terms(whole, a[x], b[x], training=True) for x in (slice(2), slice(-2, None)))
    expected = {
        **of_all,
        "cycle_common": first["cycle_common"],
        "cycle_separate": first["cycle_separate"],
        "recon2_a": last["recon2_a"],
    }
    found = terms(some, a, b, training=True)
    assert found == pytest.approx(expected, rel=1e-5)
    assert found["cycle_common"] != pytest.approx(of_all["cycle_common"], rel=1e-3)
    # Evaluation is of all images.
    assert terms(some, a, b, training=False) == pytest.approx(of_all, rel=1e-5)


def test_a_batch_may_have_fewer(images):
    a, b = images
    whole, some = model_of(None), model_of(6)
    some.set_weights(whole.get_weights())
    for count in (3, 6):
        expected = terms(whole, a[:count], b[:count], training=True)
        assert terms(some, a[:count], b[:count], training=True) == pytest.approx(expected)


def test_a_file_has_it_and_the_paper_has_not(images, tmp_path):
    import keras

    model = model_of(2)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").get_config()["cycle_images"] == 2
    for formulation in MaskedContentTransfer.formulations:
        recipe = MaskedContentTransfer.recipe("auto", formulation)
        assert recipe["architecture"]["cycle_images"] is None
    with pytest.raises(ValueError, match="cycle_images.*Received: cycle_images=0"):
        model_of(0)
