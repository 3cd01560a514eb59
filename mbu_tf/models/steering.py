"""Loss weights that training sets by itself, from what it measures: the rules, and their state.

A weight given as `AUTO` starts at a rule's first value. After each step the rule says
how fast it is to grow, from exponential means of what was measured; the change holds
from the next step on. A rule is a function of numbers: `RULES` has them all.
docs/learning.md says what they were tried on.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops

AUTO = "auto"
# What a saved model calls the state begins with it.
PREFIX = "steered_"
# Of each step's measurements this share enters the means: they are of about 50 steps.
SHARE = 0.02
MASK_EMPTY, MASK_FULL, CODES_ALIKE = 0.002, 0.6, 0.1


def confusion_rate(means):
    """Growth of `confusion`, per step: let the discriminator be right just above half of the time.

    A discriminator that is right more often sees the content in the common code; then
    nothing can be removed. One that is never right has nothing to teach.
    """
    return 0.05 * ops.clip(means["discriminator_accuracy"] - 0.57, -0.1, 0.1)


def recon2_rate(means):
    """Growth of `recon2_a` and `recon2_b` (lambda_4 = lambda_5), per step.

    A pixel opens the mask where z_raw's error is below lambda_2 / (lambda_2 + lambda_5) of
    decoder A's. So a mask that is wide and lies where decoder A draws both domains alike
    (`mask_contrast`) wants larger weights, and one that closes before it has found what B
    alone has wants smaller ones.
    """
    coverage, contrast = means["mask_coverage"], means["mask_contrast"]
    closing = ops.cast(ops.logical_and(coverage < 0.01, contrast < 1.5), coverage.dtype)
    wide = ops.clip((coverage - 0.1) / 0.1, 0.0, 1.0) * ops.clip(1.5 - contrast, 0.0, 0.5)
    return 0.01 * (wide - closing)


def cycle_separate_rate(means):
    """Growth of `cycle_separate`, per step: down while all separate codes are becoming alike.

    The term shrinks what it compares. Where codes no longer differ over a batch, every
    reference gives the same part.
    """
    return 0.01 * ops.clip(means["code_spread"] - 0.3, -0.1, 0.1)


class Rule:
    """How a weight is steered.

    Args:
        losses: names of the loss terms that share the weight.
        rate: function of the means that gives the logarithm's change per step.
        first, least, most: values of the weight.
        measured: what the rule reads, by the names of the logs.
    """

    def __init__(self, losses, rate, first, least, most, measured):
        self.losses, self.rate, self.measured = losses, rate, measured
        self.first, self.least, self.most = first, least, most


RULES = {
    "confusion": Rule(("confusion",), confusion_rate, 0.5, 0.05, 3.0, ("discriminator_accuracy",)),
    "recon2": Rule(
        ("recon2_a", "recon2_b"), recon2_rate, 1.5, 0.3, 4.0, ("mask_coverage", "mask_contrast")
    ),
    "cycle_separate": Rule(
        ("cycle_separate",), cycle_separate_rate, 0.03, 0.003, 0.03, ("code_spread",)
    ),
}


class Collapse(NamedTuple):
    """A way in which training goes wrong, and the weight that has led there.

    Attributes:
        what: in words.
        rule: of the weight, a key of `RULES`.
        factor: what the weight is multiplied by when training goes back to before.
        severity: function of the means; from 1 on training has collapsed, and below 1/2
            it is well.
    """

    what: str
    rule: str
    factor: float
    severity: Callable


COLLAPSES = (
    Collapse(
        "the mask has shrunk to nothing",
        "recon2",
        0.5,
        lambda means: MASK_EMPTY / max(means["mask_coverage"], 1e-9),
    ),
    Collapse(
        "the mask takes in most of the picture",
        "recon2",
        2.0,
        lambda means: means["mask_coverage"] / MASK_FULL,
    ),
    Collapse(
        "all separate codes are alike",
        "cycle_separate",
        0.25,
        lambda means: CODES_ALIKE / max(means["code_spread"], 1e-9),
    ),
)


class Steering:
    """The weights that are steered, and the means that they are steered by.

    Variables, so that a run's kept state has them and JAX's step hands them on.

    Args:
        names: of the rules, keys of `RULES`.
        dtype: of weights and means.
    """

    def __init__(self, names, dtype="float32"):
        self.rules = {name: RULES[name] for name in names}
        options = {"dtype": dtype, "trainable": False, "aggregation": "only_first_replica"}

        def made(name, value):
            return keras.Variable(value, name=PREFIX + name, **options)

        self._weights = {n: made(f"weight_{n}", rule.first) for n, rule in self.rules.items()}
        self._least = {n: made(f"least_{n}", rule.least) for n, rule in self.rules.items()}
        self._most = {n: made(f"most_{n}", rule.most) for n, rule in self.rules.items()}
        measured = sorted({x for rule in self.rules.values() for x in rule.measured})
        self._restarts = made("restarts", 0.0)
        # Sums whose terms fade, of what was measured and of its weights.
        self._sums = {n: (made(f"sum_{n}", 0.0), made(f"share_{n}", 0.0)) for n in measured}

    @property
    def variables(self):
        sums = [v for pair in self._sums.values() for v in pair]
        return [*self._weights.values(), *sums, *self.lessons]

    @property
    def lessons(self):
        """Those of `variables` that stand when training goes back: bounds, and the count."""
        return [*self._least.values(), *self._most.values(), self._restarts]

    @property
    def measured(self):
        """Names of what the rules read."""
        return list(self._sums)

    def weight(self, loss):
        """The weight of a loss term at this step."""
        name = next(n for n, rule in self.rules.items() if loss in rule.losses)
        return ops.convert_to_tensor(self._weights[name])

    def logs(self):
        """The weights, and how often training went back, by the names that they are shown under."""
        weights = {f"weight_{n}": ops.convert_to_tensor(v) for n, v in self._weights.items()}
        return {**weights, "restarts": ops.convert_to_tensor(self._restarts)}

    def means(self):
        """The means of what is measured, by name."""
        return {
            n: ops.convert_to_tensor(total) / ops.maximum(ops.convert_to_tensor(share), 1e-12)
            for n, (total, share) in self._sums.items()
        }

    def follow(self, measured, applied):
        """Take in a step's measurements and set the weights of the next.

        Args:
            measured: scalars by name, or pairs `(scalar, weight in the mean)`.
            applied: whether the step was, a boolean scalar; if not, nothing changes.
        """
        for name, sums in self._sums.items():
            value = measured[name]
            value, weight = value if isinstance(value, tuple) else (value, 1.0)
            for total, term in zip(sums, (value * weight, weight), strict=True):
                old = ops.convert_to_tensor(total)
                new = old + SHARE * (ops.cast(term, total.dtype) - old)
                total.assign(ops.where(applied, new, old))
        means = self.means()
        for name, rule in self.rules.items():
            variable = self._weights[name]
            old = ops.convert_to_tensor(variable)
            new = old * ops.exp(rule.rate(means))
            new = ops.clip(new, self._least[name], self._most[name])
            variable.assign(ops.where(applied, new, old))

    def collapse(self):
        """The one of `COLLAPSES` that training has come to, or `None`."""
        severities = self._severities()
        return next((x for x, severity in severities.items() if severity >= 1), None)

    def is_well(self):
        """Whether no collapse is near."""
        return all(severity < 0.5 for severity in self._severities().values())

    def _severities(self):
        means = {name: float(ops.convert_to_numpy(x)) for name, x in self.means().items()}
        return {x: x.severity(means) for x in COLLAPSES if x.rule in self.rules}

    @property
    def restarts(self):
        """How often training has gone back."""
        return int(ops.convert_to_numpy(self._restarts))

    def turn(self, collapse):
        """Turn the weight that has led to a collapse away from where it is, for good.

        Returns:
            The weight's new value.
        """
        weight, least, most = (x[collapse.rule] for x in (self._weights, self._least, self._most))
        now, low, high = (float(ops.convert_to_numpy(x)) for x in (weight, least, most))
        new = collapse.factor * min(max(now, low), high)
        weight.assign(new)
        # What the rule may not cross again; and not beyond the other bound either.
        least.assign(new if collapse.factor > 1 else min(low, new))
        most.assign(new if collapse.factor < 1 else max(high, new))
        self._restarts.assign(self.restarts + 1)
        return new

    def save(self, store):
        """Write the state into a dict of what is saved."""
        for variable in self.variables:
            store[variable.name] = variable

    def load(self, state):
        """Set what `save` wrote; of a file without, the first values stay."""
        for variable in self.variables:
            if variable.name in state:
                variable.assign(state[variable.name])
