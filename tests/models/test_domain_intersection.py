"""DIDD: the slides' losses and combinations, written out from its networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.models.content_transfer import MaskedContentTransfer as MBU
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from tests.models.conftest import TINY


def compiled(*arguments, **options):
    keras.utils.set_random_seed(0)
    model = DomainIntersectionDifference(**TINY)
    model.compile(*arguments, **options)
    return model


@pytest.fixture(scope="module")
def model():
    """What no test trains."""
    return compiled()


def decoded(model, common=None, separate_a=None, separate_b=None):
    """G of codes of images, zeros for those left out."""
    images = {"common": common, "separate_a": separate_a, "separate_b": separate_b}
    encoders = {
        "common": model.common_encoder,
        "separate_a": model.separate_encoder_a,
        "separate_b": model.separate_encoder_b,
    }
    codes = []
    for name, encoder in encoders.items():
        shape = (len(next(x for x in images.values() if x is not None)), *encoder.output_shape[1:])
        given = images[name]
        codes.append(np.zeros(shape) if given is None else np.asarray(encoder(given)))
    return np.asarray(model.decoder(np.concatenate(codes, axis=-1)))


def test_losses(model, images):
    a, b = images
    terms, code_a, code_b, _ = model.generator_losses(a, b)
    expected = {
        "recon_a": np.abs(decoded(model, a, separate_a=a) - a).mean(),
        "recon_b": np.abs(decoded(model, b, separate_b=b) - b).mean(),
        "zero_a": np.abs(model.separate_encoder_a(b)).mean(),
        "zero_b": np.abs(model.separate_encoder_b(a)).mean(),
    }
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value), rel=1e-5), name
    np.testing.assert_allclose(code_a, model.common_encoder(a), atol=1e-6)
    np.testing.assert_allclose(code_b, model.common_encoder(b), atol=1e-6)


def test_both_codes_are_to_be_called_b_as_published(model):
    assert model.confusion_label == 1


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "name,touched",
    [
        ("recon_a", {"common_encoder", "separate_encoder_a", "decoder"}),
        ("recon_b", {"common_encoder", "separate_encoder_b", "decoder"}),
        ("zero_a", {"separate_encoder_a"}),
        ("zero_b", {"separate_encoder_b"}),
        ("confusion", {"common_encoder"}),
    ],
)
def test_which_networks_each_loss_moves(images, name, touched):
    weights = dict.fromkeys(DomainIntersectionDifference.default_loss_weights, 0.0) | {name: 1.0}
    model = compiled(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.0), loss_weights=weights)
    before = {x.name: x.get_layer("block_2_conv").get_weights()[0] for x in encoders(model)}
    before["decoder"] = model.decoder.get_layer("block_2_deconv").get_weights()[0]
    model.fit(*images, batch_size=8, verbose=0)
    after = {x.name: x.get_layer("block_2_conv").get_weights()[0] for x in encoders(model)}
    after["decoder"] = model.decoder.get_layer("block_2_deconv").get_weights()[0]
    assert {x for x in before if not np.array_equal(before[x], after[x])} == touched


def encoders(model):
    return model.common_encoder, model.separate_encoder_a, model.separate_encoder_b


def test_transfers_exchange_the_separate_codes(model, images):
    a, b = images
    edit = model.transfer_to_b(a, b)
    np.testing.assert_allclose(edit.image, decoded(model, a, separate_b=b), atol=1e-5)
    assert (edit.mask == 1).all()
    edit = model.transfer_to_a(b, a[:1])
    np.testing.assert_allclose(
        edit.image, decoded(model, b, separate_a=np.repeat(a[:1], 8, 0)), atol=1e-5
    )


@pytest.mark.parametrize(
    "given",
    [("common",), ("separate_a",), ("separate_b",), ("common", "separate_a", "separate_b")],
)
def test_combine_takes_zeros_for_what_is_left_out(model, images, given):
    a, b = images
    sources = {"common": b, "separate_a": a, "separate_b": b}
    chosen = {name: sources[name] for name in given}
    np.testing.assert_allclose(model.combine(**chosen), decoded(model, **chosen), atol=1e-5)


def test_combine_needs_something(model):
    with pytest.raises(ValueError, match="images for one code at least. Received: None"):
        model.combine()


def test_the_corners_of_the_interpolation_are_combinations(model, images):
    a, b = images
    grid = model.interpolate(b[:3], a[:2], b[2:4], steps=3)
    assert grid.shape == (3, 3, 3, 32, 32, 3)
    for row, i in ((0, 0), (2, 1)):
        for column, j in ((0, 2), (2, 3)):
            expected = model.combine(b[:3], a[i : i + 1], b[j : j + 1])
            np.testing.assert_allclose(grid[:, row, column], expected, atol=1e-5)
    assert np.abs(grid[:, 1, 0] - grid[:, 0, 0]).max() > 1e-4
    assert np.abs(grid[:, 0, 1] - grid[:, 0, 0]).max() > 1e-4


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"references_a": 3}, {"references_b": 1}])
def test_wrong_interpolations_are_refused(model, images, wrong):
    a, b = images
    arguments = {
        "common": a,
        "references_a": a[: wrong.get("references_a", 2)],
        "references_b": b[: wrong.get("references_b", 2)],
        "steps": wrong.get("steps", 2),
    }
    with pytest.raises(ValueError, match="Received: "):
        model.interpolate(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("normalization", ["instance", "batch", None])
def test_sharing_passes_changes_neither_losses_nor_gradients(images, normalization):
    """Without spectral normalisation, whose estimate every pass moves."""
    keras.config.set_dtype_policy("float64")
    results = []
    for share in (True, False):
        keras.utils.set_random_seed(0)
        model = DomainIntersectionDifference(
            **TINY, normalization=normalization, spectral_updates=None, share_passes=share
        )
        model.compile()
        with tf.GradientTape() as tape:
            terms, *_ = model.generator_losses(*images, training=True)
            total = sum(terms.values())
        variables = [v.value for v in model.generator_variables]
        results.append([total, *(g for g in tape.gradient(total, variables) if g is not None)])
    assert len(results[0]) == len(results[1]) > 20
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_the_published_networks():
    model = DomainIntersectionDifference.from_preset("celeba", formulation="published_code")
    layers = [x.name for x in model.common_encoder.layers]
    assert "block_2_norm" not in layers and "block_1_norm" in layers and "block_3_norm" in layers
    assert "block_2_norm" in [x.name for x in model.separate_encoder_a.layers]
    assert not hasattr(model.decoder.get_layer("block_6_deconv"), "u")
    # The fixtures' README lists these shapes.
    assert model.common_encoder.output_shape == (None, 2, 2, 462)
    assert model.separate_encoder_b.get_layer("block_5_conv").kernel.shape == (4, 4, 256, 512)
    assert model.common_encoder.get_layer("block_5_conv").kernel.shape == (4, 4, 256, 487)
    assert model.discriminator.get_layer("hidden").kernel.shape == (1848, 512)


@pytest.mark.parametrize("method,first", [(DomainIntersectionDifference, 0), (MBU, 1)])
def test_which_domain_the_discriminators_step_encodes_first(method, first, images, monkeypatch):
    """a in DIDD's published code, b in MBU's: passes move u and v, or running statistics."""
    model = method(**TINY, share_passes=False)
    encoder, seen = model.common_encoder, []

    def spy(batch, training):
        seen.append(batch)
        return encoder(batch, training=training)

    monkeypatch.setattr(model, "common_encoder", spy)
    codes = model.updated_codes(*images)
    assert seen[0] is images[first] and seen[1] is images[1 - first]
    monkeypatch.undo()
    for code, image in zip(codes, images, strict=True):
        assert np.abs(code - encoder(image, training=True)).max() < 0.1 * np.abs(code).max()
