"""Fader Networks against the paper: sizes, equations 1 to 3, the schedule, translation."""

import keras
import numpy as np
import pytest

from mbu_tf.callbacks import Backup
from mbu_tf.detail.filters import enlarge
from mbu_tf.models.fader_networks import FaderNetworks
from mbu_tf.models.loading import load_model

TINY = {"image_size": 32, "depth": 4, "width": 0.03}


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = FaderNetworks(**TINY)
    model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3))
    return model


def filters(network, kind):
    """Channels that each block of a network sees and gives, in order."""
    kernels = [x.kernel.shape for x in network.layers if x.name.endswith(kind)]
    order = (2, 3) if kind == "_conv" else (3, 2)
    return [tuple(shape[i] for i in order) for shape in kernels]


def test_the_papers_sizes():
    model = FaderNetworks()
    assert model.code_shape == (2, 2, 512)
    outputs = [16, 32, 64, 128, 256, 512, 512]
    assert filters(model.common_encoder, "_conv") == list(
        zip([3, *outputs[:-1]], outputs, strict=True)
    )
    # C512+2n, C512+2n, C256+2n, ... with n = 1.
    assert filters(model.decoder, "_deconv") == [
        *((514, 512), (514, 256), (258, 128), (130, 64), (66, 32), (34, 16), (18, 3))
    ]
    assert filters(model.discriminator, "_conv") == [(512, 512)]
    units = [model.discriminator.get_layer(x).kernel.shape for x in ("hidden", "logit")]
    assert units == [(512, 512), (512, 1)]
    assert model.discriminator.get_layer("dropout").rate == 0.3


def test_every_block_of_the_decoder_sees_the_attribute(model):
    blocks = [x for x in model.decoder.layers if x.name.endswith("_deconv")]
    seen = keras.Model(model.decoder.inputs, [x.input for x in blocks])
    code = np.random.default_rng(0).uniform(-1, 1, (3, *model.code_shape)).astype("float32")
    for maps in seen([code, np.float32([[0.0], [1.0], [0.3]])]):
        planes = np.asarray(maps)[..., -2:]
        for image, attribute in zip(planes, (0.0, 1.0, 0.3), strict=True):
            np.testing.assert_allclose(image[..., 0], 1 - attribute, atol=1e-6)
            np.testing.assert_allclose(image[..., 1], attribute, atol=1e-6)
    assert len(blocks) == 4


def cross_entropy(logits, label):
    chances = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    return -np.mean(np.log(chances if label else 1 - chances))


@pytest.mark.usefixtures("eagerly")
def test_the_equations(model, images):
    """Without normalisation, an image's code and picture do not depend on the rest."""
    model = FaderNetworks(**TINY, normalization=None)
    model.compile(loss_weights={"recon_a": 1.0, "recon_b": 1.0, "confusion": 0.5})
    a, b = images
    logs = model.test_on_batch(a, b, return_dict=True)
    codes = [model.common_code(x) for x in (a, b)]
    for name, code, image, attribute in zip("ab", codes, images, (0.0, 1.0), strict=True):
        decoded = np.asarray(model.decode(code, attribute), np.float64)
        assert logs[f"recon_{name}"] == pytest.approx(np.mean((decoded - image) ** 2), rel=1e-4)
    logits = [model.discriminator(code) for code in codes]
    # Equation 2: the discriminator names the domain; equation 3: the encoder wants the other.
    found = cross_entropy(logits[0], 0) + cross_entropy(logits[1], 1)
    assert logs["discriminator_loss"] == pytest.approx(found, rel=1e-4)
    hidden = cross_entropy(logits[0], 1) + cross_entropy(logits[1], 0)
    assert logs["confusion"] == pytest.approx(hidden, rel=1e-4)
    assert logs["loss"] == pytest.approx(logs["recon_a"] + logs["recon_b"] + 0.5 * hidden, rel=1e-4)


def test_both_domains_are_normalised_together(model, images):
    a, b = images
    together = np.asarray(model.common_encoder(np.concatenate(images), training=True))
    for found in (
        model.updated_codes(a, b),
        model.generator_losses(a, b, training=True)[1:3],
    ):
        np.testing.assert_allclose(np.concatenate(found), together, atol=1e-5)
    apart = np.asarray(model.common_encoder(a, training=True))
    assert np.abs(apart - together[: len(a)]).max() > 1e-2


@pytest.mark.parametrize(("steps", "end"), [(None, 500_000), (2000, 1000)])
def test_lambda_e_rises_over_the_first_half_of_all_steps(steps, end):
    model = FaderNetworks.from_preset("celeba", steps=steps, width=0.03, image_size=32, depth=4)
    weight = model.loss_weights["confusion"]
    found = [float(weight(step)) for step in (0, end // 4, end, 2 * end)]
    assert found == pytest.approx([0.0, 0.25e-4, 1e-4, 1e-4])
    assert model.loss_weights["recon_a"] == 1.0


def test_lambda_e_may_be_any_number_or_schedule(model, tmp_path):
    recipe = FaderNetworks.recipe("avatars")
    varied = {**recipe, "compile": {**recipe["compile"], "loss_weights": {"confusion": 0.02}}}
    model = FaderNetworks.from_recipe(varied, width=0.03)
    assert model.loss_weights == {"recon_a": 1.0, "recon_b": 1.0, "confusion": 0.02}
    rising = keras.optimizers.schedules.PolynomialDecay(0.0, 10, 1.0)
    model.compile(loss_weights={"confusion": rising})
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras").loss_weights["confusion"]
    assert float(again(5)) == pytest.approx(0.5)


@pytest.mark.slow
def test_it_learns_to_hide_the_attribute_and_to_obey_it(images):
    keras.utils.set_random_seed(0)
    a, b = images
    model = FaderNetworks(**{**TINY, "width": 0.1})
    model.compile(
        *(keras.optimizers.Adam(5e-3, beta_1=0.5) for _ in "gd"),
        loss_weights={"recon_a": 5.0, "recon_b": 5.0, "confusion": 0.2},
    )
    model.fit(a, b, batch_size=8, epochs=250, verbose=0)
    bar = slice(13, 15)
    removed = model.translate_to_a(b)
    added = model.translate_to_b(a)
    assert removed.mask.min() == 1
    # The bar is darker than most pictures around it.
    assert np.mean(removed.image[:, bar]) > np.mean(b[:, bar]) + 0.4
    assert np.mean(added.image[:, bar]) < np.mean(a[:, bar]) - 0.4
    between = [np.mean(model.translate(a, y).image[:, bar]) for y in (0.0, 0.5, 1.0)]
    assert between[0] > between[1] > between[2]


def test_translation_by_name_is_that_by_attribute(model, images):
    a, b = images
    results = model((a, b))
    for one, other in (
        (model.translate_to_b(a), model.translate(a, 1)),
        (model.translate_to_a(b), model.translate(b, 0.0)),
        (model.translate_to_b(a), results["to_b"].values()),
        (model.translate_to_a(b), results["to_a"].values()),
    ):
        for x, y in zip(one, other, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)


def test_larger_images_get_the_same_enlarged(model):
    large = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    edit = model.detailed_translation(large, 1.0)
    small = large.reshape(1, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    expected = enlarge(model.translate(small, 1.0).image, 64)
    np.testing.assert_allclose(edit.image, expected, atol=1e-5)
    assert edit.mask.shape == (1, 64, 64, 1) and edit.mask.min() == 1


@pytest.mark.parametrize("attribute", ["b", None, float("nan"), [1.0]])
def test_attributes_that_are_none(model, images, attribute):
    with pytest.raises(ValueError, match="`attribute` must be a number.*Received: attribute="):
        model.translate(images[0], attribute)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, "some"])
def test_dropout_out_of_its_range(dropout):
    with pytest.raises(ValueError, match="`dropout` must be a number.*Received: dropout="):
        FaderNetworks(**TINY, dropout=dropout)


def test_a_code_that_cannot_be_halved():
    model = FaderNetworks(image_size=24, depth=3, width=0.03)
    assert model.code_shape[:2] == (3, 3)
    assert not filters(model.discriminator, "_conv")
    code = np.zeros((2, *model.code_shape), np.float32)
    assert model.discriminator(code).shape == (2, 1)


@pytest.mark.slow
def test_an_interrupted_training_with_dropout_goes_on_exactly(images, tmp_path):
    def trained(epochs, folder):
        keras.utils.set_random_seed(0)
        model = FaderNetworks(**TINY)
        model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3))
        callbacks = [Backup(tmp_path / folder, every=1)]
        model.fit(*images, batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks)
        return model

    whole = trained(3, "whole")
    trained(1, "cut")
    resumed = trained(3, "cut")
    assert resumed.optimizer.iterations == 3
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one, other)
