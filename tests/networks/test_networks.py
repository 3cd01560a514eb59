"""Shapes and parameter counts of appendix A, and arguments out of range."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from mbu_tf.networks import blocks
from mbu_tf.networks.decoder import Decoder, MaskDecoder
from mbu_tf.networks.discriminator import CodeDiscriminator
from mbu_tf.networks.encoder import Encoder
from tests.conftest import fitting


def conv(inputs, outputs):
    """Parameters of a 4x4 (de)convolution with bias."""
    return 16 * inputs * outputs + outputs


def conv_norm(inputs, outputs):
    """The same with batch normalisation: gamma, beta and two statistics."""
    return conv(inputs, outputs) + 4 * outputs


def chain(channels, last_normalized=True):
    pairs = list(zip(channels, channels[1:], strict=False))
    total = sum(conv_norm(*pair) for pair in pairs[:-1])
    return total + (conv_norm if last_normalized else conv)(*pairs[-1])


def test_parameters_of_appendix_a():
    model = MaskedContentTransfer()
    # Published code: 512 - sep in the last two layers, sep = 25.
    expected = {
        "common_encoder": chain([3, 32, 64, 128, 256, 487, 487]),
        "separate_encoder": chain([3, 32, 64, 128, 128, 128, 25]),
        "decoder_a": chain([512, 512, 256, 128, 64, 32, 3], last_normalized=False),
        "decoder_b": chain([512, 512, 256, 128, 64, 32, 4], last_normalized=False),
        "discriminator": (4 * 487 + 1) * 512 + 513,
    }
    counts = {name: getattr(model, name).count_params() for name in expected}
    assert counts == expected
    assert [round(n / 1e6, 1) for n in counts.values()] == [6.5, 0.7, 7.0, 7.0, 1.0]
    assert round(sum(counts.values()) / 1e6, 1) == 22.2


def test_parameters_of_the_papers_text():
    model = MaskedContentTransfer(
        separate_channels=100,
        common_channels="paper",
        decoder_activation="relu",
        decoder_a_input="common",
    )
    assert model.common_encoder.count_params() == chain([3, 32, 64, 128, 256, 412, 312])
    assert model.separate_encoder.count_params() == chain([3, 32, 64, 128, 128, 128, 100])
    assert model.decoder_a.count_params() == chain([312, 512, 256, 128, 64, 32, 3], False)
    activations = {
        layer.activation.__name__
        for layer in model.decoder_a.layers
        if isinstance(layer, keras.layers.Activation)
    }
    assert activations == {"relu", "tanh"}


@pytest.mark.parametrize("size,depth", [(64, 5), (128, 6), (256, 7)])
def test_default_depth_leaves_a_2x2_code(size, depth):
    encoder = Encoder(6, image_size=size, width=0.02)
    assert encoder.output_shape == (None, 2, 2, 6)
    assert sum(isinstance(x, keras.layers.Conv2D) for x in encoder.layers) == depth
    assert Decoder(6, image_size=size, width=0.02).output_shape == (None, size, size, 3)


def test_depth_and_sizes_that_are_no_powers_of_two():
    assert Encoder(5, image_size=64, depth=6, width=0.02).output_shape == (None, 1, 1, 5)
    assert Encoder(5, image_size=96, depth=5, width=0.02).output_shape == (None, 3, 3, 5)
    assert Decoder(5, image_size=96, depth=5, width=0.02).input_shape == (None, 3, 3, 5)


def test_mask_decoder_ranges():
    decoder = MaskDecoder(6, image_size=32, depth=4, width=0.05)
    code = 50 * np.random.default_rng(0).normal(size=(2, 2, 2, 6)).astype("float32")
    mask, raw = decoder(code)
    assert mask.shape == (2, 32, 32, 1) and raw.shape == (2, 32, 32, 3)
    assert 0 <= np.min(mask) < np.max(mask) <= 1
    assert -1 <= np.min(raw) < 0 < np.max(raw) <= 1


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_squashed_outputs_are_float32_in_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        decoder = MaskDecoder(6, image_size=32, depth=4, width=0.05)
        discriminator = CodeDiscriminator((2, 2, 6), width=0.05)
    finally:
        keras.config.set_dtype_policy(before)
    code = np.zeros((1, 2, 2, 6), "float32")
    assert {x.dtype.name for x in (*decoder(code), discriminator(code))} == {"float32"}


def test_leaky_relu_is_exact_in_float64():
    x = np.array([-1.0, -0.3, 0.0, 2.0])
    np.testing.assert_array_equal(blocks.leaky_relu(keras.ops.convert_to_tensor(x)), [
        -0.2, 0.2 * -0.3, 0.0, 2.0,
    ])  # fmt: skip


@pytest.mark.parametrize("normalization,statistics", [("batch", 2), ("instance", 0), (None, 0)])
def test_normalization_choices(normalization, statistics):
    encoder = Encoder(5, image_size=32, width=0.02, normalization=normalization)
    assert len(encoder.non_trainable_variables) == statistics * 4


def test_networks_come_back_from_their_configuration():
    for network in (
        Encoder(5, image_size=32, width=0.02, last_filters=3),
        Decoder(5, image_size=32, width=0.02, activation="relu"),
        MaskDecoder(5, image_size=32, width=0.02, normalization=None),
        CodeDiscriminator((2, 2, 5), width=0.05),
    ):
        again = type(network).from_config(network.get_config())
        assert again.get_config() == network.get_config()
        assert [v.shape for v in again.weights] == [v.shape for v in network.weights]


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"image_size": 100}, "power of two.*image_size=100"),
        ({"image_size": 48, "depth": 5}, r"multiple of 2\*\*depth.*image_size=48, depth=5"),
        ({"image_size": -64}, "positive integer.*-64"),
        ({"image_size": 64, "depth": 0}, "positive integer.*depth=0"),
        ({"normalization": "layer"}, "`normalization` must be one of.*'layer'"),
        ({"encoder_activation": "gelu"}, "`activation` must be one of.*'gelu'"),
        ({"separate_channels": 0}, "`separate_channels` must be a positive integer"),
        ({"separate_channels": 512}, "common code needs at least one.*separate_channels=512"),
        ({"common_channels": "half"}, "common_channels='half'"),
        ({"decoder_a_input": "both"}, "`decoder_a_input` must be one of.*'both'"),
        ({"separate_code_of_a": "random"}, "`separate_code_of_a` must be one of"),
        ({"recon1_norm": "l3"}, "`recon1_norm` must be one of"),
        ({"width": 0.0}, "`width` must be a positive number.*width=0.0"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        MaskedContentTransfer(**arguments)
    assert "Received: " in str(error.value)


@pytest.mark.parametrize("method", METHODS.values())
def test_every_weight_has_a_path_of_its_own(method):
    model = method(**fitting(method, image_size=16, width=0.03, separate_channels=2))
    model.compile()
    for owner in (model, model.optimizer, model.discriminator_optimizer):
        paths = [v.path for v in owner.variables]
        assert len(set(paths)) == len(paths)
    for network in (*model.generator_networks, model.discriminator):
        assert all(v.path.startswith(f"{network.name}/") for v in network.variables)
    assert model.common_encoder.layers[1].kernel.path == "common_encoder/block_1_conv/kernel"


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_keras_configuration_may_have_channels_first(name, channels_first, tmp_path):
    def made():
        keras.utils.set_random_seed(0)
        method = METHODS[name]
        return method(**fitting(method, image_size=16, width=0.03, separate_channels=2))

    images = np.random.default_rng(0).uniform(-1, 1, (2, 3, 16, 16, 3)).astype("float32")
    model = made()
    model.save(tmp_path / "model.keras")
    found = [model(tuple(images)), load_model(tmp_path / "model.keras")(tuple(images))]
    logits = model.discriminator(model.common_code(images[0]))
    keras.config.set_image_data_format("channels_last")
    usual = made()
    for each in found:
        for x, y in zip(
            keras.tree.flatten(each), keras.tree.flatten(usual(tuple(images))), strict=True
        ):
            np.testing.assert_array_equal(x, y)
    expected = usual.discriminator(usual.common_code(images[0]))
    np.testing.assert_array_equal(logits, expected)
