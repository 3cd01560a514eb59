"""What the three published codes share, in PyTorch, as the fixtures' README words it.

Letters are the published ones: A is the domain with the content.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy


class Module(nn.Module):
    """A `Sequential` under the name that the published code gives it."""

    def __init__(self, name, layers):
        super().__init__()
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x):
        (sequence,) = self.children()
        return sequence(x)


def blocks(kind, channels, norm, activation):
    """Layers of (de)convolutional blocks from `channels[0]` to `channels[-1]`."""
    layers = []
    for inputs, outputs in zip(channels, channels[1:], strict=False):
        layers += [kind(inputs, outputs, 4, 2, 1), norm(outputs), activation()]
    return layers


def leaky_relu():
    return nn.LeakyReLU(0.2)


def discriminator(channels, size):
    """Of codes of `channels` at an image size in pixels."""
    inputs = channels * (size // 64) ** 2
    layers = [nn.Linear(inputs, 512), leaky_relu(), nn.Linear(512, 1), nn.Sigmoid()]
    return Module("classify", layers)


def _generator(modules):
    return [key for key in modules if key != "disc"]


def optimizers(modules):
    """The two Adams, as the published codes make them."""
    generator = [p for key in _generator(modules) for p in modules[key].parameters()]
    options = {"lr": 2e-4, "betas": (0.5, 0.999)}
    return {
        "ae_opt": torch.optim.Adam(generator, **options),
        "disc_opt": torch.optim.Adam(modules["disc"].parameters(), **options),
    }


def load(checkpoint, modules, adams):
    """What the published codes do with a checkpoint."""
    for key, part in {**modules, **adams}.items():
        part.load_state_dict(checkpoint[key])
    return checkpoint["iters"]


def state(modules, adams, iters):
    """What the published codes save."""
    parts = {**modules, **adams}
    order = (*_generator(modules), "ae_opt", "disc", "disc_opt")
    return {**{key: parts[key].state_dict() for key in order}, "iters": iters}


def train_step(code, modules, adams, a, b, weights):
    """One iteration of a published code: its terms, the totals and the norm.

    Args:
        code: module that states `ENCODER`, the common encoder's name; `FACTORS`,
            term: name in `weights`; and `terms(modules, a, b)`, which gives
            its own terms and the common codes of a and b.
    """
    for adam in adams.values():
        adam.zero_grad()
    terms, common_a, common_b = code.terms(modules, a, b)
    disc, encoder = modules["disc"], modules[code.ENCODER]
    terms |= {"confusion_a": _bce(disc, common_a, 0), "confusion_b": _bce(disc, common_b, 0)}
    factors = {**code.FACTORS, "confusion_a": "discweight", "confusion_b": "discweight"}
    total = sum(weights.get(factors[name], 1.0) * term for name, term in terms.items())
    total.backward()
    norm = nn.utils.clip_grad_norm_(adams["ae_opt"].param_groups[0]["params"], 5)
    adams["ae_opt"].step()

    adams["disc_opt"].zero_grad()
    terms |= {"disc_a": _bce(disc, encoder(a), 1), "disc_b": _bce(disc, encoder(b), 0)}
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
