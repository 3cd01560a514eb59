"""The parity fixtures: numbers of the published PyTorch code on weights and images made by rule.

`compact/` holds them, and its README.md says what they are. The whole ones, with more
pixels, are where `MBU_TF_PARITY_DIR` says, else in `../shared/parity` beside the
repository. The seed is theirs.
"""

import os
import pathlib
import zlib

import numpy as np

from tests.parity.compact import COMPACT, read

WHOLE = pathlib.Path(
    os.environ.get("MBU_TF_PARITY_DIR", pathlib.Path(__file__).parents[3] / "shared" / "parity")
)
# Our loss terms in the fixtures' names, and the names of their weights where they are not 1.
TERMS = {
    "mbu": {
        "recon1_a": "recon1_b",
        "recon1_b": "recon1_a",
        "cycle_common": "cycle_common",
        "cycle_separate": "cycle_separate",
        "recon2_a": "recon2_b",
        "recon2_b": "recon2_a",
    },
    "cd": {"recon_a": "recon_b", "recon_b": "recon_a"},
    "didd": {
        "recon_a": "recon_a",
        "recon_b": "recon_b",
        "zero_a": "zero_A_of_b",
        "zero_b": "zero_B_of_a",
    },
}
WEIGHTS = {
    "mbu": {
        "recon1_a": "delta",
        "recon1_b": "gama",
        "cycle_common": "beta1",
        "cycle_separate": "beta2",
        "recon2_a": "alpha2",
        "recon2_b": "alpha1",
        "confusion": "discweight",
    },
    "cd": {"confusion": "discweight"},
    "didd": {
        "recon_a": "reconweight",
        "recon_b": "reconweight",
        "zero_a": "zeroweight",
        "zero_b": "zeroweight",
        "confusion": "discweight",
    },
}
# Whose A is our B.
SWAPPED = ("mbu", "cd")
# What our model needs to compute as a variant of a run did.
VARIANTS = {
    None: {},
    "per_call": {"spectral_gradient": "own_pass"},
    "as_executed": {"spectral_gradient": "last_pass"},
}


class Fixtures:
    """One implementation's numbers, e.g. `Fixtures("mbu")`, in one variant of its training."""

    def __init__(self, implementation, variant=None, folder=COMPACT):
        self.numbers, self.arrays = read(folder, implementation)
        self.implementation, self.variant = implementation, variant
        self.seed = self.numbers["seed"]
        self.terms = TERMS[implementation]
        self.arguments = VARIANTS[variant]

    def training(self, size, dtype):
        """The recorded run: `steps`, `after`."""
        runs = self.numbers[f"train{size}"]
        return (runs[self.variant] if self.variant else runs)[dtype]

    def steps(self, size, dtype):
        """The recorded steps, their loss terms in our names."""
        return [
            {
                **step,
                **{ours: step[theirs] for ours, theirs in self.terms.items()},
                "confusion": step["confusion_a"] + step["confusion_b"],
            }
            for step in self.training(size, dtype)["steps"]
        ]

    def images(self, use, size, step=1):
        """Images `(a, b)` in our letters, `(4, size, size, 3)`: for "eval", or a step's."""
        batches = self.numbers["batch_index"][f"{use}{size}"]
        if use == "train":
            batches = batches[(step - 1) % len(batches)]
        published = tuple(self._batch(i, size) for i in batches)
        return published[::-1] if self.implementation in SWAPPED else published

    def _batch(self, number, size):
        rng = np.random.default_rng([self.seed, 1000 + number])
        images = rng.uniform(-1, 1, size=(4, 3, size, size)).astype(np.float32)
        return images.transpose(0, 2, 3, 1)

    def tensor(self, name, size):
        """A tensor of the starting state by the README's rule."""
        others = self.numbers.get(f"tensors_with_other_shape_at_{size}", {})
        entries = {**self.numbers["tensors"], **others}
        entry, key = entries[name], name.rsplit(".", 1)[1]
        if key == "num_batches_tracked":
            return np.zeros((), np.int64)
        shape = entry["shape"]
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode("ascii"))])
        n = rng.standard_normal(tuple(shape))
        if key == "running_mean":
            n *= 0.1
        elif key == "running_var":
            n = 0.3 + 0.1 * np.abs(n)
        elif key == "bias":
            n *= 0.1 if entry["is_norm"] else 0.05
        elif key in ("weight_u", "weight_v"):
            n /= np.sqrt(np.sum(n * n))
        elif entry["is_norm"]:
            n = 1.0 + 0.1 * n
        elif len(shape) == 2:
            n *= np.sqrt(3.0 / shape[1])
        elif entry["is_transposed"]:
            n *= np.sqrt((2.0 if shape[1] <= 4 else 1.0) / (shape[0] * 4))
        else:
            n *= np.sqrt(1.0 / (shape[1] * 16))
        return n.astype(np.float32)

    def checkpoint(self, size):
        """The starting state as a checkpoint of the published code, in NumPy."""
        modules = {}
        for name in self.numbers["tensors"]:
            module, key = name.split(".", 1)
            modules.setdefault(module, {})[key] = self.tensor(name, size)
        counts = {key: self._parameters(modules[key]) for key in modules}
        generator = sum(n for key, n in counts.items() if key != "disc")
        return {
            **modules,
            "ae_opt": self._adam(self.numbers["lr"], generator),
            "disc_opt": self._adam(self.numbers["disclr"], counts["disc"]),
            "iters": 0,
        }

    @staticmethod
    def _parameters(module):
        buffers = ("running_mean", "running_var", "num_batches_tracked")
        return sum(not name.endswith(buffers) for name in module)

    def _adam(self, rate, parameters):
        return {
            "state": {},
            "param_groups": [
                {
                    "lr": rate,
                    "betas": tuple(self.numbers["betas"]),
                    "eps": self.numbers["adam_eps"],
                    "params": list(range(parameters)),
                }
            ],
        }

    def loss_weights(self):
        """The weights of the training runs in our names."""
        weights = self.numbers["weights"]
        return {ours: weights[theirs] for ours, theirs in WEIGHTS[self.implementation].items()}
