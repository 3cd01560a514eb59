"""Train on several machines, or, as it stands, with two workers on this one.

    python examples/train_multi_worker.py [--steps 200] [--output multi-worker]

On a cluster, start it on every machine with the same arguments and

    TF_CONFIG='{"cluster": {"worker": ["host0:2222", "host1:2222"]},
                "task": {"type": "worker", "index": 0}}'

where all know the same list, each its own index, and the ports are open between
them. `--output` lies on a disk that all share: worker 0 writes there, all read
the backup. `--batch-size` is that of all devices together and a multiple of their
number. Each machine reads its part of the data from its own disk, and all must
have the same files. If one worker dies, the others end with an error within half
a minute; start all again, as a cluster's job does by itself, and training goes
on from the last backup.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys

import tensorflow as tf

from mbu_tf import MaskedContentTransfer, load_source
from mbu_tf.callbacks import Backup, TrainingAdvice

ATTEMPTS = 3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="avatars:glasses")
    parser.add_argument("--preset", default="avatars")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--output", type=pathlib.Path, default="multi-worker")
    arguments = parser.parse_args()
    if "TF_CONFIG" in os.environ:
        train(arguments)
    else:
        train_on_this_machine(arguments)


def train(arguments):
    """What each worker does."""
    # Before anything else of TensorFlow: it connects the workers.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    image_size = MaskedContentTransfer.presets[arguments.preset]["architecture"]["image_size"]
    data = load_source(arguments.data, "train", image_size)
    with strategy.scope():
        model = MaskedContentTransfer.from_preset(arguments.preset, steps=arguments.steps)
    backup = Backup(arguments.output / "backup", every=max(1, arguments.steps // 10))
    model.fit(
        data.distributed_batches(strategy, arguments.batch_size, first_step=backup.step),
        steps_per_epoch=arguments.steps,
        shuffle=False,  # they are already
        callbacks=[backup, TrainingAdvice()],
    )
    number = strategy.cluster_resolver.task_id
    # Every worker saves, since reading the variables takes all of them; one file stays.
    path = arguments.output / ("model.keras" if number == 0 else f"worker-{number}.keras")
    model.save(path)
    if number:
        path.unlink()


def train_on_this_machine(arguments):
    """Two workers, started again if one dies."""
    load_source(arguments.data, "train", 64)  # So that no two workers render the faces.
    arguments.output.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
        workers = []
        for index in range(2):
            place = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            environment = {**os.environ, "TF_CONFIG": place}
            workers.append(subprocess.Popen([sys.executable, *sys.argv], env=environment))
        if not any([worker.wait() for worker in workers]):
            print(f"See {arguments.output / 'model.keras'}")
            return
    sys.exit("A worker has died again and again; its error is above.")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("localhost", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


if __name__ == "__main__":
    main()
