"""What there is to ask of a GPU, in one command: step times, memory, a training to a quality.

    python examples/benchmark_gpu.py --output gpu
    python examples/benchmark_gpu.py --output gpu  # goes on where the time was up

Measured on noise, by `fit`, is the preset's training step: under JAX, and under TensorFlow where it
sees the device; in float32, bfloat16 and float16; with and without XLA; at the first batch size and
at the largest that still gains; its share of what a large matrix product reaches there. Beside it,
where PyTorch is installed, the published code's step, eager and compiled. Then avatars are trained
for ten minutes in all. Each call ends within `--minutes`: measuring has the first five eighths of
them, training the rest. Every figure is kept in the folder, and what is there is not measured
again. `benchmark.md` has the table, `benchmark.json` all figures.

Without TensorFlow, JAX does it all; drawing avatars needs TensorFlow, so give `--training-data`
the `images.npz` that another machine has left in its folder.

Each part has a process of its own, which a lack of memory may end: the table then says so.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import benchmark_gpu_parts
from benchmark_gpu_parts import BACKEND, PRECISIONS

from mbu_tf.evaluation.parts import Parts
from mbu_tf.system.files import replacing, write_json

MEASURING = 5 / 8
# A doubled batch that processes fewer more images per second than this gains nothing.
GAIN = 1.05
# A part that was given so long and did not end is not tried again.
PATIENCE = 120
TORCH = ("eager", "compiled")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=pathlib.Path, default="gpu", help="default: gpu")
    parser.add_argument("--minutes", type=float, default=8, help="of this call (default: 8)")
    parser.add_argument("--backends", nargs="+", default=["jax", "tensorflow"])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--torch", nargs="*", choices=TORCH, default=list(TORCH))
    parser.add_argument("--preset", default="glasses", help="default: 128 px at full width")
    parser.add_argument("--image-size", type=int, help="default: the preset's")
    parser.add_argument("--width", type=float, help="default: the preset's")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--largest", type=int, default=1024, help="batch size (default: 1024)")
    parser.add_argument("--steps", type=int, default=20, help="timed at once (default: 20)")
    parser.add_argument("--turns", type=int, default=3, help="of which the median counts")
    parser.add_argument("--matrix-side", type=int, default=8192)
    parser.add_argument("--training-minutes", type=float, default=10, help="of all calls")
    parser.add_argument(
        "--training-data",
        default="avatars:glasses",
        help="a source, or the images.npz that another machine made of it in its folder",
    )
    parser.add_argument("--training-preset", default="avatars")
    parser.add_argument("--here", action="store_true", help="all in this process, one backend")
    return parser.parse_args()


class TimeIsUpError(Exception):
    """What is left has to wait for another call."""


class Benchmark:
    """Measures parts that `--output` has not, until the time for it is up."""

    def __init__(self, options):
        self.options, self.parts = options, Parts(options.output / "parts")
        self.end = time.monotonic() + 60 * options.minutes
        self.until = self.end - 60 * options.minutes * (1 - MEASURING)
        self.found = {}
        self.sizes = {
            "preset": options.preset,
            "image_size": options.image_size or _preset_size(options.preset),
            "width": options.width,
        }

    def part(self, kind, backend=None, **part):
        """Figures of one part, kept or measured now; `error` among them where it failed."""
        part = {"kind": kind, **({"backend": backend} if backend else {}), **part}
        name = kind if kind == "training" else "-".join(str(x) for x in part.values())
        if not self.parts.has(f"{name}.json", part):
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeIsUpError
            print(f"{name} ", end="", flush=True)
        started = time.monotonic()
        figures = self.parts.json(name, part, lambda: self._measure(part))
        if time.monotonic() - started > 0.1:
            print(f"({time.monotonic() - started:.0f} s)", flush=True)
        self.found[name] = {**part, **figures}
        return figures

    def _measure(self, part):
        if self.options.here:
            with contextlib.suppress(MemoryError):
                return benchmark_gpu_parts.KINDS[part["kind"]](part)
            return {"error": "out of memory"}
        left = self.until - time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            result = pathlib.Path(folder) / "figures.json"
            command = [sys.executable, benchmark_gpu_parts.__file__, json.dumps(part), result]
            code, said = _run(command, self.environment(part), left, part["kind"] == "training")
            if code is None:
                if part["kind"] == "training" or left < PATIENCE:
                    raise TimeIsUpError
                return {"error": f"not done after {left:.0f} s"}
            if code == 0:
                return json.loads(result.read_text())
        lines = said.decode(errors="replace").strip().splitlines()
        return {"error": lines[-1][:200] if lines else f"ended with {code}"}

    def environment(self, part):
        """Of a part's process."""
        backend = part.get("backend", BACKEND)
        given = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": backend}
        # What JAX has compiled once need not be compiled by the next call.
        given["JAX_COMPILATION_CACHE_DIR"] = str(self.options.output.absolute() / "compiled")
        if part["kind"] == "flop":
            given["CUDA_VISIBLE_DEVICES"] = ""
        return {**os.environ, **given}

    def step(self, backend, precision, batch, xla, **other):
        """`part` of a training step."""
        timing = {"batch": batch, "steps": self.options.steps, "turns": self.options.turns}
        sizes = {**self.sizes, **other}
        return self.part("step", backend, precision=precision, xla=xla, **timing, **sizes)

    def torch(self, precision, batch, way):
        """`part` of PyTorch's step."""
        timing = {"batch": batch, "steps": self.options.steps, "turns": self.options.turns}
        size = self.sizes["image_size"]
        self.part("torch", precision=precision, way=way, **timing, image_size=size)

    def measure(self):
        """Every part of steps, what matters most first; gives the backends and their devices."""
        options, batch = self.options, self.options.batch_size
        found = self.part("devices")
        backends = self.on_gpu() or [x for x in options.backends if x in found]
        self.part("flop", **self.sizes)
        for backend in backends:
            for precision in options.precisions:
                self.part("peak", backend, precision=precision, side=options.matrix_side)
                self.step(backend, precision, batch, xla=backend == "jax")
        ways = options.torch if "torch" in found else []
        for way in ways:
            for precision in ("float32", "mixed_bfloat16"):
                self.torch(precision, batch, way)
        for backend in backends:
            largest = self.largest(backend)
            for precision in options.precisions:
                self.step(backend, precision, largest, xla=backend == "jax")
            for way in ways:
                self.torch("mixed_bfloat16", largest, way)
        for backend in backends:
            # XLA takes TensorFlow many minutes on a CPU; JAX without it runs step by step.
            if backend == "jax" or found[backend] != "cpu":
                for precision in options.precisions:
                    self.step(backend, precision, batch, xla=backend != "jax")

    def on_gpu(self):
        """Backends that see one: beside them a CPU's figures would say nothing."""
        found = self.part("devices")
        return [x for x in self.options.backends if found.get(x, "cpu") != "cpu"]

    def largest(self, backend):
        """The batch size up to which each doubling still gains."""
        precision = self.options.precisions[-2:][0]
        batch, rate = self.options.batch_size, 0.0
        while batch <= self.options.largest:
            seconds = self.step(backend, precision, batch, xla=backend == "jax").get("seconds")
            if seconds is None or batch / seconds < GAIN * rate:
                break
            batch, rate = 2 * batch, batch / seconds
        return max(batch // 2, self.options.batch_size)

    def train(self):
        """Train for as long as this call has; what was reached, or `None` where nothing was."""
        self.until = self.end
        options = self.options
        data, preset = options.training_data, options.training_preset
        size = _preset_size(preset)
        if not data.endswith(".npz"):
            data, source = str(options.output / "images.npz"), data
            if not pathlib.Path(data).exists():
                benchmark_gpu_parts.pack(source, pathlib.Path(data), size)
        on_gpu = self.on_gpu()
        backend = on_gpu[0] if on_gpu else BACKEND
        precision = "mixed_bfloat16" if on_gpu else "float32"
        pace = self.step(
            backend, precision, 16, backend == "jax", preset=preset, image_size=size
        ).get("seconds")
        if pace is None:
            return None
        sizes = {"width": options.width} if options.width else {}
        # Of the next call, too, which may find another pace.
        planned = self.parts.json("steps", {}, lambda: self._planned(pace))
        folder = str((options.output / "run").absolute())
        training = {**planned, "preset": preset, "data": data, "folder": folder, **sizes}
        print(f"training, {planned['steps']} steps under {backend}", flush=True)
        found = self.part("training", backend, precision=precision, **training)
        return {**planned, "backend": backend, "precision": precision, **found}

    def _planned(self, pace):
        return {"steps": max(1, round(60 * self.options.training_minutes / pace))}


def _run(command, environment, seconds, gently):
    """A process's exit code, `None` where its time was up, and what it said of errors.

    Ended gently, it has its last 20 seconds to keep its state.
    """
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        said = process.communicate(timeout=max(0.0, seconds - 20 * gently))[1]
        return process.returncode, said
    except subprocess.TimeoutExpired:
        if gently:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(18)
        process.kill()
        process.wait()
        return None, b""


def _preset_size(preset):
    from mbu_tf.models.presets import MBU_PRESETS

    return MBU_PRESETS[preset]["architecture"]["image_size"]


def rows(found):
    """The table's rows, one for each step that was measured or failed."""
    counted = next((x for x in found if "flop" in x), {})
    peaks = {
        (x["backend"], x["precision"]): x["flop_per_second"]
        for x in found
        if "flop_per_second" in x
    }
    for x in found:
        if x["kind"] not in ("step", "torch"):
            continue
        if x["kind"] == "step":
            name = f"{x['backend']}{', XLA' if x['xla'] else ''}: {x['preset']}"
        else:
            name = f"PyTorch, {x['way']}: published code"
        row = [name, PRECISIONS[x["precision"]], str(x["batch"])]
        if "seconds" not in x:
            yield [*row, x["error"], "", "", "", ""]
            continue
        peak = peaks.get((x.get("backend"), x["precision"]))
        # FLOP are those of one network; the published code makes more passes.
        same = all(x.get(name) == counted.get(name, "") for name in ("preset", "image_size"))
        share = counted["flop"] * x["batch"] / x["seconds"] / peak if same and peak else None
        yield [
            *row,
            f"{1000 * x['seconds']:.1f}",
            f"{2 * x['batch'] / x['seconds']:.0f}",
            "" if share is None else f"{share:.0%}",
            f"{x['memory'] / 2**30:.2f}",
            f"{x['first_seconds']:.0f}",
        ]


def write(benchmark, training, done):
    """`benchmark.md` and `benchmark.json` of what is there; the table as text."""
    found, folder = list(benchmark.found.values()), benchmark.options.output
    head = ["step", "in", "batch", "ms", "images/s", "of peak", "GiB", "first steps, s"]
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows(found))]
    lines.insert(1, "|---" * len(head) + "|")
    if training:
        truth = training.get("truth", {"failed": math.nan})
        reached = ", ".join(f"{name} {x:.3f}" for name, x in truth.items() if "_std" not in name)
        took = f"{training['steps']} steps under {training['backend']}"
        lines += ["", f"Training, {took}, {training.get('seconds', 0):.0f} s: {reached}."]
    if not done:
        lines += ["", "The time was up: the same command again goes on."]
    text = "\n".join(lines) + "\n"
    with replacing(folder / "benchmark.md") as beside:
        beside.write_text(text, encoding="utf-8")
    figures = {"parts": found, "training": training, "done": done}
    write_json(folder / "benchmark.json", figures)
    return text


def main():
    benchmark, training, measured = Benchmark(arguments()), None, False
    with contextlib.suppress(TimeIsUpError):
        benchmark.measure()
        measured = True
    write(benchmark, training, done=False)
    with contextlib.suppress(TimeIsUpError):
        training = benchmark.train()
    done = measured and bool(training)
    print(write(benchmark, training, done), end="")


if __name__ == "__main__":
    main()
