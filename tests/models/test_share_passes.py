"""Without `share_passes` every pass of the published code runs; only running statistics change."""

import keras
import numpy as np
import tensorflow as tf

from mbu_tf.models.content_transfer import MaskedContentTransfer
from tests.models.conftest import TINY

NETWORKS = ("common_encoder", "separate_encoder", "decoder_a", "decoder_b", "discriminator")


def trained(images, share_passes):
    """A model after one step of gradient descent, what it logged, and calls of each network."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY, share_passes=share_passes)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    calls = dict.fromkeys(NETWORKS, 0)
    for name in NETWORKS:
        network = getattr(model, name)

        def counting(*args, _call=network.call, _name=name, **kwargs):
            calls[_name] += 1
            return _call(*args, **kwargs)

        network.call = counting
    return model, model.train_step(images), calls


def test_passes_losses_and_weights(images):
    shared, logs, _ = trained(images, True)
    every, every_logs, calls = trained(images, False)
    assert calls == {
        "common_encoder": 5,  # b, a, z(a, b), b and a for the discriminator
        "separate_encoder": 2,  # b, z(a, b)
        "decoder_a": 2,  # b, a
        "decoder_b": 4,  # (b, b), (a, b), (a, 0), (b, b)
        "discriminator": 4,
    }
    assert set(logs) == set(every_logs)
    for name, value in logs.items():
        np.testing.assert_allclose(every_logs[name], value, rtol=1e-5, err_msg=name)
    for v, w in zip(shared.trainable_variables, every.trainable_variables, strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-4, atol=1e-6)
    moved = {
        name
        for name in NETWORKS[:4]
        for v, w in zip(
            getattr(shared, name).non_trainable_variables,
            getattr(every, name).non_trainable_variables,
            strict=True,
        )
        if not np.allclose(v, w, rtol=1e-3)
    }
    assert moved == {"common_encoder", "decoder_b"}


def test_it_is_saved(tmp_path):
    model = MaskedContentTransfer(**TINY, share_passes=False)
    assert MaskedContentTransfer.from_config(model.get_config()).get_config() == model.get_config()
    assert model.get_config()["share_passes"] is False
