"""The tensors of PyTorch networks: their names and layouts beside our variables."""

import math
from typing import NamedTuple

import keras
import numpy as np

from mbu_tf.networks.spectral import SpectralConv2D, SpectralConv2DTranspose

# Means of squares.
NOT_NEGATIVE = ("running_var", "exp_avg_sq")


class Tensor(NamedTuple):
    """One entry of a PyTorch `state_dict`.

    Attributes:
        variable: our variable, or `None` for a count that we do not keep as one.
        channels: of the map that the last axis holds flattened, which PyTorch
            does channel by channel and Keras pixel by pixel; `None` where there
            is no map.
        sign: -1 if our numbers are those of PyTorch negated.
        numbered: whether an optimizer counts it among its parameters.
        trained: whether a gradient reaches it, so that an optimizer has a state.
    """

    variable: object
    channels: int = None
    sign: int = 1
    numbered: bool = True
    trained: bool = True

    @property
    def shape(self):
        """PyTorch's."""
        if self.variable is None:
            return ()
        return self.to_pytorch(np.broadcast_to(np.int8(0), self.variable.shape)).shape

    @property
    def squared(self):
        """How the squares of its numbers go over."""
        return self._replace(sign=1)

    def to_keras(self, array):
        """PyTorch's array in the layout of our variable.

        A kernel is (out, in, h, w) there and (h, w, in, out) here; transposed,
        (in, out, h, w) and (h, w, out, in).
        """
        array = array if self.sign == 1 else -array
        if array.ndim == 4:
            return array.transpose(2, 3, 1, 0)
        if self.channels:
            side = self._side(array)
            array = _reordered(array, (self.channels, side, side), (0, 2, 3, 1))
        return array.T

    def to_pytorch(self, array):
        """The reverse of `to_keras`."""
        array = array if self.sign == 1 else -array
        if array.ndim == 4:
            return array.transpose(3, 2, 0, 1)
        array = array.T
        if self.channels:
            side = self._side(array)
            array = _reordered(array, (side, side, self.channels), (0, 3, 1, 2))
        return array

    def _side(self, array):
        return math.isqrt(array.shape[-1] // self.channels)


def _reordered(array, shape, axes):
    """`array`, the maps of `shape` that its last axis holds flattened anew from other axes."""
    return array.reshape(-1, *shape).transpose(axes).reshape(array.shape)


def network_tensors(names, network):
    """`{"e1.full.0.weight": Tensor, …}` in PyTorch's order.

    Args:
        names: of its layers in PyTorch: a format of `layer`, the number in a
            `Sequential` of all layers, flattening not counted, or of `block`, the
            number from 1 among those that have tensors. E.g. `"e1.full.{layer}"`.
        network: one of ours that the PyTorch network mirrors.
    """
    tensors, number, block, channels = {}, 0, 0, None
    for layer in network.layers:
        if isinstance(layer, keras.layers.Flatten):
            channels = layer.input.shape[-1]
        if isinstance(layer, (keras.layers.InputLayer, keras.layers.Flatten)):
            continue
        if layer.weights:
            block += 1
            prefix = names.format(layer=number, block=block)
            for name, tensor in _layer_tensors(layer, channels).items():
                tensors[f"{prefix}.{name}"] = tensor
            channels = None
        number += 1
    return tensors


def _layer_tensors(layer, channels):
    """`channels` is that of the map which the layer takes in flattened, if it does."""
    if isinstance(layer, keras.layers.BatchNormalization):
        statistic = {"numbered": False, "trained": False}
        return {
            "weight": Tensor(layer.gamma),
            "bias": Tensor(layer.beta),
            "running_mean": Tensor(layer.moving_mean, **statistic),
            "running_var": Tensor(layer.moving_variance, **statistic),
            "num_batches_tracked": Tensor(None, **statistic),
        }
    if isinstance(layer, (SpectralConv2D, SpectralConv2DTranspose)):
        # v has an entry for each of the kernel but its last axis: side, side, channels.
        return {
            "module.bias": Tensor(layer.bias),
            "module.weight_u": Tensor(layer.u, trained=False),
            "module.weight_v": Tensor(layer.v, layer.kernel.shape[-2], trained=False),
            "module.weight_bar": Tensor(layer.kernel),
        }
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
        elif array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong.append(f"{name}: some of its numbers are not finite")
        elif name.endswith(NOT_NEGATIVE) and (array < 0).any():
            wrong.append(f"{name}: some of its numbers are negative")
    if wrong:
        raise ValueError("The checkpoint does not fit:\n  " + "\n  ".join(wrong))
