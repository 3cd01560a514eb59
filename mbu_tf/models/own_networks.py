"""The networks of a two-domain model: made by methods that a subclass may override."""

import contextlib

import keras
from keras import ops

from mbu_tf.networks import blocks
from mbu_tf.networks.discriminator import CodeDiscriminator
from mbu_tf.networks.encoder import Encoder

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "float64")


class OwnNetworks:
    """Makes a model's networks, each by a method `build_<name>`; a mixin of `TwoDomainModel`.

    A method states `network_names`, in the order in which they are made, `common_encoder`
    first and `discriminator` last, and `build_<name>` of those that are not here: decoders.
    A subclass that wants another network overrides its method; the others are made after
    it. What the method needs of the subclass's own constructor arguments is to be set
    before `super().__init__`, which calls it.

    Attributes:
        code_shape: `(s, s, channels)` of the common code.
        separate_codes: separate codes that one decoder draws beside the common one, which
            leaves them room among its 512 channels.
        separate_filters: filters of separate encoders before their last block.
        starting_networks: names of the networks that a model started from a trained one
            takes over: what they know holds for other parts as well.
    """

    network_names = ()
    starting_networks = ()
    separate_codes = 1
    separate_filters = blocks.SEPARATE_FILTERS

    @property
    def generator_networks(self):
        """All networks but the discriminator."""
        return tuple(getattr(self, x) for x in self.network_names if x != "discriminator")

    @property
    def generator_variables(self):
        """What the generator's step may move, frozen networks left out."""
        return [v for network in self.generator_networks for v in network.trainable_variables]

    def build_common_encoder(self):
        """Ec; in its place any network of images `(batch, image_size, image_size, 3)`.

        Its code is `(batch, s, s, channels)`, `s = image_size / 2**depth`, of any
        number of channels: decoders and discriminator are built after it.
        """
        config = self._config
        common, last_filters = blocks.code_channels(
            config["width"],
            config["separate_channels"],
            config.get("common_channels"),
            self.separate_codes,
        )
        return Encoder(
            common,
            last_filters=last_filters,
            bare_blocks=config.get("common_bare_blocks", ()),
            **self._shape("encoder"),
            name="common_encoder",
        )

    def build_separate_encoder(self):
        """Es: images to a code `(batch, s, s, separate_channels)`."""
        return self._separate_encoder("separate_encoder")

    def build_separate_encoder_a(self):
        """EsA, likewise."""
        return self._separate_encoder("separate_encoder_a")

    def build_separate_encoder_b(self):
        """EsB, likewise."""
        return self._separate_encoder("separate_encoder_b")

    def _separate_encoder(self, name):
        return Encoder(
            self._config["separate_channels"],
            filters=self.separate_filters,
            bare_blocks=self._config.get("separate_bare_blocks", ()),
            **self._shape("encoder"),
            name=name,
        )

    def build_discriminator(self):
        """C, of the common code to a logit `(batch, 1)`."""
        return CodeDiscriminator(
            self.code_shape, width=self._config.get("width", 1.0), name="discriminator"
        )

    def _make_networks(self):
        """Make all networks, in the model's own precision, which `dtype` may have set."""
        with self._precision():
            for name in self.network_names:
                network = getattr(self, f"build_{name}")()
                if name == "common_encoder":
                    self.code_shape = _checked_code_shape(network, self._config)
                if not network.built:
                    raise ValueError(
                        f"`build_{name}` must give a network whose weights exist: build it, or "
                        f"call it once. Received: {network}"
                    )
                if not self.trainable:
                    network.trainable = False
                setattr(self, name, network)
        # What a call would have told Keras; `TFLiteConverter.from_keras_model` asks for it.
        size = self._config["image_size"]
        self._build_shapes_dict = {"input_shape": [(None, size, size, 3)] * 2}
        self.built = True

    @contextlib.contextmanager
    def _precision(self):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.dtype_policy)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)

    def _shape(self, kind):
        """Arguments that all encoders, or all decoders, of a model share."""
        names = ("image_size", "depth", "width", "normalization")
        activation = self._config[f"{kind}_activation"]
        return {**{name: self._config[name] for name in names}, "activation": activation}

    def __setattr__(self, name, value):
        taken = name in self.network_names and hasattr(self, name)
        if taken and isinstance(value, keras.Layer) and all(x is not value for x in self.layers):
            raise AttributeError(
                f"`{name}` is one network of several that were made to fit, and a file of the "
                f"model would not hold another. Subclass {type(self).__name__} and override "
                f"`build_{name}`."
            )
        super().__setattr__(name, value)


def in_one_pass(network, a, b, training=False):
    """What `network` gives for a batch of each domain, computed as one batch of both."""
    return ops.split(network(ops.concatenate([a, b]), training=training), 2)


def check_precision(policy):
    """Raise `ValueError` unless models can be trained in a dtype policy."""
    if policy.name not in PRECISIONS:
        raise ValueError(
            f"Models compute in one of {', '.join(PRECISIONS)}: "
            "keras.config.set_dtype_policy sets it for all models, `dtype` for one; leave "
            f"floatx at float32. Received: {policy.name}"
        )


def _checked_code_shape(encoder, config):
    """The shape of a network's code, without the batch's axis.

    Raises:
        ValueError: if no decoders can be made for it.
    """
    size = config["image_size"]
    side = size // 2 ** config["depth"]
    shape = tuple(encoder(keras.KerasTensor((None, size, size, 3))).shape)
    if len(shape) != 4 or shape[1:3] != (side, side):
        raise ValueError(
            f"The common code must be (batch, {side}, {side}, channels), image_size / 2**depth "
            f"high and wide: choose `depth` after the encoder. Received: {shape}"
        )
    return shape[1:]
