"""The convolutional blocks of appendix A, shared by encoders and decoders."""

import keras
from keras import layers, ops

from mbu_tf.networks.normalization import BatchNormalization

KERNEL_SIZE = 4
NORMALIZATIONS = ("batch", "instance", None)
ACTIVATIONS = ("leaky_relu", "relu")
LEAKY_SLOPE = 0.2
NORM_EPSILON = 1e-5

# Filters of the paper's six blocks at full width; deeper networks repeat the
# last entry, shallower ones leave entries out from the small-map end.
COMMON_FILTERS = (32, 64, 128, 256, 512)
SEPARATE_FILTERS = (32, 64, 128, 128, 128)
DECODER_FILTERS = (32, 64, 128, 256, 512)
CODE_CHANNELS = 512


@keras.saving.register_keras_serializable("mbu_tf")
def leaky_relu(x):
    """Leaky ReLU with slope 0.2 (appendix A), exact in float64 as well.

    The TensorFlow kernel holds its slope in float32, which would spoil a
    float64 run in the eighth digit.
    """
    if keras.backend.standardize_dtype(x.dtype) == "float64":
        return ops.maximum(x, LEAKY_SLOPE * x)
    return ops.leaky_relu(x, LEAKY_SLOPE)


def wide_dtype():
    """Dtype of what enters and leaves networks: float32 at least, whatever they compute in."""
    return "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"


def check_choice(name, value, choices):
    """Raise `ValueError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}")


def check_positive_int(name, value):
    """Raise `ValueError` unless `value` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def checked_depth(image_size, depth, code_channels, normalization, activation):
    """`depth`, or its default if `None`, after checking the arguments of a chain of blocks.

    Raises:
        ValueError: on an argument outside its range.
    """
    check_positive_int("code_channels", code_channels)
    check_choice("normalization", normalization, NORMALIZATIONS)
    check_choice("activation", activation, ACTIVATIONS)
    depth = default_depth(image_size) if depth is None else depth
    check_positive_int("image_size", image_size)
    check_positive_int("depth", depth)
    if depth < 2 or image_size % 2**depth:
        raise ValueError(
            f"`depth` must be at least 2 and `image_size` a multiple of 2**depth, since each of "
            f"the `depth` blocks halves the image. Received: image_size={image_size}, depth={depth}"
        )
    return depth


def default_depth(image_size):
    """Number of blocks that leaves a 2x2 code: 6 at 128 px as in appendix A.

    Raises:
        ValueError: if `image_size` is not a power of two of at least 8.
    """
    check_positive_int("image_size", image_size)
    if image_size < 8 or image_size & (image_size - 1):
        raise ValueError(
            "`image_size` must be a power of two of at least 8; for another size give `depth` "
            f"as well. Received: image_size={image_size}"
        )
    return image_size.bit_length() - 2


def scaled(filters, width):
    """`filters` at a relative network width, at least one.

    Raises:
        ValueError: if `width` is not a positive number.
    """
    if not (isinstance(width, (int, float)) and 0.0 < width < float("inf")):
        raise ValueError(f"`width` must be a positive number. Received: width={width!r}")
    return max(1, round(filters * width))


def block_filters(table, count, width):
    """The first `count` filters of `table` at `width`, its last entry repeated."""
    return [scaled(table[min(i, len(table) - 1)], width) for i in range(count)]


def normalize_activate(x, normalization, activation, name):
    """Parts (b) and (c) of a block: normalisation, then activation."""
    if normalization == "batch":
        # PyTorch's momentum of 0.1 is Keras's 0.9.
        x = BatchNormalization(momentum=0.9, epsilon=NORM_EPSILON, name=f"{name}_norm")(x)
    elif normalization == "instance":
        x = layers.GroupNormalization(
            groups=-1, epsilon=NORM_EPSILON, center=False, scale=False, name=f"{name}_norm"
        )(x)
    function = leaky_relu if activation == "leaky_relu" else activation
    return layers.Activation(function, name=f"{name}_activation")(x)


def downsample(x, filters, normalization, activation, name):
    """Convolutional block d_k of appendix A: halves height and width."""
    x = layers.Conv2D(filters, KERNEL_SIZE, strides=2, padding="same", name=f"{name}_conv")(x)
    return normalize_activate(x, normalization, activation, name)


def upsample(x, filters, normalization, activation, name):
    """De-convolutional block u_k of appendix A: doubles height and width."""
    x = deconvolution(x, filters, name)
    return normalize_activate(x, normalization, activation, name)


def deconvolution(x, filters, name):
    """Part (a) of a de-convolutional block alone, as in the decoders' last layer."""
    return layers.Conv2DTranspose(
        filters, KERNEL_SIZE, strides=2, padding="same", name=f"{name}_deconv"
    )(x)
