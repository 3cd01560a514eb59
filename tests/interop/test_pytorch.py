"""Training that PyTorch begins and we continue, and the reverse; files there and back."""

import gc
import importlib

import keras
import numpy as np
import pytest

from mbu_tf.cli.main import main
from mbu_tf.interop import load_published, save_published, torch_files
from tests.interop.checkpoints import assert_same
from tests.parity.fixtures import SWAPPED, Fixtures
from tests.parity.run import model_at_start

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from tests.interop import torch_common  # noqa: E402

pytestmark = pytest.mark.slow  # Models of full size.

# Code: variant of its recorded run, pixels, steps of it that are made here.
CODES = {"mbu": (None, 64, 3), "cd": (None, 128, 2), "didd": ("per_call", 128, 2)}


@pytest.fixture(autouse=True)
def released():
    """Full-size models refer to themselves; without this they would pile up."""
    yield
    gc.collect()


class Case:
    """One code: its modules in PyTorch and what was recorded of it."""

    def __init__(self, name):
        variant, self.size, self.steps = CODES[name]
        self.code = importlib.import_module(f"tests.interop.torch_{name}")
        self.fixtures = Fixtures(name, variant)

    def recorded(self, step):
        return self.fixtures.steps(self.size, "float64")[step - 1]

    def batch(self, step):
        return self.fixtures.images("train", self.size, step)

    def published_step(self, step, modules, adams):
        """A step in PyTorch on the images recorded for it."""
        images = self.batch(step)
        if self.fixtures.implementation in SWAPPED:
            images = images[::-1]
        a, b = (torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).double() for x in images)
        weights = self.fixtures.numbers["weights"]
        return torch_common.train_step(self.code, modules, adams, a, b, weights)


@pytest.fixture
def case(request):
    return Case(request.param)


every_code = pytest.mark.parametrize("case", CODES, indirect=True)


@every_code
def test_we_continue_what_pytorch_began(case, tmp_path):
    modules = case.code.networks(case.size, torch.float64)
    for key, module in modules.items():
        start = case.fixtures.checkpoint(case.size)[key]
        module.load_state_dict({name: torch.from_numpy(np.array(x)) for name, x in start.items()})
    adams = torch_common.optimizers(modules)
    total = case.published_step(1, modules, adams)["gen_total"]
    np.testing.assert_allclose(total, case.recorded(1)["gen_total"], rtol=1e-9)
    torch.save(torch_common.state(modules, adams, 0), tmp_path / "checkpoint")

    keras.config.set_dtype_policy("float64")
    model = load_published(tmp_path / "checkpoint")
    model.compile(model.optimizer, model.discriminator_optimizer, case.fixtures.loss_weights())
    assert model.optimizer.iterations == model.discriminator_optimizer.iterations == 1
    for step in range(2, case.steps + 1):
        model.reset_metrics()
        logs = model.train_step(case.batch(step))
        theirs = case.recorded(step)
        np.testing.assert_allclose(logs["loss"], theirs["gen_total"], rtol=1e-6)
        np.testing.assert_allclose(logs["discriminator_loss"], theirs["disc_loss"], rtol=1e-6)


@every_code
def test_pytorch_continues_what_we_began(case, tmp_path):
    keras.config.set_dtype_policy("float64")
    model = model_at_start(case.fixtures, case.size)
    model.train_step(case.batch(1))
    save_published(model, tmp_path / "checkpoint")

    modules = case.code.networks(case.size, torch.float64)
    adams = torch_common.optimizers(modules)
    checkpoint = torch.load(tmp_path / "checkpoint", weights_only=True)
    assert torch_common.load(checkpoint, modules, adams) == 1
    for step in range(2, case.steps + 1):
        ours, theirs = case.published_step(step, modules, adams), case.recorded(step)
        for name in ("gen_total", "gen_grad_norm", "disc_loss"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, err_msg=name)
    after = case.fixtures.training(case.size, "float64")["after"].get(str(case.steps), {})
    counts = {name: x["value"] for name, x in after.items() if "value" in x}
    assert len(counts) == (22 if case.fixtures.implementation == "mbu" else 0)
    for name, count in counts.items():
        module, key = name.split(".", 1)
        assert modules[module].state_dict()[key] == count, name


@pytest.mark.parametrize("name", CODES)
def test_a_file_is_bit_identical_after_a_round_trip(name, tmp_path):
    _, size, _ = CODES[name]
    code = importlib.import_module(f"tests.interop.torch_{name}")
    torch.manual_seed(0)
    modules = code.networks(size)
    adams = torch_common.optimizers(modules)
    torch_common.train_step(code, modules, adams, *torch.rand(2, 2, 3, size, size), {})
    there, model, back = (tmp_path / name for name in ("there", "model.keras", "back"))
    torch.save(torch_common.state(modules, adams, 25_000), there)
    assert main(["convert", str(there), "--output", str(model)]) == 0
    assert main(["convert", str(model), "--output", str(back)]) == 0
    assert_same(torch_files.read(back), torch_files.read(there))
    modules = code.networks(size)
    adams = torch_common.optimizers(modules)
    checkpoint = torch.load(back, weights_only=True)
    assert torch_common.load(checkpoint, modules, adams) == 25_000
