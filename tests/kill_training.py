"""Kills a small training run at random moments and checks what is left; takes a while.

    python tests/kill_training.py --kills 50

Each process is forked from this one, which has imported TensorFlow but not
started it, and resumes the run. It is killed after a random time, or, every
third time, as soon as a checkpoint is seen half-written. After each kill the
newest state must be whole and of no more than the checkpoint interval ago, and
every other file whole. Each run that ends is compared with an uninterrupted
one: weights, history, pictures and figures, bit for bit.
"""

import argparse
import io
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import h5py
import numpy as np

import mbu_tf.runs.training  # noqa: F401  Once, for all that are forked.
from mbu_tf.data.images import read_image
from mbu_tf.runs.state import read_newest_state

STEPS, EVERY = 23, 2


def train(folder, progress):
    """One session, as `mbu-tf train --resume` has it; writes each step to `progress`."""
    import tensorflow as tf

    from mbu_tf.callbacks import Backup
    from mbu_tf.data.domains import ImageArray, TwoDomains
    from mbu_tf.runs.training import train_preset

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.config.run_functions_eagerly(True)  # Tracing takes longer than these few steps.
    at_batch_end = Backup.on_train_batch_end

    def report(self, batch, logs=None):
        at_batch_end(self, batch, logs)
        os.write(progress, f"{self.step}\n".encode())

    Backup.on_train_batch_end = report
    rng = np.random.default_rng(0)
    a, b = (ImageArray(rng.integers(0, 256, (n, 32, 32, 3), np.uint8)) for n in (5, 7))
    train_preset(
        "avatars",
        TwoDomains(a, b, 32),
        folder,
        steps=STEPS,
        batch_size=2,
        checkpoint_every=EVERY,
        resume=True,
        width=0.03,
    )


def start(folder):
    """Fork a session; its process number and the end of a pipe from which its steps are read."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        os.set_blocking(reading, False)
        return process, reading
    status = 1
    try:
        with open(folder.with_suffix(".log"), "a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        train(folder, writing)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(process):
    """The exit status of `process` if it has ended, else `None`."""
    number, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if number else None


def half_written(folder):
    return [path for path in folder.rglob(".*") if path.name.startswith((".step", ".model"))]


def session(folder, until):
    """Run a session until `until()`; whether it ended by itself, and its last step."""
    process, progress = start(folder)
    while (status := ended(process)) is None and not until():
        time.sleep(0.0005)
    if status is None:
        os.kill(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    steps = b""
    while part := read(progress):
        steps += part
    os.close(progress)
    if status not in (0, -signal.SIGKILL):
        sys.exit(f"The session failed: {folder.with_suffix('.log').read_text()[-2000:]}")
    return status == 0, int(steps.split()[-1]) if steps else 0


def read(pipe):
    try:
        return os.read(pipe, 65536)
    except BlockingIOError:
        return b""


def check_after_kill(folder, last_step):
    """The step of the newest state; all files must be whole."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # A damaged state would be warned of.
        state = read_newest_state(folder / "backup")
    step = state["step"] if state else 0
    finished = (folder / "metrics.json").exists()
    assert finished or step >= last_step - EVERY, (step, last_step)
    for path in folder.rglob("[!.]*"):
        if path.suffix in (".keras", ".npz"):
            assert zipfile.ZipFile(path).testzip() is None, path
        elif path.suffix == ".png":
            read_image(path)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            assert path.read_text().endswith("\n"), path
    return step


def contents(folder):
    """What a finished run holds, comparable."""
    found = {}
    with zipfile.ZipFile(folder / "model.keras") as file:
        weights = h5py.File(io.BytesIO(file.read("model.weights.h5")))
    weights.visititems(
        lambda name, item: (
            found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
        )
    )
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics.pop("training_seconds")
    found["metrics.json"] = metrics
    for path in [folder / "history.csv", *(folder / "pictures").iterdir()]:
        found[path.name] = path.read_bytes()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        began = time.monotonic()
        session(root / "straight", lambda: False)
        straight = contents(root / "straight")
        seconds = time.monotonic() - began
        print(f"Uninterrupted: {STEPS} steps, {len(straight)} things to compare, {seconds:.0f} s")
        kills = runs = while_writing = lost = 0
        while kills < arguments.kills:
            folder, done = root / f"run-{runs}", False
            while not done and kills < arguments.kills:
                wait_for_writing = kills % 3 == 2
                began, wait = time.monotonic(), rng.uniform(0, seconds / 2)
                left = set(half_written(folder))

                def until(wait=wait, began=began, folder=folder, left=left, seen=wait_for_writing):
                    late = time.monotonic() - began > wait
                    return late and (not seen or set(half_written(folder)) - left)

                done, last_step = session(folder, until)
                if not done:
                    kills += 1
                    step = check_after_kill(folder, last_step)
                    lost = max(lost, last_step - step)
                    while_writing += bool(set(half_written(folder)) - left)
                    print(f"Kill {kills}: after step {last_step}, kept {step}", flush=True)
            if not done:
                done, _ = session(folder, lambda: False)
            found = contents(folder)
            different = [name for name in straight if straight[name] != found.get(name)]
            assert set(found) == set(straight) and not different, different
            assert not half_written(folder)
            runs += 1
            print(f"Run {runs} equals the uninterrupted one.", flush=True)
    print(
        f"{kills} kills, {while_writing} of them with a file half-written, over {runs} runs: at "
        f"most {lost} steps lost with a state every {EVERY}, no damaged file, every run equal to "
        "the uninterrupted one."
    )


if __name__ == "__main__":
    main()
