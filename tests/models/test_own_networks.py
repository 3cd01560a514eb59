"""Networks of one's own, in a subclass, and what its constructor was given."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from mbu_tf.networks.encoder import Encoder
from tests.conftest import fitting

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


@keras.saving.register_keras_serializable("tests")
class OnBackbone(MaskedContentTransfer):
    """The common code of a backbone of `keras.applications`; its stride of 32 wants 5 blocks."""

    def __init__(self, alpha=0.35, **kwargs):
        self.alpha = alpha
        super().__init__(**kwargs)

    def build_common_encoder(self):
        backbone = keras.applications.MobileNetV2(
            (self.image_size, self.image_size, 3), self.alpha, include_top=False, weights=None
        )
        code = keras.layers.Conv2D(6, 1, name="code")(backbone.output)
        return keras.Model(backbone.input, code, name="common_encoder")


@pytest.mark.slow
def test_a_backbone_of_keras_applications(tmp_path):
    model = OnBackbone(image_size=64, width=0.03, separate_channels=2)
    assert model.code_shape == (2, 2, 6) and model.get_config()["alpha"] == 0.35
    model.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (2, 2, 64, 64, 3)).astype("float32")
    before = model.common_encoder.get_weights()[0]
    assert np.isfinite(model.fit(*images, verbose=0).history["loss"]).all()
    assert not np.array_equal(before, model.common_encoder.get_weights()[0])
    assert [x.name for x in model.layers] == list(model.network_names)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert type(again) is OnBackbone and again.optimizer.iterations == 1
    for one, other in zip(model.transfer(*images), again.transfer(*images), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_made_after_its_common_encoder(name, images, tmp_path):
    method = METHODS[name]

    @keras.saving.register_keras_serializable("tests", f"Own{method.__name__}")
    class Own(method):
        def build_common_encoder(self):
            return Encoder(5, self.image_size, filters=(4,), name="common_encoder")

    model = Own(**fitting(method, **TINY))
    model.compile()
    assert model.code_shape == (2, 2, 5)
    assert np.isfinite(model.fit(*images, verbose=0).history["loss"]).all()
    model.save(tmp_path / "model.keras")
    for v, w in zip(model.weights, load_model(tmp_path / "model.keras").weights, strict=True):
        np.testing.assert_array_equal(v, w)


@keras.saving.register_keras_serializable("tests")
class Plain(keras.Model):
    """A network that is no functional model, whose weights come with its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(3, 4, strides=4)

    def call(self, images, training=False):
        return self.convolution(images)


def test_a_subclassed_network_is_built():
    class Own(MaskedContentTransfer):
        def build_common_encoder(self):
            return Plain(name="common_encoder")

    assert len(Own(**TINY).common_encoder.trainable_variables) == 2


def test_networks_that_do_not_fit():
    class Coarse(MaskedContentTransfer):
        def build_common_encoder(self):
            return Encoder(3, self.image_size, depth=3, filters=(4,), name="common_encoder")

    class Unbuilt(MaskedContentTransfer):
        def build_decoder_a(self):
            return Plain()

    with pytest.raises(ValueError, match=r"must be \(batch, 2, 2, channels\).*Received: .*1, 1, 3"):
        Coarse(**TINY)
    with pytest.raises(ValueError, match="`build_decoder_a` must give a network whose weights"):
        Unbuilt(**TINY)


def test_a_network_is_not_replaced_in_passing():
    model = MaskedContentTransfer(**TINY)
    with pytest.raises(AttributeError, match="override `build_common_encoder`"):
        model.common_encoder = Plain()
    model.common_encoder = model.common_encoder
    assert len(model.layers) == 5


@keras.saving.register_keras_serializable("tests")
class Doubled(MaskedContentTransfer):
    """Changes an argument on its way, and has some of its own."""

    def __init__(self, width=0.01, strength=2.0, names=("x", "y"), **kwargs):
        super().__init__(width=2 * width, **kwargs)
        self.strength, self.names = strength, names


@keras.saving.register_keras_serializable("tests")
class Grandchild(Doubled):
    def __init__(self, more, **kwargs):
        super().__init__(**kwargs)
        self.more = more


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (Doubled, {}),
        (Doubled, {"width": 0.015, "strength": 3.0, "names": ["z"]}),
        (Grandchild, {"more": {"a": [1, None]}, "strength": 4.0}),
    ],
)
def test_a_subclasss_own_arguments_are_saved(kind, own, tmp_path):
    model = kind(image_size=8, separate_channels=1, **own)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert type(again) is kind and again.get_config() == model.get_config()
    assert (again.strength, list(again.names)) == (model.strength, list(model.names))
    assert {name: again.get_config()[name] for name in own} == own
    for v, w in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(v, w)


class Holder(MaskedContentTransfer):
    def __init__(self, activity, **kwargs):
        super().__init__(**kwargs)


class OwnConfig(Holder):
    def __init__(self, activity, **kwargs):
        super().__init__(activity, **kwargs)
        self.activity = activity

    def get_config(self):
        return {**super().get_config(), "activity": self.activity.__name__}


def test_arguments_that_cannot_be_saved_say_what_to_override(tmp_path):
    with pytest.raises(
        NotImplementedError, match="arguments activity are no plain.*`get_config`.*function"
    ):
        Holder(test_networks_that_do_not_fit, **TINY).save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
    assert OwnConfig(len, **TINY).get_config()["activity"] == "len"


def test_a_constructor_without_keyword_arguments():
    class Fixed(MaskedContentTransfer):
        def __init__(self, size=8):
            super().__init__(image_size=size, width=0.02, separate_channels=1)

    with pytest.raises(NotImplementedError, match=r"Fixed.*must take \*\*kwargs.*`get_config`"):
        Fixed().get_config()


class SmoothMasks(MaskedContentTransfer):
    default_loss_weights = {**MaskedContentTransfer.default_loss_weights, "mask_edges": 0.1}

    def mask_losses(self, mask, image):
        edges = keras.ops.mean(keras.ops.abs(mask[:, 1:] - mask[:, :-1]))
        return {**super().mask_losses(mask, image), "mask_edges": edges}


def test_a_loss_of_the_mask_needs_no_second_pass(images):
    model = SmoothMasks(**TINY)
    model.compile()
    calls = []
    decode = model.decoder_b.call
    model.decoder_b.call = lambda *args, **kwargs: calls.append(1) or decode(*args, **kwargs)
    logs = model.test_on_batch(*images, return_dict=True)
    assert len(calls) == 3  # (b, b), (a, b), (a, a)
    mask = model.segment(images[1])
    assert logs["mask_edges"] == pytest.approx(np.abs(np.diff(mask, axis=1)).mean(), rel=1e-4)
    total = sum(model.loss_weights[name] * logs[name] for name in model.active_losses)
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
