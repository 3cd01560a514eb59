"""The tensors of PyTorch networks: their names and layouts beside our variables."""

import math
from typing import NamedTuple

import keras
import numpy as np


class Tensor(NamedTuple):
    """One entry of a PyTorch `state_dict`.

    Attributes:
        variable: our variable, or `None` for a count that we do not keep as one.
        channels: of the code map that a matrix takes in flattened, which
            PyTorch does channel by channel and Keras pixel by pixel; its inputs
            where there is no map.
        trained: whether an optimizer has it.
    """

    variable: object
    channels: int = None
    trained: bool = True

    @property
    def shape(self):
        """PyTorch's."""
        if self.variable is None:
            return ()
        return self.to_pytorch(np.broadcast_to(np.int8(0), self.variable.shape)).shape

    def to_keras(self, array):
        """PyTorch's array in the layout of our variable.

        A kernel is (out, in, h, w) there and (h, w, in, out) here; transposed,
        (in, out, h, w) and (h, w, out, in).
        """
        if array.ndim == 4:
            return array.transpose(2, 3, 1, 0)
        if array.ndim == 2:
            outputs, inputs = array.shape
            side = math.isqrt(inputs // self.channels)
            array = array.reshape(outputs, self.channels, side, side)
            return array.transpose(2, 3, 1, 0).reshape(inputs, outputs)
        return array

    def to_pytorch(self, array):
        """The reverse of `to_keras`."""
        if array.ndim == 4:
            return array.transpose(3, 2, 0, 1)
        if array.ndim == 2:
            inputs, outputs = array.shape
            side = math.isqrt(inputs // self.channels)
            array = array.reshape(side, side, self.channels, outputs)
            return array.transpose(3, 2, 0, 1).reshape(outputs, inputs)
        return array


def network_tensors(prefix, network):
    """`{"<prefix>.<layer>.weight": Tensor, …}` in PyTorch's order.

    Args:
        prefix: of the names, e.g. `"e1.full"`.
        network: one of ours that a PyTorch `Sequential` of the same layers
            mirrors, flattening not counted.
    """
    tensors = {}
    uncounted = (keras.layers.InputLayer, keras.layers.Flatten)
    layers = [x for x in network.layers if not isinstance(x, uncounted)]
    for index, layer in enumerate(layers):
        for name, tensor in _layer_tensors(layer, network.input_shape).items():
            tensors[f"{prefix}.{index}.{name}"] = tensor
    return tensors


def _layer_tensors(layer, input_shape):
    if not layer.weights:
        return {}
    if isinstance(layer, keras.layers.BatchNormalization):
        return {
            "weight": Tensor(layer.gamma),
            "bias": Tensor(layer.beta),
            "running_mean": Tensor(layer.moving_mean, trained=False),
            "running_var": Tensor(layer.moving_variance, trained=False),
            "num_batches_tracked": Tensor(None, trained=False),
        }
    channels = None
    if isinstance(layer, keras.layers.Dense):
        inputs = layer.kernel.shape[0]
        flattens = inputs == math.prod(input_shape[1:])
        channels = input_shape[-1] if flattens else inputs
    return {"weight": Tensor(layer.kernel, channels), "bias": Tensor(layer.bias)}


def check_fit(expected, given):
    """Raise `ValueError` that lists what `given` lacks, has too much or in another form.

    Args:
        expected: dict from name to `(shape, dtype)`; any dtype will do for `None`.
        given: dict from name to array.
    """
    wrong = [f"missing: {name}" for name in expected if name not in given]
    wrong += [f"surplus: {name}" for name in given if name not in expected]
    for name, (shape, dtype) in expected.items():
        if name not in given:
            continue
        array = given[name]
        if array.shape != shape:
            wrong.append(f"{name}: shape {array.shape} in place of {shape}")
        elif dtype and not np.can_cast(array.dtype, dtype, "safe"):
            wrong.append(f"{name}: dtype {array.dtype}, which {dtype} does not hold")
    if wrong:
        raise ValueError("The checkpoint does not fit:\n  " + "\n  ".join(wrong))
