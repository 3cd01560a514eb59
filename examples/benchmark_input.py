"""How the input holds as image files become many: start-up, memory, batches per second.

    python examples/benchmark_input.py --folder scratch

writes 1, 10 and 100 thousand small JPEG files under `scratch` (they stay for the
next run; the last take 0.4 GB), then measures each way of reading them in a
process of its own. `--images DIR` measures a folder of your own files instead.
Processor time tells more than the clock where the machine does other work too.
"""

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
from PIL import Image

DISTINCT = 200
SECONDS = 4
HEADER = (
    "files | cache | start-up, s | processor, s | memory after, MB | at most, MB | batches/s "
    "| batches per processor second"
)


def write_files(folder, count):
    """Half of `count` JPEG files of 80 x 100 pixels into each domain's folder."""
    if (folder / "done").exists():
        return
    draw, encoded = np.random.default_rng(0), []
    for _ in range(DISTINCT):
        small = draw.integers(0, 256, (10, 8, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((80, 100), Image.Resampling.BICUBIC).save(file, "JPEG")
        encoded.append(file.getvalue())
    for domain in ("trainA", "trainB"):
        (folder / domain).mkdir(parents=True, exist_ok=True)
        for i in range(count // 2):
            (folder / domain / f"{i:07d}.jpg").write_bytes(encoded[i % DISTINCT])
    (folder / "done").touch()


class Memory:
    """What a block of code holds of its own (no pages of files), in bytes: after it, and at most.

    From Linux's /proc; elsewhere not a number.
    """

    def __enter__(self):
        self._before = self.at_most = self._now()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._watch.join()
        self.after = self._now() - self._before
        self.at_most = max(self.at_most - self._before, self.after)

    def _look(self):
        while not self._done.wait(0.02):
            self.at_most = max(self.at_most, self._now())

    def _now(self):
        try:
            status = pathlib.Path("/proc/self/status").read_text()
        except OSError:
            return float("nan")
        return 1024 * int(status.split("RssAnon:")[1].split()[0])


def measure(folder, cache, image_size, batch_size):
    """Start-up and speed of one way of reading; to be run in a fresh process."""
    import tensorflow as tf

    from mbu_tf.data.folders import load_folders

    iter(tf.data.Dataset.range(1)).get_next()  # TensorFlow's own start is no part of it.
    if (folder / "trainA").is_dir():
        options = {}
    else:
        options = {"a": ".", "b": "."}
    with Memory() as memory:
        started, worked = time.perf_counter(), time.process_time()
        domains = load_folders(folder, image_size=image_size, cache=cache, **options)
        seconds, work = time.perf_counter() - started, time.process_time() - worked
    batches = iter(domains.batches(batch_size, flip=True))
    for _ in range(4):  # What was read ahead is not counted.
        next(batches)
    started, worked, count = time.perf_counter(), time.process_time(), 0
    while (taken := time.perf_counter() - started) < SECONDS:
        next(batches)
        count += 1
    return {
        "files": len(domains.a) + len(domains.b),
        "start": seconds,
        "work": work,
        "after": memory.after,
        "at_most": memory.at_most,
        "batches": count / taken,
        "batches_per_work": count / (time.process_time() - worked),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("benchmark-input"))
    parser.add_argument("--images", type=pathlib.Path, help="a folder of images of your own")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--caches", nargs="+", default=["none", "disk", "memory"])
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        folder, cache = arguments.measure
        sizes = arguments.image_size, arguments.batch_size
        print(json.dumps(measure(pathlib.Path(folder), cache, *sizes)))
        return

    print(f"{arguments.image_size} px, batches of 2 x {arguments.batch_size}\n\n| ", end="")
    print(HEADER, "|\n" + "|---" * 8 + "|", flush=True)
    for count in [None] if arguments.images else arguments.counts:
        folder = arguments.images or arguments.folder / str(count)
        if count:
            write_files(folder, count)
        for cache in arguments.caches:
            # The first run of a disk cache writes it, the second finds it.
            spec = f"disk:{arguments.folder / 'cache'}" if cache == "disk" else cache
            for name in ["disk, written", "disk, found"] if cache == "disk" else [cache]:
                print(row(name, ask(folder, spec, arguments)), flush=True)


def ask(folder, cache, arguments):
    """What `measure` finds in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(folder), cache]
    command += ["--image-size", str(arguments.image_size)]
    command += ["--batch-size", str(arguments.batch_size)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return json.loads(subprocess.run(command, check=True, stdout=-1, env=quiet).stdout)


def row(name, found):
    cells = [f"{found['files']:,}", name, f"{found['start']:.2f}", f"{found['work']:.2f}"]
    cells += [f"{found[key] / 1e6:.1f}" for key in ("after", "at_most")]
    cells += [f"{found[key]:.0f}" for key in ("batches", "batches_per_work")]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
