"""How large the picture of an image file is, read from its head in TensorFlow operations alone.

Nothing is decoded, so that a server can refuse a file of a few bytes that would become
gigabytes of pixels.
"""

import tensorflow as tf

# The first bytes tell all formats apart and, of most, the size.
HEAD = 32


def head_of(file):
    """The first bytes of a file as int64 `(HEAD,)`, zeros where it is shorter."""
    head = _bytes_of(tf.strings.substr(file, 0, HEAD) + HEAD * b"\0")[:HEAD]
    return tf.ensure_shape(head, (HEAD,))


def begins(head, letters):
    """Whether bytes begin with `letters`."""
    return tf.reduce_all(head[: len(letters)] == list(letters))


def pixels_of(file):
    """Pixels that are made when a file is decoded, int64; 0 of what is no image.

    Of a GIF file all frames are decoded: theirs together, or those of the canvas that
    holds them, if these are more.
    """
    head = head_of(file)
    return tf.case(
        [
            (begins(head, b"\xff\xd8\xff"), lambda: _product(_jpeg(file))),
            (begins(head, b"\x89PNG"), lambda: _product([_big(head[16:20]), _big(head[20:24])])),
            (begins(head, b"RIFF"), lambda: _product(_webp(head))),
            (begins(head, b"BM"), lambda: _product([_signed(head[18:22]), _signed(head[22:26])])),
            (begins(head, b"GIF8"), lambda: _gif(file)),
        ],
        default=lambda: tf.constant(0, tf.int64),
    )


def _product(sizes):
    return tf.reduce_prod(tf.abs(tf.cast(sizes, tf.int64)))


def _jpeg(file):
    """Height and width; the operation reads on until it finds them."""
    return tf.image.extract_jpeg_shape(file)[:2]


def _webp(head):
    """Width and height of the three kinds of WebP (RFC 9649)."""
    extended = [_little(head[24:27]) + 1, _little(head[27:30]) + 1]
    bits = _little(head[21:25])
    lossless = [bits % 2**14 + 1, bits // 2**14 % 2**14 + 1]
    lossy = [_little(head[26:28]) % 2**14, _little(head[28:30]) % 2**14]
    return tf.case(
        [
            (begins(head[12:], b"VP8X"), lambda: tf.stack(extended)),
            (begins(head[12:], b"VP8L"), lambda: tf.stack(lossless)),
        ],
        default=lambda: tf.stack(lossy),
    )


def _gif(file):
    """Pixels of a GIF file's frames, block after block (GIF89a, 19 to 27)."""
    # As long as what is looked at from any place within the file.
    data = _bytes_of(file + 16 * b"\0")
    end = tf.cast(tf.strings.length(file), tf.int64)

    yes, no = tf.constant(True), tf.constant(False)

    def table(flags):
        """Bytes of the colour table that such flags announce."""
        return flags // 128 * 3 * 2 ** (flags % 8 + 1)

    def step(place, size, total, within):
        def part():  # Of a block, which one of no bytes ends.
            return place + 1 + data[place], size, total, data[place] > 0

        def frame():
            found = tf.stack([data[place + i] + 256 * data[place + i + 1] for i in (5, 7)])
            after = place + 11 + table(data[place + 9])
            return after, tf.maximum(size, found), total + tf.reduce_prod(found), yes

        def extension():
            return place + 2, size, total, yes

        def last():
            return end, size, total, no

        cases = [(within, part), (data[place] == 0x2C, frame), (data[place] == 0x21, extension)]
        return tf.case(cases, default=last)

    start = 13 + table(data[10])
    begun = start, tf.zeros(2, tf.int64), tf.constant(0, tf.int64), no
    _, size, total, _ = tf.while_loop(lambda place, *_: place < end, step, begun)
    return tf.maximum(tf.reduce_prod(size), total)


def _bytes_of(text):
    return tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int64)


def _little(data):
    """The integer of some bytes, the lowest first."""
    return tf.reduce_sum(data * [256**i for i in range(data.shape[0])])


def _big(data):
    return _little(data[::-1])


def _signed(data):
    """The same of four bytes with a sign."""
    return (_little(data) + 2**31) % 2**32 - 2**31
