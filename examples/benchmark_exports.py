"""Size, loading time, latency and accuracy of every export of a model, side by side.

    mbu-tf demo --output demo
    pip install 'mbu_tf[serving,onnx]' ai-edge-litert onnxruntime
    python examples/benchmark_exports.py demo/model.keras --data avatars:glasses --output exports

Latency is the median of `transfer` at batch 1. Every figure of time is taken in
processes of its own, with 1 and with 2 threads, round after round, and the best
round counts, since other work only ever slows. Accuracy is against the Keras
model, on test images; int8 is calibrated on training images.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

CALIBRATION, TEST = 100, 100
ROUNDS, CALLS, WARM_UP = 4, 100, 20


def saved_model(path, threads=None):
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    start = time.perf_counter()
    signatures = tf.saved_model.load(str(path)).signatures
    seconds = time.perf_counter() - start

    def call(name, inputs):
        got = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        return {k: v.numpy() for k, v in got.items()}

    return seconds, call


def tflite(path, threads=None):
    from ai_edge_litert.interpreter import Interpreter

    start = time.perf_counter()
    interpreter = Interpreter(str(path), num_threads=threads)
    runners = {x: interpreter.get_signature_runner(x) for x in interpreter.get_signature_list()}
    seconds = time.perf_counter() - start
    return seconds, lambda name, inputs: runners[name](**inputs)


def onnx(path, threads=None):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    start = time.perf_counter()
    sessions = {
        x.stem: onnxruntime.InferenceSession(x, options, providers=["CPUExecutionProvider"])
        for x in sorted(path.glob("*.onnx"))
    }
    seconds = time.perf_counter() - start

    def call(name, inputs):
        names = [x.name for x in sessions[name].get_outputs()]
        return dict(zip(names, sessions[name].run(names, inputs), strict=True))

    return seconds, call


# Row of the table: file or folder, how it is run.
ROWS = {
    "SavedModel": ("saved_model/1", saved_model),
    "TFLite float32": ("float32.tflite", tflite),
    "TFLite float16": ("float16.tflite", tflite),
    "TFLite dynamic": ("dynamic.tflite", tflite),
    "TFLite int8": ("int8.tflite", tflite),
    "ONNX": ("onnx", onnx),
}


def export(model, train, folder):
    from mbu_tf.exporting import export_onnx, export_saved_model, export_tflite

    if not (folder / "saved_model").exists():
        export_saved_model(model, folder / "saved_model")
    representative = [x.take(range(min(CALIBRATION, len(x)))) for x in (train.a, train.b)]
    for quantization in (None, "float16", "dynamic", "int8"):
        images = representative if quantization == "int8" else None
        name = f"{quantization or 'float32'}.tflite"
        export_tflite(model, folder / name, quantization, images)
    export_onnx(model, folder / "onnx")


def size(path):
    files = [path] if path.is_file() else [x for x in path.rglob("*") if x.is_file()]
    return sum(x.stat().st_size for x in files) / 1e6


def measure(row, folder, threads):
    """Seconds to load and to call, in this process."""
    path, load = ROWS[row]
    images = np.load(folder / "test.npz")
    loading, call = load(folder / path, threads)
    times = []
    for step in range(WARM_UP + CALLS):
        i = step % len(images["a"])
        inputs = {"target": images["a"][i : i + 1], "reference": images["b"][i : i + 1]}
        start = time.perf_counter()
        call("transfer", inputs)
        times.append(time.perf_counter() - start)
    return {"load": loading, "call": float(np.median(times[WARM_UP:]))}


def measured(row, folder, threads):
    """`measure` in a process of its own, which alone sets a number of threads for good."""
    command = [sys.executable, __file__, "--measure", row, str(threads), "--output", str(folder)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def answers(call, images):
    rows = []
    for a, b in zip(images["a"], images["b"], strict=True):
        transferred = call("transfer", {"target": a[None], "reference": b[None]})
        segmented = call("segment", {"image": b[None]})
        rows.append({**{k: v[0] for k, v in transferred.items()}, "binary": segmented["binary"][0]})
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def keras_answers(model, images):
    a, b = (2.0 * images[key] - 1.0 for key in "ab")
    edit = model.transfer(a, b)
    return {
        "image": (edit.image + 1) / 2,
        "mask": edit.mask,
        "binary": model.segment(b, "stored"),
    }


def accuracy(got, wanted, truth):
    from mbu_tf.evaluation.segmentation import mask_iou

    row = {key: float(np.abs(got[key] - wanted[key]).mean()) for key in ("image", "mask")}
    row["iou"] = float(mask_iou(got["binary"] > 0, wanted["binary"] > 0).mean())
    if truth is not None:
        row["truth"] = float(mask_iou(got["binary"] > 0, truth).mean())
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", help="a trained .keras file")
    parser.add_argument("--data", default="avatars:glasses", help="what it was trained on")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder for the exports")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        row, threads = arguments.measure
        print(json.dumps(measure(row, arguments.output, int(threads))))
        return
    from mbu_tf import load_model, load_source

    model = load_model(arguments.model)
    train, test = (load_source(arguments.data, x, model.image_size) for x in ("train", "test"))
    arguments.output.mkdir(parents=True, exist_ok=True)
    export(model, train, arguments.output)
    count = min(TEST, len(test.a), len(test.b))
    images = {k: x.take(range(count)) / np.float32(255) for k, x in (("a", test.a), ("b", test.b))}
    np.savez(arguments.output / "test.npz", **images)
    truth = None if test.b_mask is None else test.b_mask.take(range(count)) > 0
    wanted = keras_answers(model, images)

    times = best_times(arguments.output)
    print("| format | size | load | 1 thread | 2 threads | image | mask | IoU | IoU, truth |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(_line("Keras", [""] * 4, accuracy(wanted, wanted, truth)))
    for row, (path, load) in ROWS.items():
        _, call = load(arguments.output / path)
        cells = [f"{size(arguments.output / path):.1f} MB", *(f"{x:.1f} ms" for x in times[row])]
        print(_line(row, cells, accuracy(answers(call, images), wanted, truth)), flush=True)


def best_times(folder):
    """Row to milliseconds: to load, to call with 1 thread, with 2."""
    times = {row: np.full(3, np.inf) for row in ROWS}
    for _ in range(ROUNDS):
        for row in ROWS:
            one, two = (measured(row, folder, threads) for threads in (1, 2))
            now = 1e3 * np.array([min(one["load"], two["load"]), one["call"], two["call"]])
            times[row] = np.minimum(times[row], now)
    return times


def _line(name, cells, errors):
    cells = cells + [f"{errors['image']:.5f}", f"{errors['mask']:.5f}", f"{errors['iou']:.4f}"]
    return " | ".join([f"| {name}", *cells, f"{errors.get('truth', float('nan')):.4f} |"])


if __name__ == "__main__":
    main()
