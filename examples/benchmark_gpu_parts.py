"""What benchmark_gpu.py measures, each part in a process of its own.

    python examples/benchmark_gpu_parts.py '{"kind": "devices"}' figures.json

A part is a dict of its `kind`, a function here that makes figures of it, and of what that needs.
"""

import contextlib
import json
import pathlib
import resource
import statistics
import sys
import time

from mbu_tf.system.files import write_json

PRECISIONS = {"float32": "float32", "mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


def devices(part):
    """What each framework that is installed computes on: a GPU's name, or `cpu`."""
    found = {}
    with contextlib.suppress(ImportError):
        import jax

        device = jax.devices()[0]
        found["jax"] = device.platform if device.platform == "cpu" else device.device_kind
    with contextlib.suppress(ImportError):
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        found["tensorflow"] = details.get("device_name", "GPU") if gpus else "cpu"
    with contextlib.suppress(ImportError):
        import torch

        found["torch"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return found


def flop(part):
    """FLOP of a step for one image of each domain, counted in TensorFlow's graph of it."""
    import tensorflow as tf
    from benchmark_training import operation_flop

    model = _model(part, "float32")
    batch = tuple(tf.constant(x) for x in _noise(2, model.image_size))
    graph = tf.function(model.train_step).get_concrete_function(batch).graph
    return {"flop": sum(map(operation_flop, graph.get_operations())) / 2}


def peak(part):
    """FLOP/s of a large matrix product, the best of ten."""
    side, dtype = part["side"], PRECISIONS[part["precision"]]
    if part["backend"] == "jax":
        import jax

        matrix = jax.random.normal(jax.random.key(0), (side, side)).astype(dtype)
        product = jax.jit(lambda x: (x @ x)[0, 0])
    else:
        import tensorflow as tf

        matrix = tf.cast(tf.random.normal((side, side)), dtype)
        product = tf.function(lambda x: tf.matmul(x, x)[0, 0])
    float(product(matrix))
    best = min(_seconds(lambda: float(product(matrix))) for _ in range(10))
    return {"flop_per_second": 2 * side**3 / best}


def step(part):
    """Seconds of a training step, of the first ones with their compiling, and peak memory."""
    import tensorflow as tf

    model = _model(part, part["precision"])
    model.compile(jit_compile=part["xla"])
    batches = tf.data.Dataset.from_tensors(_noise(part["batch"], model.image_size)).repeat()

    def run(steps):
        model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)

    return _timed(part, run, _keras_memory)


def torch(part):
    """The same of the published code's step in PyTorch, from this project's tests."""
    import torch

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    from tests.interop import torch_common, torch_mbu

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    narrow = getattr(torch, PRECISIONS[part["precision"]])

    class Narrow(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, x):
            with torch.autocast(device.type, narrow, enabled=narrow != torch.float32):
                return self.network(x).float()

    size = part["image_size"]
    networks = {n: Narrow(x).to(device) for n, x in torch_mbu.networks(size).items()}
    adams = torch_common.optimizers(networks)
    if part["way"] == "compiled":
        networks = {name: torch.compile(network) for name, network in networks.items()}
    a, b = (torch.tensor(x.transpose(0, 3, 1, 2).copy()) for x in _noise(part["batch"], size))
    a, b = a.to(device), b.to(device)
    weights = {"gama": 5, "delta": 7, "beta1": 0, "beta2": 0.001}
    weights |= {"alpha1": 0.7, "alpha2": 0.7, "discweight": 0.005}

    def run(steps):
        for _ in range(steps):
            # A is the domain with the content there.
            torch_common.train_step(torch_mbu, networks, adams, b, a, weights)

    def memory():
        return torch.cuda.max_memory_allocated() if device.type == "cuda" else _resident()

    return _timed(part, run, memory)


def _timed(part, run, memory):
    first = _seconds(lambda: run(2))
    turns = [_seconds(lambda: run(part["steps"])) / part["steps"] for _ in range(part["turns"])]
    return {"seconds": statistics.median(turns), "first_seconds": first, "memory": memory()}


def _model(part, precision):
    import keras

    from mbu_tf import MaskedContentTransfer

    keras.config.set_dtype_policy(precision)
    sizes = {name: part[name] for name in ("image_size", "width") if part.get(name)}
    return MaskedContentTransfer.from_preset(part["preset"], **sizes)


def _noise(count, size):
    import numpy as np

    shape = (2, count, size, size, 3)
    return tuple(np.random.default_rng(0).uniform(-1, 1, shape).astype("float32"))


def _keras_memory():
    """Peak bytes on the device; on a CPU those of the process."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        found = jax.devices()[0].memory_stats()
        return found["peak_bytes_in_use"] if found else _resident()
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return _resident()


def _resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


KINDS = {kind.__name__: kind for kind in (devices, flop, peak, step, torch)}


if __name__ == "__main__":
    part = json.loads(sys.argv[1])
    write_json(sys.argv[2], KINDS[part["kind"]](part))
