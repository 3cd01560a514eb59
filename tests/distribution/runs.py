"""Trains a tiny model on one device, two devices of one process, or as one of two workers.

    python runs.py one|two|worker OUTPUT [DIED_AT]

A worker finds its place in TF_CONFIG. Writes all weights, both optimizers' state,
and the history.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from mbu_tf import MaskedContentTransfer
from mbu_tf.data import ImageArray, TwoDomains

STEPS, BATCH = 4, 4


def strategy_of(kind):
    if kind == "worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    (cpu,) = tf.config.list_physical_devices("CPU")
    one = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [one] * (2 if kind == "two" else 1))
    if kind == "two":
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return tf.distribute.get_strategy()


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


def main(kind, output):
    strategy = strategy_of(kind)
    with strategy.scope():
        model = build()
    history = model.fit(
        domains().distributed_batches(strategy, BATCH, flip=True),
        steps_per_epoch=STEPS // 2,
        epochs=2,
        shuffle=False,
        verbose=0,
    ).history
    variables = [*model.variables, *model.optimizer.variables]
    variables += model.discriminator_optimizer.variables
    values = {f"{i:03d} {v.path}": keras.ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    np.savez(output, **values, **{f"history {k}": v for k, v in history.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
