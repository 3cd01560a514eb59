"""Trains a tiny model on two devices of one process, or as one of two workers.

    python distributed_runs.py two|worker OUTPUT [DIES_AT]

A worker finds its place in TF_CONFIG, keeps backups beside OUTPUT, and dies before
step DIES_AT. Writes all weights, both optimizers' state, and the history.
"""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from mbu_tf import MaskedContentTransfer
from mbu_tf.callbacks import Backup
from mbu_tf.data import ImageArray, TwoDomains

STEPS, BATCH = 4, 4


def strategy_of(kind):
    if kind == "worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def domains():
    draw = np.random.default_rng(0)
    return TwoDomains(
        *(ImageArray(draw.integers(0, 256, (n, 16, 16, 3), np.uint8)) for n in (9, 7)), 16
    )


def build(dtype="float32"):
    keras.utils.set_random_seed(1)
    model = MaskedContentTransfer(
        image_size=16, depth=2, width=0.03, separate_channels=2, dtype=dtype
    )
    # Clipping bites at each of these steps, so that its norm is seen to be of all devices.
    adam = [keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-3) for _ in range(2)]
    model.compile(adam[0], discriminator_optimizer=adam[1], generator_clip_norm=0.1)
    return model


def state(model, history):
    """All that a run leaves behind, by name."""
    variables = [*model.variables, *model.optimizer.variables]
    variables += model.discriminator_optimizer.variables
    values = {f"{i:03d} {v.name}": keras.ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    return {**values, **{f"history {name}": values for name, values in history.items()}}


def train(model, data, callbacks=()):
    return model.fit(
        data,
        steps_per_epoch=STEPS // 2,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    ).history


class Death(keras.callbacks.Callback):
    """Ends the process before a step, with no farewell."""

    def __init__(self, backup, step):
        super().__init__()
        self.backup, self.dies_at = backup, step

    def on_train_batch_begin(self, batch, logs=None):
        if self.backup.step == self.dies_at:
            os._exit(9)


def main(kind, output, dies_at=None):
    strategy = strategy_of(kind)
    with strategy.scope():
        model = build()
    backup = Backup(pathlib.Path(output).with_name("backup"), every=1)
    data = domains().distributed_batches(strategy, BATCH, flip=True, first_step=backup.step)
    callbacks = [] if kind == "two" else [backup]
    if dies_at is not None:
        callbacks.append(Death(backup, int(dies_at)))
    np.savez(output, **state(model, train(model, data, callbacks)))


if __name__ == "__main__":
    main(*sys.argv[1:])
