"""Signatures on image files as bytes, in TensorFlow operations alone.

They do what `mbu_tf.photos` does, inside a SavedModel: a server is sent JPEG,
PNG or WebP files of any size and answers with PNG files of the same size, in
which every pixel outside the mask is the photo's own.
"""

import tensorflow as tf

from mbu_tf.exporting.signatures import Signature, operations
from mbu_tf.photos import MASK_FLOOR


def encoded_signatures(model):
    """The signatures on bytes: name, ending in `_encoded`, to `Signature`.

    Inputs are called as in `signatures` and are `(batch,)` strings. Outputs,
    `(batch,)` strings too, end in `_bytes`, by which TensorFlow Serving's REST
    interface knows what to send as base64.
    """
    return {
        f"{name}_encoded": _signature(stated, model.image_size)
        for name, stated in operations(model).items()
    }


def _signature(operation, size):
    outlines = operation.threshold is not None

    def edit(files):
        own, alpha = decode_channels(files[0])
        photos = [on_white(own, alpha), *map(decode, files[1:])]
        layers = operation.layers(*(model_input(photo, size)[None] for photo in photos))
        if outlines:
            mask = enlarged(layers[0].mask[0], photos[0])
            return encode_mask(mask), encode_mask(tf.cast(mask >= operation.threshold, tf.float32))
        image, mask = photos[0], None
        for layer in layers:
            image, laid = lay_on(image, layer.image[0], layer.mask[0])
            mask = laid if mask is None else tf.maximum(mask, laid)
        image = tf.concat([in_own_colours(image, mask, own, photos[0]), alpha], axis=-1)
        return encode(image), encode_mask(mask)

    outputs = ("mask_bytes", "binary_bytes") if outlines else ("image_bytes", "mask_bytes")

    def function(**files):
        # One photo at a time: they differ in size, and reading and writing the
        # files takes longer than the networks do.
        results = tf.map_fn(
            edit,
            tuple(files[name] for name in operation.images),
            fn_output_signature=(tf.string, tf.string),
        )
        return dict(zip(outputs, results, strict=True))

    inputs = {name: tf.TensorSpec((None,), tf.string, name) for name in operation.images}
    return Signature(function, inputs, outputs)


def decode(file):
    """uint8 RGB `(height, width, 3)` of the bytes of one image, transparency laid on white."""
    return on_white(*decode_channels(file))


def decode_channels(file):
    """The bytes of one image as uint8 RGB `(height, width, 3)` and its alpha channel.

    That is `(height, width, 1)`, or of no channel where the file has none.
    """
    # As long as what is looked at, though the file be shorter.
    head = tf.io.decode_raw(tf.strings.substr(file, 0, 32) + 32 * b"\0", tf.uint8)
    head = tf.cast(head, tf.int32)
    colour, alpha = tf.case(
        [
            (_begins(head, b"\xff\xd8\xff"), lambda: _opaque(_decode_jpeg(file))),
            (_begins(head, b"RIFF"), lambda: _decode_webp(file, head)),
            # The fourth channel of a BMP file is padding.
            (_begins(head, b"BM"), lambda: _opaque(_coloured(_decode_other(file))[0])),
        ],
        default=lambda: _coloured(_decode_other(file)),
    )
    return tf.ensure_shape(colour, (None, None, 3)), alpha


def _begins(head, letters):
    return tf.reduce_all(head[: len(letters)] == list(letters))


def _decode_jpeg(file):
    # As Pillow decodes; TensorFlow's default is quicker and off by a few levels.
    return tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_webp(file, head):
    """A WebP file, its number of channels read from its head.

    Left to find it out, TensorFlow 2.21 writes beyond its memory on an animation
    without transparency, which ends the server. Told, it refuses such a file.
    """
    extended = _begins(head[12:], b"VP8X") & (head[20] & 0x10 > 0)
    lossless = _begins(head[12:], b"VP8L") & (head[24] & 0x10 > 0)
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


def center_square(photo):
    """The largest centred square of `photo` `(height, width, channels)`, and where it begins."""
    shape = tf.shape(photo)[:2]
    side = tf.reduce_min(shape)
    top, left = tf.unstack((shape - side) // 2)
    return photo[top : top + side, left : left + side], (top, left)


def model_input(photo, size):
    """A uint8 photo as the model sees it: float32 `(size, size, 3)` in [-1, 1]."""
    square, _ = center_square(photo)
    side = tf.shape(square)[0]
    # One axis after the other with 8 bits between them, halves up, as Pillow resizes.
    for shape in ((side, size), (size, size)):
        square = tf.image.resize(square, shape, "bicubic", antialias=True)
        square = tf.clip_by_value(tf.floor(square + 0.5), 0.0, 255.0)
    return tf.ensure_shape(square, (size, size, 3)) / 127.5 - 1.0


def enlarged(channels, photo):
    """`(size, size, channels)` resized to the photo's centre square, zeros around it."""
    square, (top, left) = center_square(photo)
    side = tf.shape(square)[:2]
    height, width = tf.unstack(tf.shape(photo)[:2])
    resized = tf.image.resize(channels, side, "bilinear", antialias=True)
    return tf.image.pad_to_bounding_box(resized, top, left, height, width)


def lay_on(photo, paint, mask):
    """A layer of one image laid on a uint8 photo, as `mbu_tf.photos` does, and its mask there."""
    paint = (paint + 1.0) * 127.5
    whole = enlarged(mask, photo)
    opacity = tf.where(whole >= MASK_FLOOR, whole, 0.0)
    binary = tf.reduce_all((mask == 0.0) | (mask == 1.0))
    opacity = tf.cond(binary, lambda: tf.math.ceil(opacity), lambda: opacity)
    colour = enlarged(paint * mask, photo) / tf.maximum(whole, MASK_FLOOR)
    blended = tf.round(opacity * colour + (1.0 - opacity) * tf.cast(photo, tf.float32))
    blended = tf.cast(tf.clip_by_value(blended, 0.0, 255.0), tf.uint8)
    return tf.where(opacity > 0.0, blended, photo), opacity


def encode(image):
    """A uint8 image as a PNG file, in a tenth of the time that the default takes."""
    return tf.io.encode_png(image, compression=1)


def encode_mask(mask):
    """A mask `(height, width, 1)` in [0, 1] as a grey PNG file."""
    return encode(tf.cast(tf.round(mask * 255.0), tf.uint8))
