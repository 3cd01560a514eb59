"""The convolutions of all blocks: 4x4 kernels that halve or double the map."""

import keras
from keras import layers, ops

from mbu_tf.system.backend import tensorflow_on_cpu

KERNEL_SIZE = 4
# Whatever Keras's configuration file says.
LAYOUT = {"data_format": "channels_last"}
# Largest side, in pixels, of the smaller of a layer's two maps that training
# computes as a matrix product.
MATRIX_SIDE = 4


class Conv2D(layers.Conv2D):
    """4x4 convolution that halves height and width ("same" padding, stride 2).

    Where the map is small, the kernel is larger than all it is applied to, and a
    convolution spends its time on laying the kernel out anew at every call: in
    training it is then one matrix product, which reads the kernel as it lies.
    So it is in float16 on a CPU, for maps of any size: TensorFlow's gradients of
    float16 convolutions take a hundred times as long there. Inference, and with it
    every export, keeps the convolution.

    Args:
        filters: channels of the output.
        **kwargs: those of `keras.layers.Conv2D`.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(filters, KERNEL_SIZE, strides=2, padding="same", **LAYOUT, **kwargs)

    def call(self, inputs, training=False):
        return self.convolve(inputs, self.kernel, training)

    def convolve(self, inputs, kernel, training):
        """`inputs` convolved with `kernel`, and the bias added."""
        if training and _multiplies(inputs.shape[1] // 2, inputs.dtype):
            outputs = convolution(inputs, kernel)
        else:
            outputs = self.convolution_op(inputs, kernel)
        return ops.add(outputs, ops.cast(self.bias, outputs.dtype))


class Conv2DTranspose(layers.Conv2DTranspose):
    """4x4 transposed convolution that doubles height and width, likewise."""

    def __init__(self, filters, **kwargs):
        super().__init__(filters, KERNEL_SIZE, strides=2, padding="same", **LAYOUT, **kwargs)

    def call(self, inputs, training=False):
        return self.convolve(inputs, self.kernel, training)

    def convolve(self, inputs, kernel, training):
        """`inputs` convolved with the transpose of `kernel`, and the bias added."""
        if training and _multiplies(inputs.shape[1], inputs.dtype):
            outputs = transposed_convolution(inputs, kernel)
        else:
            outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same", **LAYOUT)
        return ops.add(outputs, ops.cast(self.bias, outputs.dtype))


def _multiplies(side, dtype):
    """Whether training computes a layer as a matrix product; `side` is of its smaller map."""
    half = keras.backend.standardize_dtype(dtype) == "float16"
    return side <= MATRIX_SIDE or (half and tensorflow_on_cpu())


def convolution(x, kernel):
    """4x4 convolution with stride 2 and one pixel of padding, as one matrix product.

    Args:
        x: `(batch, height, width, channels)`, height and width even.
        kernel: `(4, 4, channels, filters)`.

    Returns:
        `(batch, height / 2, width / 2, filters)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    columns = image_to_columns(x)
    _, height, width, seen = columns.shape
    output = ops.matmul(ops.reshape(columns, (-1, seen)), ops.reshape(kernel, (seen, -1)))
    return ops.reshape(output, (-1, height, width, kernel.shape[-1]))


def transposed_convolution(x, kernel):
    """The transpose of `convolution` in its image: doubles height and width.

    Args:
        x: `(batch, height, width, channels)`.
        kernel: `(4, 4, filters, channels)`.

    Returns:
        `(batch, 2 * height, 2 * width, filters)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    _, height, width, channels = x.shape
    painted = 16 * kernel.shape[2]
    matrix = ops.transpose(ops.reshape(kernel, (painted, channels)))
    columns = ops.matmul(ops.reshape(x, (-1, channels)), matrix)
    return columns_to_image(ops.reshape(columns, (-1, height, width, painted)))


# Each of the two is the other's gradient. Left to find it, a backend would write a
# whole image of zeros for every slice.
@ops.custom_gradient
def image_to_columns(x):
    """The 4x4 pixels that each output of `convolution` sees, one beside the other.

    Args:
        x: `(batch, height, width, channels)`, height and width even.

    Returns:
        `(batch, height / 2, width / 2, 16 * channels)`.
    """
    _, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    padded = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    # Squares of 2x2 pixels, of which every output sees 2x2.
    squares = ops.reshape(padded, (-1, rows + 1, 2, columns + 1, 2, channels))
    seen = [
        ops.reshape(
            squares[:, i : i + rows, line, j : j + columns], (-1, rows, columns, 2 * channels)
        )
        for i in (0, 1)
        for line in (0, 1)
        for j in (0, 1)
    ]
    return ops.concatenate(seen, axis=-1), lambda upstream: columns_to_image(upstream)


@ops.custom_gradient
def columns_to_image(columns):
    """The image on which each place paints 4x4 pixels, which add up where they overlap.

    Args:
        columns: `(batch, height, width, 16 * channels)`.

    Returns:
        `(batch, 2 * height, 2 * width, channels)`.
    """
    _, height, width, painted = columns.shape
    # 2x2 squares of 2x2 pixels: squares down, pixels down, squares across, pixels across.
    parts = ops.reshape(columns, (-1, height, width, 2, 2, 2, 2, painted // 16))
    squares = sum(
        ops.pad(
            parts[:, :, :, i, :, j],
            ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0), (0, 0), (0, 0)),
        )
        for i in (0, 1)
        for j in (0, 1)
    )
    pixels = ops.reshape(
        ops.transpose(squares, (0, 1, 3, 2, 4, 5)),
        (-1, 2 * height + 2, 2 * width + 2, painted // 16),
    )
    return pixels[:, 1:-1, 1:-1], lambda upstream: image_to_columns(upstream)
