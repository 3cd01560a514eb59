"""Loss weights that training sets by itself, from what it measures: the rules, and their state.

A weight given as `AUTO` starts at its rule's first value. After each step the rule gives
the next one, from exponential means of what was measured, and it holds from the next step
on. Its numbers are for recon1_a = 5 and recon1_b = 7, the paper's lambda_1 and lambda_2.
docs/learning.md says what the rules were tried on.
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
# The discriminator's accuracy that is aimed at, and how much more is let pass at most.
ACCURACY, LET_PASS = 0.57, 0.1
MASK_SHARE = 0.1
MASK_EMPTY, MASK_FULL, CODES_ALIKE = 0.002, 0.6, 0.01


def confusion(weight, means):
    """The next weight of `confusion`: the discriminator is to be right just above half the time.

    One that is right more often sees the content in the common code; then nothing can be
    removed. One that never is has nothing to teach, and a weight that is larger than it
    needs to be costs detail. While masks, where they are steered as well, have found nothing
    (`mask_contrast` of 1) the code passes the content on, whatever the discriminator sees;
    where decoder A cannot draw what is in them (2.5), what it still sees is something else.
    """
    contrast = means.get("mask_contrast", ops.full_like(weight, 1.5))
    aim = ACCURACY + LET_PASS * ops.clip(contrast - 1.5, 0.0, 1.0)
    hidden = ops.clip(means["discriminator_accuracy"] - aim, -0.1, 0.1)
    unfound = ops.clip(1.5 - contrast, 0.0, 0.5)
    return weight * ops.exp(0.05 * hidden + 0.006 * unfound)


def recon2(weight, means):
    """The next weight of `recon2_a` and `recon2_b`, lambda_4 = lambda_5.

    A pixel opens the mask where z_raw's error is below lambda_2 / (lambda_2 + lambda_5) of
    decoder A's. A mask that closes before it has found what B alone has (`mask_contrast`)
    wants a smaller weight, for where it is closed nothing is learned; one that is open
    returns to the first value.
    """
    coverage, contrast = means["mask_coverage"], means["mask_contrast"]
    closing = ops.clip(1.0 - coverage / 0.04, 0.0, 1.0) * ops.clip(1.5 - contrast, 0.0, 0.5)
    opening = ops.clip(coverage / 0.02 - 1.0, 0.0, 1.0)
    return weight * ops.exp(0.04 * (0.05 * opening - closing))


def mask_size(weight, means):
    """The next weight of `mask_size`, the wider the mask the larger, in decoder A's mean error.

    Equation 8 costs nothing where z_raw paints without error, such as hair that is always
    black: a mask that took such a part in the beginning would keep it. This term closes it,
    where decoder A is wrong by little; content is what decoder A is most wrong about. While
    the mask has found nothing (`mask_contrast` of 1) there is nothing to trim.
    """
    wide = ops.minimum(means["mask_coverage"] / 0.1, 1.0)
    found = ops.clip(means["mask_contrast"] - 1.0, 0.0, 1.0)
    return ops.zeros_like(weight) + MASK_SHARE * 7.0 * means["recon1_a"] * wide * found


def cycle(weight, means):
    """The next weight of `cycle_separate` and `cycle_common`, the paper's one lambda_3.

    Down while all separate codes become alike, for the term shrinks what it compares:
    where codes no longer differ over a batch, every reference gives the same part.
    """
    return weight * ops.exp(0.01 * ops.clip(means["code_spread"] - 0.3, -0.1, 0.1))


class Rule(NamedTuple):
    """How a weight is steered.

    Attributes:
        losses: names of the loss terms that share the weight.
        value: function of the weight and the means that gives the next weight.
        first, least, most: values of the weight.
        measured: what the rule reads, by the names of the logs.
    """

    losses: tuple
    value: Callable
    first: float
    least: float
    most: float
    measured: tuple


RULES = {
    "confusion": Rule(("confusion",), confusion, 0.5, 0.05, 3.0, ("discriminator_accuracy",)),
    "recon2": Rule(
        ("recon2_a", "recon2_b"), recon2, 1.0, 0.3, 1.0, ("mask_coverage", "mask_contrast")
    ),
    "mask_size": Rule(
        ("mask_size",), mask_size, 0.0, 0.0, 2.0, ("recon1_a", "mask_coverage", "mask_contrast")
    ),
    "cycle": Rule(("cycle_separate", "cycle_common"), cycle, 0.03, 0.003, 0.03, ("code_spread",)),
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
        "cycle",
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
            old, least, most = (
                ops.convert_to_tensor(x[name]) for x in (self._weights, self._least, self._most)
            )
            new = ops.clip(rule.value(old, means), least, most)
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
