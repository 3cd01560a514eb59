"""The whole library computes in float64 under that policy, from float32 images as well."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from tests.models.conftest import TINY


@pytest.fixture
def wide():
    keras.config.set_dtype_policy("float64")
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY)
    model.compile()
    return model


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_training_evaluation_and_saving(wide, images, tmp_path):
    masks = np.zeros((8, 32, 32, 1), "float32")
    data = tf.data.Dataset.from_tensor_slices((*images, masks)).batch(4)
    history = wide.fit(data, shuffle=False, verbose=0).history
    logs = wide.evaluate(data, verbose=0, return_dict=True)
    assert all(np.isfinite(v).all() for v in (*history.values(), *logs.values()))
    networks = (*wide.generator_networks, wide.discriminator)
    assert {v.dtype for n in networks for v in n.variables} == {"float64"}
    wide.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    for v, w in zip(wide.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def test_nothing_on_the_way_is_rounded_to_float32(wide, images):
    a, b = (x.astype("float64") for x in images)
    logs = wide.test_step((a, b))
    common, separate = wide.common_code(b), wide.separate_code(b)
    last = wide.decoder_b.get_layer("block_4_deconv")
    logits = keras.Model(wide.decoder_b.input, last.output)(
        np.concatenate([common, separate], axis=-1)
    ).numpy()
    mask = 1 / (1 + np.exp(-logits[..., :1]))
    image = mask * np.tanh(logits[..., 1:]) + (1 - mask) * b
    np.testing.assert_allclose(logs["recon2_b"], np.abs(image - b).mean(), rtol=1e-13)
    hidden = wide.discriminator.get_layer("hidden")
    flat = common.numpy().reshape(8, -1) @ hidden.kernel.numpy() + hidden.bias.numpy()
    logit = wide.discriminator.get_layer("logit")
    expected = np.where(flat > 0, flat, 0.2 * flat) @ logit.kernel.numpy() + logit.bias.numpy()
    np.testing.assert_allclose(wide.discriminator(common), expected, rtol=1e-12)


def test_inference(wide, images):
    edit = wide.transfer(*images)
    assert edit.image.dtype == edit.mask.dtype == np.float64
    assert wide.remove(images[1]).image.dtype == np.float64
    assert wide.segment(images[1]).dtype == np.float64
