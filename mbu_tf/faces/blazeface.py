"""BlazeFace, the network that sees where faces are (Bazarevsky et al., 2019).

The layers and weights are those of MediaPipe's `face_detection_short_range.tflite`
(Apache-2.0, see `BLAZEFACE_LICENSE` beside this file), as one Keras model: Python,
TensorFlow graphs, TFLite and ONNX all come from it.
"""

import functools
import pathlib

import keras
import numpy as np
from keras import layers, ops

WEIGHTS = pathlib.Path(__file__).with_name("blazeface_short_range.npz")
# Pictures are a multiple of this high and wide.
STRIDE = 16
# What the network was trained on; faces of 20 to 85 px, chin to brow, are seen best.
TRAINED_SIZE = 128
# Rows of an output, after the box's two corners; left and right as seen upright.
POINTS = ("left_eye", "right_eye", "nose", "mouth", "left_ear", "right_ear")

# What the network calls eyes lies so much, in eye distances, outside of the middles of their
# outlines: medians over 199 portraits against dlib's landmarks. They are moved inwards.
EYES_OUTSIDE = 0.024

# Filters and stride of each block.
_BLOCKS = (
    *((24, 1), (28, 1), (32, 2), (36, 1), (42, 1), (48, 2), (56, 1), (64, 1)),
    *((72, 1), (80, 1), (88, 1), (96, 2), (96, 1), (96, 1), (96, 1), (96, 1)),
)
# After these blocks faces are read off: (block, pixels between anchors, faces at each).
_HEADS = ((10, 8, 2), (15, 16, 6))


@functools.cache
def load_blazeface():
    """The network with its weights, made once: `blazeface(pictures)`.

    Called on float `(batch, height, width, 3)` in [0, 255], RGB, sides of any multiple
    of 16 pixels, it returns a dictionary of what each anchor takes for a face:

    - `"faces"`: float32 `(batch, anchors, 8, 2)`, (x, y) in pixels of the picture from
      the top-left corner: the box's top-left and bottom-right corner, then `POINTS`.
    - `"scores"`: float32 `(batch, anchors)` in [0, 1], the probability of a face.

    It has height * width / 64 * 2 + height * width / 256 * 6 anchors, which overlap:
    a face is seen by several. Faces of up to 60° of roll are seen.
    """
    model = _network()
    with np.load(WEIGHTS) as weights:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights([weights[variable.path] for variable in layer.weights])
    return model


def _network():
    pictures = keras.Input((None, None, 3), dtype="float32", name="pictures")
    x = layers.Rescaling(1 / 127.5, -1.0, dtype="float32", name="rescaling")(pictures)
    x = _convolution(24, 5, strides=2, activation="relu", name="stem")(x)
    heads, found = {block: rest for block, *rest in _HEADS}, []
    for i, (filters, stride) in enumerate(_BLOCKS):
        x = _block(x, filters, stride, f"block_{i}")
        if i in heads:
            found.append(_head(x, *heads[i]))
    faces, scores = (
        layers.Concatenate(axis=1, dtype="float32")(each) for each in zip(*found, strict=True)
    )
    return keras.Model(pictures, {"faces": faces, "scores": scores}, name="blazeface")


def _convolution(filters, size, **arguments):
    # Zeros, since weights are loaded: no random numbers are drawn from the user's.
    return layers.Conv2D(
        filters, size, padding="same", kernel_initializer="zeros", dtype="float32", **arguments
    )


def _block(x, filters, stride, name):
    """A BlazeBlock (figure 1): a separable convolution beside a shortcut."""
    depthwise = layers.DepthwiseConv2D(
        3,
        stride,
        padding="same",
        depthwise_initializer="zeros",
        dtype="float32",
        name=f"{name}_depthwise",
    )
    y = _convolution(filters, 1, name=f"{name}_pointwise")(depthwise(x))
    if stride > 1:
        x = layers.MaxPooling2D(stride, dtype="float32", name=f"{name}_pooling")(x)
    y = _Shortcut(dtype="float32", name=f"{name}_shortcut")([y, x])
    return layers.ReLU(dtype="float32", name=f"{name}_relu")(y)


def _head(x, stride, each):
    """What the anchors of one stride say: faces and scores."""
    boxes = _convolution(16 * each, 1, name=f"stride_{stride}_faces")(x)
    logits = _convolution(each, 1, name=f"stride_{stride}_scores")(x)
    faces = _Decoding(stride, dtype="float32", name=f"stride_{stride}_decoding")(boxes)
    return faces, _Scores(dtype="float32", name=f"stride_{stride}_sigmoid")(logits)


class _Shortcut(layers.Layer):
    """Adds the second tensor to the first channels of the first, which may have more.

    Not by adding zeros for the others: where those stand beside a convolution,
    TensorFlow 2.21 on a CPU crashes (padded) and XLA computes something else.
    """

    def call(self, tensors):
        y, x = tensors
        count = x.shape[-1]
        if y.shape[-1] == count:
            return y + x
        return ops.concatenate([y[..., :count] + x, y[..., count:]], axis=-1)

    def compute_output_shape(self, shapes):
        return shapes[0]


class _Decoding(layers.Layer):
    """From centre, size and points beside an anchor to corners and points in the picture.

    `(batch, rows, columns, anchors * 16)` becomes `(batch, rows * columns * anchors, 8, 2)`.
    The anchors of a cell all lie in its centre.
    """

    def __init__(self, stride, **arguments):
        super().__init__(**arguments)
        self.stride = stride

    def call(self, x):
        batch, rows, columns, channels = ops.shape(x)
        x = ops.reshape(x, (batch, rows, columns, channels // 16, 8, 2))
        across, down = (
            (ops.cast(ops.arange(count, dtype="int32"), "float32") + 0.5) * self.stride
            for count in (columns, rows)
        )
        anchors = ops.stack(ops.meshgrid(across, down), axis=-1)[:, :, None]
        center, half = x[..., 0, :] + anchors, x[..., 1, :] / 2.0
        corners = ops.stack([center - half, center + half], axis=-2)
        eyes = x[..., 2:4, :]
        eyes += EYES_OUTSIDE / (1 + 2 * EYES_OUTSIDE) * (ops.flip(eyes, axis=-2) - eyes)
        points = ops.concatenate([eyes, x[..., 4:, :]], axis=-2) + anchors[..., None, :]
        faces = ops.concatenate([corners, points], axis=-2)
        return ops.reshape(faces, (batch, rows * columns * (channels // 16), 8, 2))

    def compute_output_shape(self, shape):
        return (shape[0], None, 8, 2)


class _Scores(layers.Layer):
    """`(batch, rows, columns, anchors)` logits as `(batch, rows * columns * anchors)` scores."""

    def call(self, x):
        batch, rows, columns, each = ops.shape(x)
        return ops.sigmoid(ops.reshape(x, (batch, rows * columns * each)))

    def compute_output_shape(self, shape):
        return (shape[0], None)
