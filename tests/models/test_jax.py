"""The same step under JAX as under TensorFlow, and models that go from one to the other."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.exporting import export_saved_model
from mbu_tf.models.loading import load_model
from mbu_tf.models.methods import METHODS
from mbu_tf.optimizers import FusedAdam, PyTorchAdam
from tests.conftest import fitting

pytestmark = [
    pytest.mark.slow,  # JAX compiles.
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax"),
]
TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}
# Compiling is what takes time, not running.
XLA_FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
OPTIMIZERS = ("optimizer", "discriminator_optimizer")


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")


def stepped(name, policy, batch):
    """A model with both optimizers' state, after one step here."""
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = METHODS[name](**fitting(METHODS[name], **TINY))
    decay = keras.optimizers.schedules.CosineDecay(1e-2, 10)
    model.compile(FusedAdam(decay, beta_1=0.5), PyTorchAdam(1e-2, beta_1=0.5))
    model.train_step(tuple(batch))
    return model


@pytest.fixture(scope="module")
def jax_side(batch, tmp_path_factory):
    """The folder in which jax_side.py has found what it finds, and its figures."""
    folder = tmp_path_factory.mktemp("jax")
    np.savez(folder / "batch.npz", a=batch[0], b=batch[1])
    for name in METHODS:
        stepped(name, "float64", batch).save(folder / f"{name}-float64.keras")
    steered = stepped("mbu", "float64", batch)
    weights = steered.recipe("auto")["compile"]["loss_weights"]
    steered.compile(loss_weights=weights)
    steered.save(folder / "steered-float64.keras")
    stepped("mbu", "float32", batch).save(folder / "mbu-float32.keras")
    keras.config.set_dtype_policy("float32")
    root = pathlib.Path(__file__).parents[2]
    environment = {
        "KERAS_BACKEND": "jax",
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": XLA_FLAGS,
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(
        [sys.executable, root / "tests/models/jax_side.py", folder],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads((folder / "found.json").read_text())


def variables(model):
    """Weights and both optimizers' state, but for biases ahead of a normalisation.

    Their gradients are zeros but for rounding, of which Adam makes steps.
    """
    weights = [v for v in model.weights if not v.path.endswith("conv/bias")]
    steered = model.steering.variables if model.steering else []
    return [*weights, *steered, *(v for x in OPTIMIZERS for v in getattr(model, x).variables)]


@pytest.mark.parametrize("name", [*METHODS, "steered"])
def test_a_step_in_float64_is_the_same(name, jax_side, batch):
    folder, found = jax_side
    keras.config.set_dtype_policy("float64")
    here = load_model(folder / f"{name}-float64.keras")
    logs = here.train_step(tuple(batch))
    there = found[f"{name}-float64"]
    # Under JAX Keras's own means are taken in float32, and so are their gradients' factors.
    assert there["compiled"] and set(there["logs"]) == set(logs)
    for key, value in logs.items():
        # Of a contrast near 1, what is above 1 steers: few digits of it are left.
        rtol = 1e-4 if key.startswith("weight_") else 2e-6
        np.testing.assert_allclose(there["logs"][key], value, rtol=rtol, err_msg=key)
    # Weights, running statistics, singular vectors, moments and counts.
    trained = load_model(folder / f"{name}-float64-trained.keras")
    atol = 2e-6 if here.steering else 2e-7
    assert trained.optimizer.iterations == trained.discriminator_optimizer.iterations == 2
    for v, w in zip(variables(here), variables(trained), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-6, atol=atol, err_msg=v.path)
    # And it goes on here as if it had always been here.
    for model in (here, trained):
        logs = model.train_step(tuple(batch))
        assert logs["skipped_steps"] == 0
    for v, w in zip(variables(here), variables(trained), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-6, atol=atol, err_msg=v.path)


def test_inference_and_evaluation_agree_in_float32(jax_side, batch):
    folder, found = jax_side
    a, b = batch
    model = load_model(folder / "mbu-float32.keras")
    results = {
        "transfer": model.transfer(a, b).image,
        "removed": model.remove(b, 0.5).image,
        "mask": model.segment(b),
        "interpolated": model.interpolate(a[:1], b[:1], b[1:2], steps=3).image,
        "predicted": model.transfer(a, b).image,
    }
    there = np.load(folder / "inference.npz")
    assert set(there) == set(results)
    for name, result in results.items():
        np.testing.assert_allclose(there[name], result, atol=2e-5, err_msg=name)
    assert found["threshold"] == pytest.approx(model.find_mask_threshold(b), rel=0.05)
    for name, value in model.test_step((a, b)).items():
        assert found["evaluated"][name] == pytest.approx(float(value), rel=1e-4), name


def test_what_was_trained_there_exports_here(jax_side, batch, tmp_path):
    folder, _ = jax_side
    version = export_saved_model(load_model(folder / "mbu-float32-trained.keras"), tmp_path)
    transfer = tf.saved_model.load(version).signatures["transfer"]
    target, reference = (tf.constant((x + 1.0) / 2.0) for x in batch)
    exported = transfer(target=target, reference=reference)
    there = np.load(folder / "trained.npz")
    np.testing.assert_allclose(exported["image"], (there["image"] + 1.0) / 2.0, atol=2e-5)
    np.testing.assert_allclose(exported["mask"], there["mask"], atol=2e-5)


def test_steps_that_are_not_finite_are_skipped_and_counted(jax_side):
    _, found = jax_side
    assert found["backend"] == "jax"
    assert found["skipped"] == [1, 1] and found["iterations"] == [3, 3] and found["finite"]
    scales = found["overflow"].pop("scales")
    assert found["overflow"] == {"skipped": 1, "moved": 0}
    assert scales == [2.0**15, pytest.approx(0.5e38)]


def test_a_collapsed_training_goes_back(jax_side):
    _, found = jax_side
    assert found["restarts"] == [2, 2] and found["recon2"][1] == pytest.approx(
        found["recon2"][0] / 4, rel=0.1
    )
    assert len(found["gone_back"]) == 2 and "goes back" in found["gone_back"][0]


def test_learning_rates_share_no_buffer_that_a_second_fit_would_donate_twice(jax_side):
    _, found = jax_side
    assert found["buffers"] == [5, 5]


def test_what_needs_tensorflow_says_so(jax_side):
    _, found = jax_side
    assert "KERAS_BACKEND=tensorflow" in found["exporting"]
    assert "spectral_gradient='last_pass'" in found["last_pass"]


WITHOUT_TENSORFLOW = """
import sys

sys.modules["tensorflow"] = None  # As where it is not installed.

import keras
import numpy as np

from mbu_tf import MaskedContentTransfer


class Noise(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, step):
        return tuple(np.random.default_rng(step).uniform(-1, 1, (2, 2, 8, 8, 3)).astype("float32"))


model = MaskedContentTransfer(image_size=8, width=0.02, separate_channels=1)
model.compile()
history = model.fit(Noise(), verbose=0)
assert np.isfinite(history.history["loss"]).all()
try:
    model.fit([np.zeros((2, 9, 9, 3), "float32")] * 2)
except ValueError as error:
    assert "Received" in str(error)
else:
    raise AssertionError("trained on images of another size")
"""


def test_it_trains_where_there_is_no_tensorflow():
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": XLA_FLAGS}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
