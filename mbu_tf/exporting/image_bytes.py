"""Image files as bytes, read and written in TensorFlow operations alone."""

import functools

import tensorflow as tf

from mbu_tf.exporting.image_sizes import begins, head_of, pixels_of

# An edit takes some 85 bytes of memory for each pixel of a photo.
MAX_PIXELS = 50_000_000

# What all signatures do is traced once, and is once in their graph.
_traced_once = functools.partial(tf.function, autograph=False)


def decode(file):
    """uint8 RGB `(height, width, 3)` of the bytes of one image, transparency laid on white."""
    return on_white(*decode_channels(file))


@_traced_once(input_signature=[tf.TensorSpec((), tf.string)])
def decode_channels(file):
    """The bytes of one image as uint8 RGB `(height, width, 3)` and its alpha channel.

    That is `(height, width, 1)`, or of no channel where the file has none.
    """
    file = _bounded(file)
    head = head_of(file)
    colour, alpha = tf.case(
        [
            (begins(head, b"\xff\xd8\xff"), lambda: _opaque(_decode_jpeg(file))),
            (begins(head, b"RIFF"), lambda: _decode_webp(file, head)),
            # The fourth channel of a BMP file is padding.
            (begins(head, b"BM"), lambda: _opaque(_coloured(_decode_other(file))[0])),
        ],
        default=lambda: _coloured(_decode_other(file)),
    )
    return tf.ensure_shape(colour, (None, None, 3)), alpha


def _bounded(file):
    """`file`, refused before anything of it is decoded if its picture is too large."""
    pixels = pixels_of(file)
    message = f"An image must have at most {MAX_PIXELS // 10**6} megapixels. Received pixels:"
    with tf.control_dependencies([tf.debugging.Assert(pixels <= MAX_PIXELS, [message, pixels])]):
        return tf.identity(file)


def _decode_jpeg(file):
    # As Pillow decodes; TensorFlow's default is quicker and off by a few levels.
    return tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_webp(file, head):
    """A WebP file, its number of channels read from its head.

    Left to find it out, TensorFlow 2.21 writes beyond its memory on an animation
    without transparency, which ends the server. Told, it refuses such a file.
    """
    extended = begins(head[12:], b"VP8X") & (head[20] & 0x10 > 0)
    lossless = begins(head[12:], b"VP8L") & (head[24] & 0x10 > 0)
    return tf.cond(
        extended | lossless,
        lambda: _coloured(tf.io.decode_image(file, 4, expand_animations=False)),
        lambda: _opaque(tf.io.decode_image(file, 3, expand_animations=False)),
    )


def _decode_other(file):
    return tf.io.decode_image(file, expand_animations=False)


def _coloured(image):
    """Grey or colour as colour, and its alpha channel, if it has one, else nothing."""
    channels = tf.shape(image)[-1]
    colour, alpha = tf.split(image, [channels - 1 + channels % 2, (channels + 1) % 2], axis=-1)
    return tf.cond(channels < 3, lambda: tf.repeat(colour, 3, axis=-1), lambda: colour), alpha


def _opaque(image):
    return image, image[..., :0]


@_traced_once(input_signature=[tf.TensorSpec((None, None, n), tf.uint8) for n in (3, None)])
def on_white(colour, alpha):
    """Colours with an alpha channel, or none, as they are seen on white."""

    def laid():
        share = tf.cast(alpha, tf.int32)
        return tf.cast(
            (tf.cast(colour, tf.int32) * share + 255 * (255 - share) + 127) // 255, tf.uint8
        )

    return tf.cond(tf.size(alpha) > 0, laid, lambda: colour)


def in_own_colours(image, mask, own, seen):
    """An edit of what is seen of a photo, laid on its own colours, see `Photo.edited`."""
    unseen = (1.0 - mask) * (tf.cast(own, tf.float32) - tf.cast(seen, tf.float32))
    edited = tf.clip_by_value(tf.round(tf.cast(image, tf.float32) + unseen), 0.0, 255.0)
    return tf.where(mask > 0.0, tf.cast(edited, tf.uint8), own)


def encode(image):
    """A uint8 image as a PNG file, in a tenth of the time that the default takes."""
    return tf.io.encode_png(image, compression=1)


def encode_mask(mask):
    """A mask `(height, width, 1)` in [0, 1] as a grey PNG file."""
    return encode(tf.cast(tf.round(mask * 255.0), tf.uint8))
