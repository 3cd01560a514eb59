"""The convolutional blocks of appendix A, shared by encoders and decoders."""

import functools

import keras
from keras import layers, ops

from mbu_tf.networks import convolution, spectral
from mbu_tf.networks.normalization import BatchNormalization
from mbu_tf.system.memory import check_memory

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
# Of the seven blocks of Fader Networks at 256 px (Lample et al., 2017, section 4.1).
FADER_FILTERS = (16, 32, 64, 128, 256, 512)


@keras.saving.register_keras_serializable("mbu_tf")
def leaky_relu(x):
    """Leaky ReLU with slope 0.2 (appendix A), exact in float64 as well.

    The TensorFlow kernel holds its slope in float32, which would spoil a
    float64 run in the eighth digit.
    """
    if keras.backend.standardize_dtype(x.dtype) == "float64":
        return ops.maximum(x, LEAKY_SLOPE * x)
    return ops.leaky_relu(x, LEAKY_SLOPE)


@keras.saving.register_keras_serializable("mbu_tf")
def tanh(x):
    """Hyperbolic tangent, exact in float64 as well, which Keras narrows under JAX."""
    if keras.backend.standardize_dtype(x.dtype) == "float64":
        return 2.0 * ops.sigmoid(2.0 * x) - 1.0
    return ops.tanh(x)


def wide_dtype():
    """Dtype of what enters and leaves networks: float32 at least, whatever they compute in."""
    return "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"


def check_choice(name, value, choices):
    """Raise `ValueError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}")


def check_positive_int(name, value):
    """Raise `ValueError` unless `value` is an integer of at least 1."""
    check_int(name, value, 1, "a positive integer")


def check_int(name, value, least, wanted):
    """Raise `ValueError` unless `value` is an integer of at least `least`, `wanted` in words."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")


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


def check_kernels(channels, width):
    """Raise `OutOfMemory` if the kernels of a chain of blocks are larger than what is free.

    Args:
        channels: of the maps before the first block, between them and after the last.
        width: relative width that they come from.
    """
    pairs = zip(channels[:-1], channels[1:], strict=True)
    numbers = convolution.KERNEL_SIZE**2 * sum(one * other for one, other in pairs)
    check_memory(4 * numbers, f"A network of width {width:g}", "Make it narrower (width).")


def code_channels(width, separate_channels, common_channels=None, separate_codes=1):
    """Channels of the common code and of the encoder's block before it.

    Args:
        width: relative width.
        separate_channels: channels of each separate code.
        common_channels: a number, `"paper"` for 512 - 2 sep, or `None` for what
            the separate codes leave of 512, at `width`.
        separate_codes: how many separate codes are decoded beside it.

    Raises:
        ValueError: if less than one channel is left.
    """
    check_positive_int("separate_channels", separate_channels)
    channels = scaled(CODE_CHANNELS, width)
    common = common_channels
    if common is None:
        common = channels - separate_codes * separate_channels
    elif common == "paper":
        common = channels - 2 * separate_channels
    if not isinstance(common, int) or min(common, channels - separate_channels) < 1:
        raise ValueError(
            f"The common code needs at least one of the {channels} channels that `width` gives. "
            f"Received: common_channels={common_channels!r}, "
            f"separate_channels={separate_channels}"
        )
    return common, channels - separate_channels


def zero_code(common, channels):
    """Zeros in place of a separate code of `channels` beside the code `common`."""
    return ops.repeat(ops.zeros_like(common[..., :1]), channels, axis=-1)


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


def convolution_layers(spectral_updates, spectral_gradient):
    """Constructors of the convolution and of the transposed one of all blocks.

    Args:
        spectral_updates: one of `spectral.UPDATES`, or `None` for convolutions
            without spectral normalisation.
        spectral_gradient: one of `spectral.GRADIENTS`.
    """
    check_choice("spectral_updates", spectral_updates, (*spectral.UPDATES, None))
    check_choice("spectral_gradient", spectral_gradient, spectral.GRADIENTS)
    if spectral_updates is None:
        return convolution.Conv2D, convolution.Conv2DTranspose
    options = {"updates": spectral_updates, "gradient": spectral_gradient}
    return (
        functools.partial(spectral.SpectralConv2D, **options),
        functools.partial(spectral.SpectralConv2DTranspose, **options),
    )


def downsample(x, filters, normalization, activation, name, layer=convolution.Conv2D):
    """Convolutional block d_k of appendix A: halves height and width."""
    x = layer(filters, name=f"{name}_conv")(x)
    return normalize_activate(x, normalization, activation, name)


def upsample(x, filters, normalization, activation, name, layer=convolution.Conv2DTranspose):
    """De-convolutional block u_k of appendix A: doubles height and width."""
    x = deconvolution(x, filters, name, layer)
    return normalize_activate(x, normalization, activation, name)


def deconvolution(x, filters, name, layer=convolution.Conv2DTranspose):
    """Part (a) of a de-convolutional block alone, as in the decoders' last layer."""
    return layer(filters, name=f"{name}_deconv")(x)
