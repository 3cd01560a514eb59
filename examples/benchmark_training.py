"""Times the training step, where in it the time goes, the input pipeline and inference.

    python examples/benchmark_training.py
    python examples/benchmark_training.py --preset avatars --precisions float32
    python examples/benchmark_training.py --data folders:photos --output benchmark.json
    python examples/benchmark_training.py --published  # beside the published code's step in PyTorch

Precisions are timed in turns, step by step, so that whatever else the machine does
meets all of them alike; every figure is the median of the turns. FLOP are counted
from the step's own graph, and set beside what one large matrix product reaches on
the same machine in the same precision.
"""

import argparse
import collections
import json
import pathlib
import re
import statistics
import sys
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

from mbu_tf import load_source
from mbu_tf.data import ImageArray, TwoDomains
from mbu_tf.models.methods import METHODS
from mbu_tf.system.files import write_json

MATRIX_SIDE = 2048
COMPUTES_IN = {"float32": "float32", "mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--method", choices=sorted(METHODS), default="mbu")
    parser.add_argument("--preset", default="glasses", help="default: 128 px at full width")
    parser.add_argument("--batch-size", type=int, help="default: the preset's")
    parser.add_argument("--precisions", nargs="+", choices=COMPUTES_IN, default=list(COMPUTES_IN))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--data", help="source of the input pipeline; default: noise in memory")
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, help="the figures as JSON")
    return parser.parse_args()


def seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def in_turns(calls, turns):
    """Median seconds of each of the named `calls`, after one of each that does not count."""
    for call in calls.values():
        call()
    found = [{name: seconds(call) for name, call in calls.items()} for _ in range(turns)]
    return {name: statistics.median(turn[name] for turn in found) for name in calls}


class Step:
    """The training step of a preset in one precision, compiled, on one batch."""

    def __init__(self, method, preset, precision, batch):
        keras.config.set_dtype_policy(precision)
        self.model = METHODS[method].from_preset(preset)
        keras.config.set_dtype_policy("float32")
        self._step = tf.function(self.model.train_step).get_concrete_function(batch)
        self._batch = batch

    def __call__(self):
        # Reading a result waits for all of it.
        return float(self._step(self._batch)["loss"])

    def flop(self):
        """Multiplications and additions of its convolutions and matrix products."""
        return sum(operation_flop(operation) for operation in self._step.graph.get_operations())


def operation_flop(operation):
    """FLOP of one convolution, its gradients or a matrix product; 0 of all else."""
    if operation.type == "MatMul":
        inner = operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return 2 * inner * operation.outputs[0].shape.num_elements()
    if operation.type == "Conv2D":
        positions, kernel = operation.outputs[0].shape, operation.inputs[1].shape
    elif operation.type == "Conv2DBackpropInput":
        positions, kernel = operation.inputs[2].shape, operation.inputs[1].shape
    elif operation.type == "Conv2DBackpropFilter":
        positions, kernel = operation.inputs[2].shape, operation.outputs[0].shape
    else:
        return 0
    return 2 * positions.num_elements() * kernel[:3].num_elements()


def matrix_peak(dtype):
    """FLOP/s of a large matrix product, the best of ten."""
    matrix = tf.cast(tf.random.normal((MATRIX_SIDE, MATRIX_SIDE)), dtype)
    product = tf.function(lambda: tf.matmul(matrix, matrix)[0, 0])
    product()
    best = min(seconds(lambda: product().numpy()) for _ in range(10))
    return 2 * MATRIX_SIDE**3 / best


def shares(step):
    """Share of the operations' time by network, losses and optimizer."""
    # Where TensorFlow keeps the format of what its profiler writes.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            step()
        space = xplane_pb2.XSpace()
        (trace,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(trace.read_bytes())
    names = [n.name for n in (*step.model.generator_networks, step.model.discriminator)]
    found = collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name, colon, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if colon and "::" not in name + colon + kind and " " not in kind:
                    found[part(name, kind, names)] += event.duration_ps
    total = sum(found.values())
    return {name: time / total for name, time in found.most_common()}


def part(name, kind, networks):
    """Which part of the step an operation belongs to."""
    for network in networks:
        if re.search(rf"(^|/){network}(_\d+)?/", name):
            return network
    # Both updates, the clipping of their gradients and the sums over passes.
    if kind in ("ResourceApplyAdam", "L2Loss", "AddN", "_MklAddN") or "dam" in name:
        return "optimizers"
    return "losses and the rest"


def noise(batch_size, image_size):
    random = np.random.default_rng(0)
    a, b = (
        random.integers(0, 256, (4 * batch_size, image_size, image_size, 3), np.uint8) for _ in "ab"
    )
    return TwoDomains(ImageArray(a), ImageArray(b), image_size)


def pipeline_seconds(domains, batch_size, turns):
    """Median seconds per batch of the input pipeline alone."""
    batches = iter(domains.batches(batch_size, flip=True))
    return in_turns({"batch": lambda: next(batches)}, max(20, 5 * turns))["batch"]


def published_step(image_size, a, b):
    """The published code's training step in PyTorch, from this project's tests."""
    import torch

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    from tests.interop import torch_common, torch_mbu

    networks = torch_mbu.networks(image_size)
    adams = torch_common.optimizers(networks)
    a, b = (torch.tensor(np.moveaxis(x.numpy(), -1, 1)) for x in (a, b))
    weights = {"gama": 5, "delta": 7, "beta1": 0, "beta2": 0.001}
    weights |= {"alpha1": 0.7, "alpha2": 0.7, "discweight": 0.005}
    # A is the domain with the content there.
    return lambda: torch_common.train_step(torch_mbu, networks, adams, b, a, weights)


def main():
    options = arguments()
    recipe = METHODS[options.method].presets[options.preset]
    size = recipe["architecture"]["image_size"]
    batch_size = options.batch_size or recipe["training"]["batch_size"]
    domains = load_source(options.data, "train", size) if options.data else noise(batch_size, size)
    batch = next(iter(domains.batches(batch_size)))

    steps = {
        precision: Step(options.method, options.preset, precision, batch)
        for precision in options.precisions
    }
    calls = dict(steps)
    if options.published:
        calls["published code, PyTorch"] = published_step(size, *batch)
    times = in_turns(calls, options.turns)
    images = np.concatenate([x.numpy() for x in batch])
    inference = in_turns(
        {
            precision: lambda step=step: step.model.predict(
                (images, images), batch_size=batch_size, verbose=0
            )
            for precision, step in steps.items()
        },
        options.turns,
    )
    pipeline = pipeline_seconds(domains, batch_size, options.turns)

    figures = {"preset": options.preset, "batch_size": batch_size, "image_size": size, "steps": {}}
    print(f"{options.method}, {options.preset}: {size} px, {batch_size} images of each domain")
    for name, time_taken in times.items():
        figures["steps"][name] = row = {
            "seconds": time_taken,
            "images_per_second": 2 * batch_size / time_taken,
        }
        text = f"{name}: {time_taken:.3f} s a step, {row['images_per_second']:.1f} images/s"
        if name in steps:
            peak = matrix_peak(COMPUTES_IN[name])
            row |= {
                "flop": steps[name].flop(),
                "flop_per_second": steps[name].flop() / time_taken,
                "matrix_flop_per_second": peak,
                "inference_images_per_second": 2 * batch_size / inference[name],
                "shares": shares(steps[name]),
            }
            text += (
                f", {row['flop'] / 1e9:.0f} GFLOP, {row['flop_per_second'] / 1e9:.0f} GFLOP/s "
                f"({row['flop_per_second'] / peak:.0%} of a matrix product's {peak / 1e9:.0f}); "
                f"inference {row['inference_images_per_second']:.1f} images/s"
            )
        print(text)
        for part_name, share in row.get("shares", {}).items():
            print(f"    {share:6.1%}  {part_name}")
    figures["pipeline_seconds"] = pipeline
    fastest = min(times[name] for name in steps)
    print(
        f"input pipeline alone: {pipeline:.4f} s a batch, "
        f"{2 * batch_size / pipeline:.0f} images/s, "
        f"{fastest / pipeline:.1f} times what the fastest step eats"
    )
    if options.output:
        write_json(options.output, figures)
        print(json.dumps({"written": str(options.output)}))


if __name__ == "__main__":
    main()
