"""The state of PyTorch's Adam, to and from a Keras Adam."""

import math

import keras
import numpy as np

from mbu_tf.optimizers import PyTorchAdam

MOMENTS = ("exp_avg", "exp_avg_sq")
# What PyTorch 2.13 writes beside rate, betas and epsilon, at its defaults.
OPTIONS = {
    "weight_decay": 0,
    "amsgrad": False,
    "maximize": False,
    "foreach": None,
    "capturable": False,
    "differentiable": False,
    "fused": None,
    "decoupled_weight_decay": False,
}
NUMBERS = (int, float, np.generic, np.ndarray)
# What every Adam's numbers are.
RANGES = {
    "lr": lambda lr: 0 <= float(lr) < math.inf,
    "betas": lambda betas: len(betas) == 2 and all(0 <= float(x) < 1 for x in betas),
    "eps": lambda eps: 0 < float(eps) < math.inf,
}
# Those of them that change what a step computes.
DECISIVE = ("weight_decay", "amsgrad", "maximize", "decoupled_weight_decay")


def param_group(key, state_dict):
    """The one parameter group of an Adam's `state_dict`.

    Raises:
        ValueError: unless it is plain Adam with one group, of which every number is in
            its range; `key` names it.
    """
    try:
        states, groups = state_dict["state"].values(), state_dict["param_groups"]
        fields = [value for state in states for value in state.values()]
        fitting = len(groups) == 1 and {"lr", "betas", "eps", "params"} <= groups[0].keys()
        fitting = fitting and isinstance(groups[0]["params"], list)
        fitting = fitting and all(type(x) is int for x in groups[0]["params"])
        fitting = fitting and all(isinstance(x, NUMBERS) for x in fields)
    except (TypeError, LookupError, AttributeError):
        fitting = False
    if not fitting:
        raise ValueError(f"The checkpoint has no Adam with one group of parameters in {key!r}.")
    wrong = [
        f"{name}={groups[0][name]!r}"[:80]
        for name, fits in RANGES.items()
        if not _fits(fits, groups[0][name])
    ]
    if wrong:
        raise ValueError(
            f"The checkpoint's Adam in {key!r} has a rate of at least 0, two betas in [0, 1) and "
            f"an epsilon above 0. Received: {', '.join(wrong)}"
        )
    other = [
        f"{name}={groups[0][name]!r}"
        for name in DECISIVE
        if groups[0].get(name, OPTIONS[name]) != OPTIONS[name]
    ]
    if other:
        raise ValueError(f"The checkpoint's Adam in {key!r} is not plain: {', '.join(other)}.")
    return groups[0]


def _fits(check, value):
    """Whether a check passes; a value of another kind raises anything in it."""
    try:
        return bool(check(value))
    except (TypeError, ValueError):
        return False


def new_adam(group):
    """A Keras optimizer that steps as the Adam of a parameter group."""
    beta_1, beta_2 = map(float, group["betas"])
    epsilon = float(group["eps"])
    return PyTorchAdam(float(group["lr"]), beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


def plain_adam(optimizer):
    """`optimizer`, out of its loss scaling.

    Raises:
        ValueError: unless it is Adam as PyTorch has it, epsilon apart.
    """
    adam = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(adam, keras.optimizers.Adam) or adam.weight_decay or adam.amsgrad:
        raise ValueError(
            "The model must be compiled with Adam, without weight decay and amsgrad. "
            f"Received: {type(adam).__name__}"
        )
    return adam


def flat_state(key, state_dict, names):
    """`{"<key>.<parameter>.exp_avg": array, …}`; a parameter too many keeps its number."""
    labels = dict(zip(param_group(key, state_dict)["params"], names, strict=False))
    return {
        f"{key}.{labels.get(number, number)}.{field}": np.asarray(value)
        for number, fields in state_dict["state"].items()
        for field, value in fields.items()
    }


def expected_state(key, tensors):
    """`{name: (shape, dtype)}` of `flat_state` once the optimizer has made a step."""
    expected = {}
    for name, tensor in tensors.items():
        if not tensor.trained:
            continue
        expected[f"{key}.{name}.step"] = ((), None)
        for field in MOMENTS:
            expected[f"{key}.{name}.{field}"] = (tensor.shape, tensor.variable.dtype)
    return expected


def steps_made(key, state_dict):
    """Steps that the optimizer of `key` has made; 0 where it has no state yet.

    Raises:
        ValueError: if its parameters disagree, which Keras has no place for, or made
            no number of steps.
    """
    made = [fields.get("step") for fields in state_dict["state"].values()]
    wrong = [x for x in made if not _fits(lambda step: 0 <= float(step) == int(step) < 2**53, x)]
    if wrong:
        raise ValueError(f"The checkpoint's {key!r} made no number of steps: {wrong[0]!r}.")
    steps = set(map(float, made)) or {0.0}
    if len(steps) > 1:
        raise ValueError(
            f"The checkpoint's parameters in {key!r} made different numbers of steps: "
            f"{sorted(steps)}."
        )
    return int(steps.pop())


def restore(adam, key, flat, steps, tensors):
    """Set moments and steps of a built Keras Adam from `flat_state` and `steps_made`."""
    for name, tensor in tensors.items():
        for field, (moment, form) in _moments(adam, tensor).items():
            value = flat.get(f"{key}.{name}.{field}")
            moment.assign(np.zeros(moment.shape) if value is None else form.to_keras(value))
    adam.iterations.assign(steps)


def to_state_dict(adam, tensors):
    """The `state_dict` that PyTorch's Adam would have; before the first step it has no state."""
    steps = int(adam.iterations)
    state = {}
    for number, tensor in enumerate(tensors.values() if steps else ()):
        moments = _moments(adam, tensor).items()
        if moments:
            state[number] = {
                "step": np.array(steps, np.float32),
                **{field: form.to_pytorch(moment.numpy()) for field, (moment, form) in moments},
            }
    group = {
        "lr": float(adam.learning_rate),
        "betas": (adam.beta_1, adam.beta_2),
        "eps": adam.epsilon,
        **OPTIONS,
        "params": list(range(len(tensors))),
    }
    return {"state": state, "param_groups": [group]}


def _moments(adam, tensor):
    """`{field: (our variable, the tensor in whose form it goes over)}`; none untrained."""
    if not tensor.trained:
        return {}
    index = adam._get_variable_index(tensor.variable)
    variables = adam._momentums[index], adam._velocities[index]
    forms = tensor, tensor.squared
    return dict(zip(MOMENTS, zip(variables, forms, strict=True), strict=True))
