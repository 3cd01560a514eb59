"""The published networks and their training step in PyTorch, as the fixtures' README words them.

Letters are the published ones: A is the domain with the content.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy, l1_loss, mse_loss

E1 = (3, 32, 64, 128, 256, 487, 487)
E2 = (3, 32, 64, 128, 128, 128, 25)
DECODER = (512, 512, 256, 128, 64, 32)


class Module(nn.Module):
    """A `Sequential` under the name that the published code gives it."""

    def __init__(self, name, layers):
        super().__init__()
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x):
        (sequence,) = self.children()
        return sequence(x)


def _blocks(kind, channels):
    layers = []
    for inputs, outputs in zip(channels, channels[1:], strict=False):
        layers += [kind(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    return layers


def networks(size, dtype=torch.float32):
    """The five networks of `size` pixels in training mode, by their published names."""
    up = nn.ConvTranspose2d
    inputs = E1[-1] * (size // 64) ** 2
    classify = [nn.Linear(inputs, 512), nn.LeakyReLU(0.2), nn.Linear(512, 1), nn.Sigmoid()]
    modules = {
        "e1": Module("full", _blocks(nn.Conv2d, E1)),
        "e2": Module("full", _blocks(nn.Conv2d, E2)),
        "d_a": Module("main", [*_blocks(up, DECODER), up(32, 3, 4, 2, 1), nn.Tanh()]),
        "d_b": Module("main", [*_blocks(up, DECODER), up(32, 4, 4, 2, 1)]),
        "disc": Module("classify", classify),
    }
    return {name: module.to(dtype) for name, module in modules.items()}


def optimizers(modules):
    """The two Adams, as the published code makes them."""
    generator = [p for key in ("e1", "e2", "d_a", "d_b") for p in modules[key].parameters()]
    options = {"lr": 2e-4, "betas": (0.5, 0.999)}
    return {
        "ae_opt": torch.optim.Adam(generator, **options),
        "disc_opt": torch.optim.Adam(modules["disc"].parameters(), **options),
    }


def load(checkpoint, modules, adams):
    """What the published code does with a checkpoint."""
    for key, part in {**modules, **adams}.items():
        part.load_state_dict(checkpoint[key])
    return checkpoint["iters"]


def state(modules, adams, iters):
    """What the published code saves."""
    parts = {**modules, **adams}
    order = ("e1", "e2", "d_a", "d_b", "ae_opt", "disc", "disc_opt")
    return {**{key: parts[key].state_dict() for key in order}, "iters": iters}


def decode_b(modules, code, background):
    """Image and mask of the decoder with a mask."""
    output = modules["d_b"](code)
    mask = torch.sigmoid(output[:, :1])
    return mask * torch.tanh(output[:, 1:]) + (1 - mask) * background, mask


def train_step(modules, adams, a, b, weights):
    """One iteration (README section 6.1); returns the generator's total and both norms."""
    for adam in adams.values():
        adam.zero_grad()
    e1, e2, d_a, disc = (modules[key] for key in ("e1", "e2", "d_a", "disc"))
    common_a, separate_a, common_b = e1(a), e2(a), e1(b)
    zeros = torch.zeros_like(separate_a)
    code_aa, code_bb = torch.cat([common_a, separate_a], 1), torch.cat([common_b, zeros], 1)
    image_a, _ = decode_b(modules, code_aa, d_a(torch.cat([common_a, zeros], 1)))
    image_b = d_a(code_bb)
    c, _ = decode_b(modules, torch.cat([common_b, separate_a], 1), b)
    again_b, _ = decode_b(modules, code_bb, b)
    again_a, _ = decode_b(modules, code_aa, a)
    terms = {
        "recon1_a": l1_loss(image_a, a),
        "recon1_b": l1_loss(image_b, b),
        "cycle_common": mse_loss(e1(c), common_b),
        "cycle_separate": mse_loss(e2(c), separate_a),
        "recon2_a": l1_loss(again_a, a),
        "recon2_b": l1_loss(again_b, b),
        "confusion_a": _bce(disc, common_a, 0),
        "confusion_b": _bce(disc, common_b, 0),
    }
    factors = ("gama", "delta", "beta1", "beta2", "alpha1", "alpha2", "discweight", "discweight")
    total = sum(weights[f] * term for f, term in zip(factors, terms.values(), strict=True))
    total.backward()
    generator = adams["ae_opt"].param_groups[0]["params"]
    norm = nn.utils.clip_grad_norm_(generator, 5)
    adams["ae_opt"].step()

    adams["disc_opt"].zero_grad()
    terms |= {"disc_a": _bce(disc, e1(a), 1), "disc_b": _bce(disc, e1(b), 0)}
    discriminator_loss = terms["disc_a"] + terms["disc_b"]
    discriminator_loss.backward()
    adams["disc_opt"].step()
    return {
        **{name: float(x.detach()) for name, x in terms.items()},
        "gen_total": float(total.detach()),
        "gen_grad_norm": float(norm),
        "disc_loss": float(discriminator_loss.detach()),
    }


def _bce(disc, code, label):
    predictions = disc(code.flatten(1)).flatten()
    return binary_cross_entropy(predictions, torch.full_like(predictions, label))
