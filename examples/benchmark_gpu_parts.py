"""What benchmark_gpu.py measures, each part in a process of its own.

    python examples/benchmark_gpu_parts.py '{"kind": "devices"}' figures.json

A part is a dict of its `kind`, a function here that makes figures of it, and of what that needs.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import resource
import statistics
import sys
import time

from mbu_tf.system.files import write_json

# Where there is no TensorFlow, JAX does it all.
BACKEND = "tensorflow" if importlib.util.find_spec("tensorflow") else "jax"
os.environ.setdefault("KERAS_BACKEND", BACKEND)

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
    """FLOP of a step for one image of each domain, counted in TensorFlow's graph of it.

    Where there is no TensorFlow, JAX's account of its program, which counts more than products
    (1 % more).
    """
    model = _model(part, "float32")
    if not importlib.util.find_spec("tensorflow"):
        return {"flop": _jax_flop(model) / 2}
    import tensorflow as tf
    from benchmark_training import operation_flop

    batch = tuple(tf.constant(x) for x in _noise(2, model.image_size))
    graph = tf.function(model.train_step).get_concrete_function(batch).graph
    return {"flop": sum(map(operation_flop, graph.get_operations())) / 2}


def _jax_flop(model):
    import jax

    batch = _noise(2, model.image_size)
    model._symbolic_build(data_batch=batch)
    groups = (model.trainable_variables, model.non_trainable_variables)
    groups += (model.optimizer.variables, model.metrics_variables)
    state = tuple([v.value for v in group] for group in groups)
    return jax.jit(model.train_step).lower(state, batch).cost_analysis()["flops"]


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
    model = _model(part, part["precision"])
    model.compile(jit_compile=part["xla"])
    noise = _noise(part["batch"], model.image_size)

    def run(steps):
        model.fit(_batches(lambda step: noise, steps), shuffle=False, verbose=0)

    return _timed(part, run, _keras_memory)


def training(part):
    """What a preset reaches in so many steps on a packed data set, and how long that took.

    The state is kept in `folder` when the process is asked to end, and it goes on from there.
    """
    import keras
    import numpy as np

    from mbu_tf.callbacks import Backup
    from mbu_tf.data.stream import Stream
    from mbu_tf.evaluation import evaluate_against_truth

    keras.utils.set_random_seed(0)
    domains, held_out = unpacked(part["data"])
    model = _model({**part, "image_size": domains.image_size}, part["precision"], part["steps"])
    settings = {name: x for name, x in part.items() if name not in ("data", "folder")}
    backup = Backup(part["folder"], settings=settings)
    recipe = model.recipe(part["preset"])["training"]
    size, flip = recipe["batch_size"], recipe["flip"]
    sides = domains.a, domains.b
    rows = np.arange(size)
    streams = [
        Stream(len(images), size, [0, i], flip, augment=False, rows=rows)
        for i, images in enumerate(sides)
    ]
    done = backup.step

    def load(step):
        return tuple(x.load(images, done + step) for x, images in zip(streams, sides, strict=True))

    epochs = min(10, part["steps"])
    with backup.on_signals():
        model.fit(
            _batches(load, part["steps"]),
            shuffle=False,
            steps_per_epoch=part["steps"] // epochs,
            epochs=epochs,
            verbose=2,
            callbacks=[backup],
        )
    model.calibrate(*domains.arrays(256))
    return {"seconds": backup.seconds, "truth": evaluate_against_truth(model, held_out)}


TRUTH = ("a", "b", "b_mask", "b_without", "a_with", "a_with_next")


def pack(source, path, size):
    """Write the images of a source, and its test split with the truth, as one file of arrays."""
    import numpy as np

    from mbu_tf import load_source
    from mbu_tf.system.files import replacing

    arrays = {}
    for split, names in (("train", ("a", "b")), ("test", TRUTH)):
        domains = load_source(source, split, image_size=size)
        for name in names:
            images = getattr(domains, name)
            arrays[f"{split}_{name}"] = images.take(np.arange(len(images)))
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)


def unpacked(path):
    """`(domains, held_out)` of such a file."""
    import numpy as np

    from mbu_tf.data.domains import ImageArray, TwoDomains

    with np.load(path) as file:
        found = [
            {name: ImageArray(file[f"{split}_{name}"]) for name in names}
            for split, names in (("train", ("a", "b")), ("test", TRUTH))
        ]
    return [TwoDomains(**x, image_size=x["a"].take([0]).shape[1]) for x in found]


def _batches(load, steps):
    """`load(step)` for so many steps, for Keras under any backend."""
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return steps

        def __getitem__(self, step):
            return load(step)

    # A thread prepares the next ones meanwhile.
    return Batches(workers=2, max_queue_size=4)


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


def _model(part, precision, steps=None):
    import keras

    from mbu_tf import MaskedContentTransfer

    keras.config.set_dtype_policy(precision)
    sizes = {name: part[name] for name in ("image_size", "width") if part.get(name)}
    return MaskedContentTransfer.from_preset(part["preset"], steps, **sizes)


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


KINDS = {kind.__name__: kind for kind in (devices, flop, peak, step, torch, training)}


if __name__ == "__main__":
    part = json.loads(sys.argv[1])
    write_json(sys.argv[2], KINDS[part["kind"]](part))
