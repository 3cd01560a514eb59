"""The convolutions of all blocks: 4x4 kernels that halve or double the map."""

from keras import layers, ops

KERNEL_SIZE = 4
# Largest side, in pixels, of the smaller of a layer's two maps that training
# computes as a matrix product.
MATRIX_SIDE = 2


class Conv2D(layers.Conv2D):
    """4x4 convolution that halves height and width ("same" padding, stride 2).

    Where the map is tiny, the kernel is larger than all it is applied to, and a
    convolution spends its time on laying the kernel out anew at every call: in
    training it is then one matrix product, which reads the kernel as it lies.
    Inference, and with it every export, keeps the convolution.

    Args:
        filters: channels of the output.
        **kwargs: those of `keras.layers.Conv2D`.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(filters, KERNEL_SIZE, strides=2, padding="same", **kwargs)

    def call(self, inputs, training=False):
        return self.convolve(inputs, self.kernel, training)

    def convolve(self, inputs, kernel, training):
        """`inputs` convolved with `kernel`, and the bias added."""
        if training and inputs.shape[1] <= 2 * MATRIX_SIDE:
            outputs = convolution(inputs, kernel)
        else:
            outputs = self.convolution_op(inputs, kernel)
        return ops.add(outputs, ops.cast(self.bias, outputs.dtype))


class Conv2DTranspose(layers.Conv2DTranspose):
    """4x4 transposed convolution that doubles height and width, likewise."""

    def __init__(self, filters, **kwargs):
        super().__init__(filters, KERNEL_SIZE, strides=2, padding="same", **kwargs)

    def call(self, inputs, training=False):
        return self.convolve(inputs, self.kernel, training)

    def convolve(self, inputs, kernel, training):
        """`inputs` convolved with the transpose of `kernel`, and the bias added."""
        if training and inputs.shape[1] <= MATRIX_SIDE:
            outputs = transposed_convolution(inputs, kernel)
        else:
            outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same")
        return ops.add(outputs, ops.cast(self.bias, outputs.dtype))


def convolution(x, kernel):
    """4x4 convolution with stride 2 and one pixel of padding, as one matrix product.

    Args:
        x: `(batch, height, width, channels)`, height and width even.
        kernel: `(4, 4, channels, filters)`.

    Returns:
        `(batch, height / 2, width / 2, filters)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    _, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    padded = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    # Squares of 2x2 pixels, of which every output pixel sees 2x2.
    squares = ops.reshape(padded, (-1, rows + 1, 2, columns + 1, 2, channels))
    seen = ops.stack(
        [
            ops.stack([squares[:, i : i + rows, :, j : j + columns] for j in (0, 1)], axis=4)
            for i in (0, 1)
        ],
        axis=2,
    )  # batch, rows, 2 squares, 2 pixels, columns, 2 squares, 2 pixels, channels
    patches = ops.reshape(ops.transpose(seen, (0, 1, 4, 2, 3, 5, 6, 7)), (-1, 16 * channels))
    output = ops.matmul(patches, ops.reshape(kernel, (16 * channels, -1)))
    return ops.reshape(output, (-1, rows, columns, kernel.shape[-1]))


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
    filters = kernel.shape[2]
    matrix = ops.reshape(kernel, (16 * filters, channels))
    painted = ops.matmul(ops.reshape(x, (-1, channels)), ops.transpose(matrix))
    painted = ops.reshape(painted, (-1, height, width, 2, 2, 2, 2, filters))
    # Every input pixel paints 2x2 squares of 2x2 pixels, which overlap its neighbours'.
    squares = sum(
        ops.pad(
            painted[:, :, :, i, :, j],
            ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0), (0, 0), (0, 0)),
        )
        for i in (0, 1)
        for j in (0, 1)
    )
    pixels = ops.reshape(
        ops.transpose(squares, (0, 1, 3, 2, 4, 5)), (-1, 2 * height + 2, 2 * width + 2, filters)
    )
    return pixels[:, 1:-1, 1:-1]
