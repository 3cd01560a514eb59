"""Checkpoints of the methods' published PyTorch code, to and from our models.

`codes.py` says what each code's checkpoints hold.

Two counts of PyTorch have no place among a Keras model's variables: `iters`,
which the published code saves before it adds the step just made (so it usually
trails Adam's own count by one), and every batch normalisation's
`num_batches_tracked`, which nothing reads. The model keeps both as they came, and
Adam's count of then, in `published_counts`; writing adds the steps made since,
at the published code's passes per step.
"""

from collections import OrderedDict

import numpy as np

from mbu_tf.interop import adam_state, torch_files
from mbu_tf.interop.codes import CODES, code_of_checkpoint, code_of_model
from mbu_tf.interop.layouts import check_fit, network_tensors
from mbu_tf.models.loading import check_sound


def load_published(path, model=None, preset=None):
    """A model that goes on where a checkpoint of published code stopped.

    Which of the published codes wrote it is told by its keys.

    Args:
        path: the checkpoint.
        model: a compiled model of the checkpoint's method to load it into, whose
            `compile` arguments stand; `None` makes one of the size, width and
            separate channels that the tensors have, with the checkpoint's Adam
            and trained as the published code does.
        preset: whose loss weights a new model takes; no checkpoint holds them.
            `None` is "glasses" for `MaskedContentTransfer`, "celeba" for
            `ContentDisentanglement` and `DomainIntersectionDifference`.

    Returns:
        The model.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if PyTorch is not installed.
        ValueError: on an unknown preset, or if the file is damaged, holds
            anything but tensors and plain containers, or does not fit; the
            message lists what does not.
    """
    presets = {name for code in CODES for name in code.method.presets}
    if preset not in (None, *presets):  # It fails before the file is read.
        raise ValueError(f"Presets are {sorted(presets)}. Received: preset={preset!r}")
    checkpoint = torch_files.read(path)
    try:
        if model is None:
            model = new_model(checkpoint, preset)
        restore(model, checkpoint)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return model


def save_published(model, path):
    """Write `model` as a checkpoint that its method's published code loads.

    The published codes themselves build networks of width 1 alone.

    Args:
        model: a `MaskedContentTransfer`, `ContentDisentanglement` or
            `DomainIntersectionDifference` compiled with Adam.
        path: file to be written.

    Raises:
        ImportError: if PyTorch is not installed.
        OSError: if `path` cannot be written to.
        ValueError: if the published code has no such networks or optimizers, or if the
            model's weights are no finite numbers.
    """
    check_sound(model)
    torch_files.write(path, to_checkpoint(model))


def new_model(checkpoint, preset=None, **arguments):
    """An untrained model that a checkpoint, a dict of NumPy arrays, may be restored to.

    Args:
        checkpoint: the published code's dict.
        preset: see `load_published`.
        **arguments: constructor arguments in place of the published code's.
    """
    code = code_of_checkpoint(checkpoint)
    checkpoint = code.current_names(checkpoint)
    groups = [adam_state.param_group(key, checkpoint[key]) for key in code.optimizers]
    recipe = code.method.recipe(preset or code.default_preset, "published_code")
    model = code.method(**{**recipe["architecture"], **code.sizes(checkpoint), **arguments})
    model.compile(*map(adam_state.new_adam, groups), **recipe["compile"])
    return model


def restore(model, checkpoint):
    """Set weights, statistics, Adam's state and `published_counts` from a checkpoint.

    Args:
        model: a model of the checkpoint's method, compiled with Adam.
        checkpoint: the published code's dict, its tensors as NumPy arrays.

    Raises:
        ValueError: listing what does not fit; nothing is set then.
    """
    code = code_of_checkpoint(checkpoint)
    if not isinstance(model, code.method):
        raise ValueError(
            f"A checkpoint of the published {code.name} code needs a {code.method.__name__}. "
            f"Received: {type(model).__name__}"
        )
    checkpoint = code.current_names(checkpoint)
    tensors, adams = model_tensors(model), _adams(model, code)
    given = {
        f"{key}.{n}": np.asarray(x) for key in code.networks for n, x in checkpoint[key].items()
    }
    expected = {
        name: (x.shape, "int64" if x.variable is None else x.variable.dtype)
        for name, x in tensors.items()
    }
    for key in adams:
        numbered = _numbered(tensors, code, key)
        given |= adam_state.flat_state(key, checkpoint[key], numbered)
        if checkpoint[key]["state"]:
            expected |= adam_state.expected_state(key, numbered)
    counts = {name: np.int64(0) for name, x in tensors.items() if x.variable is None}
    if not counts.keys() & given.keys():  # PyTorch before 0.4.1 did not count.
        given |= counts
    check_fit(expected, given)
    steps = {key: adam_state.steps_made(key, checkpoint[key]) for key in adams}

    for name, tensor in tensors.items():
        if tensor.variable is not None:
            tensor.variable.assign(tensor.to_keras(given[name]))
    for key, adam in adams.items():
        adam_state.restore(adam, key, given, steps[key], _numbered(tensors, code, key))
    model.published_counts = {
        "iters": checkpoint["iters"],
        "steps": steps["ae_opt"],
        "num_batches_tracked": {name: int(given[name]) for name in counts},
    }


def to_checkpoint(model):
    """The published code's dict, its tensors as NumPy arrays; the reverse of `restore`.

    Raises:
        ValueError: if the published code has no such networks or optimizers.
    """
    code = code_of_model(model)
    tensors, adams = model_tensors(model), _adams(model, code)
    counts = model.published_counts or {"iters": 0, "steps": 0, "num_batches_tracked": {}}
    since = max(0, int(adams["ae_opt"].iterations) - counts["steps"])
    checkpoint = {key: OrderedDict() for key in code.keys}
    for name, tensor in tensors.items():
        key, rest = name.split(".", 1)
        if tensor.variable is None:
            count = counts["num_batches_tracked"].get(name, 0) + code.passes[key] * since
            checkpoint[key][rest] = np.array(count, np.int64)
        else:
            checkpoint[key][rest] = tensor.to_pytorch(tensor.variable.numpy())
    for key, adam in adams.items():
        checkpoint[key] = adam_state.to_state_dict(adam, _numbered(tensors, code, key))
    checkpoint["iters"] = counts["iters"] + since
    return checkpoint


def model_tensors(model):
    """Every tensor of the checkpoint's networks by its name, e.g. `"e1.full.0.weight"`.

    Raises:
        ValueError: if the published code has no such networks.
    """
    code = code_of_model(model)
    tensors = {
        name: tensor
        for key, (names, ours) in code.networks.items()
        for name, tensor in network_tensors(f"{key}.{names}", getattr(model, ours)).items()
    }
    return tensors | {name: tensors[name]._replace(sign=-1) for name in code.negated}


def _numbered(tensors, code, key):
    """Those that the optimizer `key` has, in its order."""
    modules = code.optimizers[key]
    return {n: x for n, x in tensors.items() if x.numbered and n.split(".")[0] in modules}


def _adams(model, code):
    if not model.compiled:
        raise ValueError("The model must be compiled: its optimizers hold Adam's state.")
    optimizers = (model.optimizer, model.discriminator_optimizer)
    return dict(zip(code.optimizers, map(adam_state.plain_adam, optimizers), strict=True))
