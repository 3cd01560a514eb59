"""ICC profiles made by hand, and what their colours are in sRGB by the formulas."""

import struct

import numpy as np

# The primaries' XYZ under D50, as the profiles of Display P3 and sRGB state them (columns).
P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78400]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
GAMMA = 2.0
COLOURS = (b"r", b"g", b"b")


def fixed(*numbers):
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def xyz(values):
    return b"XYZ \0\0\0\0" + fixed(*values)


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def profile(kind, space, connection, tags):
    """A profile of version 2."""
    text = b"made by hand\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        **tags,
    }
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        offset = 128 + 4 + 12 * len(tags) + len(data)
        table += name + struct.pack(">II", offset, len(content))
        data += content + bytes(-len(content) % 4)
    size = 132 + 12 * len(tags) + len(data)
    head = struct.pack(">I4sI", size, b"test", 0x02100000) + kind + space + connection
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += fixed(0.9642, 1.0, 0.8249)
    return head + bytes(128 - len(head)) + table + data


def display_p3():
    """Display P3's primaries with a gamma of 2."""
    tags = {name + b"XYZ": xyz(column) for name, column in zip(COLOURS, P3.T, strict=True)}
    curves = {name + b"TRC": curve(GAMMA) for name in COLOURS}
    return profile(b"mntr", b"RGB ", b"XYZ ", tags | curves)


def grey():
    """Grey with a gamma of 1.8."""
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve(1.8)})


def by_table(kind, space, channels):
    """A profile with a table and no way back, in which the last channel alone counts.

    Its lightness L* falls from 100 to 0 as that channel grows.
    """
    same = bytes(range(256))
    nodes = bytes(x for i in range(2**channels) for x in (0 if i % 2 else 255, 128, 128))
    table = b"mft1\0\0\0\0" + bytes([channels, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return profile(kind, space, b"Lab ", {b"A2B0": table + same * channels + nodes + same * 3})


def encoded(linear):
    """Light in [0, 1] as sRGB's 8 bits, unrounded."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def p3_in_srgb(pixels):
    """`(…, 3)` in 8 bits of `display_p3`, in sRGB's."""
    return encoded((pixels / 255.0) ** GAMMA @ (np.linalg.inv(SRGB) @ P3).T)


def srgb_in_p3(pixels):
    """The way back."""
    values = pixels / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return 255 * np.clip(linear @ (np.linalg.inv(P3) @ SRGB).T, 0, 1) ** (1 / GAMMA)


def lightness_in_srgb(lightness):
    """Grey of lightness L* in [0, 100], in sRGB's 8 bits."""
    cube = ((np.asarray(lightness) + 16) / 116) ** 3
    return encoded(np.where(cube > 0.008856, cube, np.asarray(lightness) / 903.3))
