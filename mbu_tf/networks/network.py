"""What the networks share: a functional model that is rebuilt from its arguments."""

import contextlib

import keras


class Network(keras.Model):
    """A functional `keras.Model` whose configuration is its constructor's arguments.

    Args:
        inputs, outputs: as for a functional `keras.Model`.
        config: the subclass's constructor arguments, plain values.
    """

    def __init__(self, inputs, outputs, config, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self._config = config

    def get_config(self):
        return {"name": self.name, "trainable": self.trainable, **self._config}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def weights_of(name):
    """The scope of a network's layers: its weights are called `<name>/block_1_norm/gamma`."""
    return keras.name_scope(name) if name else contextlib.nullcontext()
