"""Fixtures that many tests share."""

import gc
import inspect
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:
    # As many processes as cores: threads of one would wait for those of the others.
    for threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")

import numpy as np
import pytest

QUICK = "not slow"  # As in pyproject.toml.


def pytest_configure(config):
    """A test that is named runs, though it be slow."""
    gc.set_threshold(50_000, 20, 50)  # Models are made of many objects; few of them are garbage.
    if config.option.markexpr == QUICK and any("::" in x for x in config.args):
        config.option.markexpr = ""


@pytest.fixture(autouse=True)
def default_precision():
    """What a test sets as Keras's dtype policy does not outlive it."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


def _eagerly():
    """TensorFlow runs operation by operation: of few steps, quicker than tracing one."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


eagerly = pytest.fixture(_eagerly)
# For a whole file, and so for what its tests share.
all_eagerly = pytest.fixture(_eagerly, scope="module")


def fitting(method, **arguments):
    """Those of `arguments` that the constructor of `method` has; and no chance in its steps."""
    known = set(inspect.signature(method.__init__).parameters)
    return {name: x for name, x in {"dropout": 0.0, **arguments}.items() if name in known}


@pytest.fixture(scope="session")
def tiny_model():
    """A model of 32 px, untrained, but with masks of all values that follow the images."""
    import keras

    from mbu_tf.models.content_transfer import MaskedContentTransfer

    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(image_size=32, depth=4, width=0.03, separate_channels=2)
    model.compile()
    for weight in model.generator_variables:
        if weight.name == "kernel":
            weight.assign(2.5 * weight)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    model.mask_threshold = np.median(model.segment(image))
    return model


@pytest.fixture(scope="session")
def model_file(tiny_model, tmp_path_factory):
    """`tiny_model` as a file."""
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    tiny_model.save(path)
    return path


@pytest.fixture(scope="session")
def tiny_fader():
    """Fader Networks of 32 px, untrained, whose pictures follow the attribute."""
    import keras

    from mbu_tf.models.fader_networks import FaderNetworks

    keras.utils.set_random_seed(0)
    model = FaderNetworks(image_size=32, depth=4, width=0.03)
    model.compile()
    return model


@pytest.fixture(scope="session")
def fader_file(tiny_fader, tmp_path_factory):
    """`tiny_fader` as a file."""
    path = tmp_path_factory.mktemp("fader") / "fader.keras"
    tiny_fader.save(path)
    return path
