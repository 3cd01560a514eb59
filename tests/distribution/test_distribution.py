"""Two devices, and two workers of which one dies, train what one device would."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import distributed_runs
import numpy as np
import pytest

pytestmark = pytest.mark.slow  # Processes that start TensorFlow, seven in all.
SCRIPT = pathlib.Path(distributed_runs.__file__)
DIED = 9


@pytest.fixture(scope="module")
def expected():
    """What one device comes to."""
    model = distributed_runs.build()
    data = distributed_runs.domains().batches(distributed_runs.BATCH, flip=True)
    return distributed_runs.state(model, distributed_runs.train(model, data))


def assert_the_same(path, expected):
    # Sums of float32 in another order: some units of the last place.
    found = np.load(path)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def start(*arguments, **environment):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    path = os.pathsep.join([str(SCRIPT.parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path, **environment})


def test_two_devices(tmp_path, expected):
    assert start("two", tmp_path / "two.npz").wait() == 0
    assert_the_same(tmp_path / "two.npz", expected)


def start_workers(folder, *dying):
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("localhost", 0))
        ports = [free.getsockname()[1] for free in (one, other)]
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    for i in range(2):
        place = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}})
        yield start("worker", folder / f"{i}.npz", *(dying if i else ()), TF_CONFIG=place)


def test_two_workers_go_on_after_one_has_died(tmp_path, expected):
    chief, worker = start_workers(tmp_path, distributed_runs.STEPS - 1)
    assert worker.wait() == DIED
    chief.kill()  # It waits for the other, and then ends with an error.
    chief.wait()
    assert (tmp_path / "backup").is_dir() and not list(tmp_path.glob("*.npz"))
    for again in list(start_workers(tmp_path)):
        assert again.wait() == 0
    for i in range(2):
        assert_the_same(tmp_path / f"{i}.npz", expected)
