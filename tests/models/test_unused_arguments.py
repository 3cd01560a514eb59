"""What Keras's models take and these do not use is refused; what can be honoured is."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from mbu_tf.networks.encoder import Encoder
from tests.conftest import fitting
from tests.every_method import EVERY_METHOD

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize(
    "argument",
    [{"loss": "no_such_loss"}, {"metrics": ["nonsense"]}, {"weighted_metrics": ["accuracy"]}],
)
def test_keras_own_losses_and_metrics(argument):
    (name,) = argument
    with pytest.raises(ValueError, match=f"`{name}` has no meaning here.*Received: {name}="):
        MaskedContentTransfer(**TINY).compile(**argument)


@pytest.mark.parametrize("name", ["compute_loss", "compute_metrics"])
def test_overridden_methods_that_are_never_called(name):
    own = type("Own", (MaskedContentTransfer,), {name: lambda self, *args, **kwargs: 0.0})
    with pytest.raises(ValueError, match=f"`Own.{name}` would never be called: override"):
        own(**TINY).compile()


@pytest.mark.parametrize("name", ["input_shape", "activity_regularizer", "colour"])
def test_constructor_arguments_without_effect(name):
    with pytest.raises(ValueError, match=f"has no argument {name}; the size.*`image_size`"):
        MaskedContentTransfer(**TINY, **{name: (64, 64, 3)})


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("name", EVERY_METHOD)
def test_a_models_own_precision(name, policy, tmp_path):
    method = METHODS[name]
    model = method(**fitting(method, **TINY), dtype=policy)
    assert keras.config.dtype_policy().name == "float32"
    compute = policy.removeprefix("mixed_")
    model.save(tmp_path / "model.keras")
    for each in (model, load_model(tmp_path / "model.keras")):
        for network in (*each.generator_networks, each.discriminator):
            assert network.layers[1].compute_dtype == compute, network.name
    wide = "float64" if policy == "float64" else "float32"
    assert {v.dtype for v in model.common_encoder.weights} == {wide}


def test_an_own_precision_trains(images):
    model = MaskedContentTransfer(**TINY, dtype="mixed_float16")
    model.compile()
    assert isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert np.isfinite(model.fit(*images, verbose=0).history["loss"]).all()
    assert model.transfer(*images).image.dtype == np.float32


@pytest.mark.parametrize("policy", ["float16", "bfloat16"])
def test_precisions_that_do_not_train(policy):
    with pytest.raises(ValueError, match=f"compute in one of float32, .*floatx.*{policy}"):
        MaskedContentTransfer(**TINY, dtype=policy)


@pytest.mark.parametrize("floatx", ["float16", "bfloat16"])
def test_a_narrow_floatx(floatx):
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    try:
        with pytest.raises(ValueError, match=f"leave floatx at float32. Received: {floatx}"):
            MaskedContentTransfer(**TINY)
    finally:
        keras.config.set_floatx("float32")


def test_a_model_that_is_not_trainable_trains_nothing(images):
    model = MaskedContentTransfer(**TINY, trainable=False)
    assert not model.generator_variables and not model.trainable_variables
    model.compile()
    before = model.get_weights()
    model.fit(*images, verbose=0)
    for v, w in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


class Adding(MaskedContentTransfer):
    def generator_losses(self, a, b, mask_b=None, training=False):
        self.add_loss(1.0)
        return super().generator_losses(a, b, mask_b, training)


class ActivityRegularized(MaskedContentTransfer):
    def build_common_encoder(self):
        encoder = super().build_common_encoder()
        encoder.layers[1].activity_regularizer = keras.regularizers.L2(1.0)
        return encoder


@pytest.mark.parametrize("kind", [Adding, ActivityRegularized])
def test_added_losses_are_refused(kind, images):
    model = kind(**TINY)
    model.compile()
    with pytest.raises(ValueError, match="give the term by name from `generator_losses`"):
        model.fit(*images, verbose=0)


class WeightRegularized(MaskedContentTransfer):
    def build_common_encoder(self):
        encoder = super().build_common_encoder()
        for layer in encoder.layers[1:2]:
            layer.kernel.regularizer = keras.regularizers.L2(3.0)
        return encoder

    def build_discriminator(self):
        discriminator = super().build_discriminator()
        discriminator.get_layer("hidden").kernel.regularizer = keras.regularizers.L1(2.0)
        return discriminator


def test_weight_regularizers_count(images):
    keras.utils.set_random_seed(0)
    plain = MaskedContentTransfer(**TINY)
    model = WeightRegularized(**TINY)
    model.set_weights(plain.get_weights())
    logs = []
    for each in (plain, model):
        each.compile()
        logs.append(each.evaluate(*images, return_dict=True, verbose=0))
    kernel = model.common_encoder.layers[1].kernel.numpy()
    hidden = model.discriminator.get_layer("hidden").kernel.numpy()
    assert logs[1]["loss"] - logs[0]["loss"] == pytest.approx(3 * (kernel**2).sum(), rel=1e-4)
    added = logs[1]["discriminator_loss"] - logs[0]["discriminator_loss"]
    assert added == pytest.approx(2 * np.abs(hidden).sum(), rel=1e-4)
    before = kernel.copy()
    weights = dict.fromkeys(model.loss_weights, 1e-9)
    model.compile(keras.optimizers.SGD(1e-2), loss_weights=weights, generator_clip_norm=None)
    model.fit(*images, verbose=0)
    after = model.common_encoder.layers[1].kernel.numpy()
    np.testing.assert_allclose(after, before * (1 - 2 * 3 * 1e-2), rtol=1e-4)


class Forgetful(MaskedContentTransfer):
    def generator_losses(self, a, b, mask_b=None, training=False):
        terms, *others = super().generator_losses(a, b, mask_b, training)
        del terms["recon1_a"]
        return terms, *others


def test_a_term_that_is_not_given(images):
    model = Forgetful(**TINY)
    model.compile()
    with pytest.raises(ValueError, match=r"Forgetful.generator_losses.*none for \['recon1_a'\]"):
        model.fit(*images, verbose=0)


@pytest.mark.slow
def test_encoders_are_as_they_were():
    """What a model's builders make is what the arguments say."""
    encoder = MaskedContentTransfer(image_size=64, width=0.25, separate_channels=8).common_encoder
    assert isinstance(encoder, Encoder) and encoder.output_shape == (None, 2, 2, 120)
