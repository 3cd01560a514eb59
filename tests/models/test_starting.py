"""Starting from a trained model: which weights it takes over, and which base fits."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.methods import METHODS
from tests.conftest import fitting

SMALL = {"image_size": 16, "width": 0.05, "separate_channels": 2}
SHARED = {
    "mbu": {"common_encoder", "decoder_a"},
    "cd": {"common_encoder", "decoder"},
    "didd": {"common_encoder", "decoder"},
    "masked_didd": {"common_encoder", "decoder"},
    "fader": {"common_encoder", "decoder"},
}


def numbered(model):
    """Set all weights of a model to numbers of its own."""
    model.set_weights([np.full(x.shape, 0.01 * i) for i, x in enumerate(model.get_weights(), 1)])
    return model


@pytest.mark.parametrize("name", METHODS)
def test_the_shared_networks_are_taken_over_and_no_other(name):
    method = METHODS[name]
    base = numbered(method(**fitting(method, **SMALL, normalization="batch")))
    keras.utils.set_random_seed(1)
    model = method.from_preset("avatars", base=base)
    keras.utils.set_random_seed(1)
    fresh = method.from_preset("avatars", **base.arguments)
    # The architecture is the base's, the rest the recipe's.
    assert model.arguments == base.arguments
    weights = [x.get_compile_config()["loss_weights"] for x in (model, fresh)]
    assert weights[0] == weights[1]
    for network in (*model.generator_networks, model.discriminator):
        source = base if network.name in SHARED[name] else fresh
        expected = getattr(source, network.name).get_weights()
        for v, w in zip(network.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(v, w, err_msg=network.name)
    assert model.optimizer.iterations == 0
    if name == "mbu":
        assert model.mask_threshold == fresh.mask_threshold != base.mask_threshold


@pytest.mark.parametrize("name", METHODS)
def test_of_the_same_part_all_is_taken_over(name):
    base = numbered(METHODS[name](**fitting(METHODS[name], **SMALL)))
    model = METHODS[name].from_preset("avatars", base=base, same_part=True)
    for weight, expected in zip(model.get_weights(), base.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert model.optimizer.iterations == 0
    with pytest.raises(ValueError, match="does not fit"):
        METHODS[name].from_preset("avatars", base=base, same_part=True, width=0.1)
    with pytest.raises(ValueError, match="said of a `base`"):
        METHODS[name].from_preset("avatars", same_part=True)


def test_what_does_not_shape_those_networks_may_differ():
    base = numbered(MaskedContentTransfer(**SMALL))
    model = MaskedContentTransfer.from_preset("avatars", base=base, recon1_norm="l2", image_size=32)
    assert (model.arguments["recon1_norm"], model.image_size) == ("l2", 32)
    np.testing.assert_array_equal(model.decoder_a.get_weights()[0], base.decoder_a.get_weights()[0])


def test_a_base_of_another_method_or_shape():
    base = METHODS["cd"](**SMALL)
    with pytest.raises(ValueError, match="must be a trained MaskedContentTransfer. Received: Cont"):
        MaskedContentTransfer.from_preset("avatars", base=base)
    base = MaskedContentTransfer(**SMALL)
    with pytest.raises(ValueError, match=r"common_encoder of `base` does not fit.*\['width'\]"):
        MaskedContentTransfer.from_preset("avatars", base=base, width=0.1)


def test_a_subclass_may_start_from_its_method():
    class Own(MaskedContentTransfer):
        pass

    base = numbered(MaskedContentTransfer(**SMALL))
    model = Own.from_preset("avatars", base=base)
    np.testing.assert_array_equal(model.decoder_a.get_weights()[0], base.decoder_a.get_weights()[0])
