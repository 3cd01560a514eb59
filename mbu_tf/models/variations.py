"""Lists of variations of a recipe: the paper's ablation and its sensitivity studies.

A list is a function of a recipe that gives a dict from the name of a row to its
changes: what `recipes.varied` takes and, if wanted, `mask_threshold`, a number that
the trained model is used with. An empty dict of changes is the recipe itself.
"""


def _without(*names):
    return {"loss_weights": dict.fromkeys(names, 0.0)}


def table_7(recipe):
    """The ten rows of table 7, in its order.

    "L2 reg" has no weight in the paper, which adjusted it to each experiment: here
    it is that of the term it stands in for, `recon2_b`.
    """
    weight = recipe["compile"]["loss_weights"]["recon2_b"]
    return {
        "full": {},
        "without recon2_a": _without("recon2_a"),
        "without recon2_b": _without("recon2_b"),
        "without cycle": _without("cycle_common", "cycle_separate"),
        "without recon1_b": _without("recon1_b"),
        "without recon1_a": _without("recon1_a"),
        "without confusion": _without("confusion"),
        "L2 mask size": {"loss_weights": {"recon2_a": 0.0, "recon2_b": 0.0, "mask_size": weight}},
        "L2 recon1": {"architecture": {"recon1_norm": "l2"}},
        "L2 recon2": {"architecture": {"recon2_norm": "l2"}},
    }


def _scaled(recipe, name, factors):
    weight = recipe["compile"]["loss_weights"][name]
    if isinstance(weight, str):
        raise ValueError(
            f"The recipe's {name} steers itself, and has no number to vary; take another preset. "
            f"Received: {name}={weight!r}"
        )
    weights = [round(weight * factor, 6) for factor in factors]
    return {f"{name} {w:.4g}": {"loss_weights": {name: w}} for w in weights}


def lambda_1(recipe):
    """Figure 39: lambda_1 of 3 to 7 where the recipe for glasses has 5, in proportion."""
    return _scaled(recipe, "recon1_a", [x / 5 for x in (3, 4, 5, 6, 7)])


def lambda_4(recipe):
    """Figure 38: lambda_4 of 0.4 to 1 where the recipe for glasses has 0.7, in proportion."""
    return _scaled(recipe, "recon2_a", [x / 7 for x in (4, 5, 7, 9, 10)])


def threshold(recipe):
    """Figure 37: nine thresholds of one trained model."""
    return {f"threshold 0.{i}": {"mask_threshold": i / 10} for i in range(1, 10)}


LISTS = {"table7": table_7, "lambda_1": lambda_1, "lambda_4": lambda_4, "threshold": threshold}
