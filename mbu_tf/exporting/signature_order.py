"""The order of a TensorFlow Lite file's signatures, the first of which is run by default.

Who gives a runtime no signature's name, or reads the file as OpenVINO does, has its
first subgraph. TensorFlow's converter sorts them by name, which would make that the
removal. So it is given names that begin with their numbers, which are taken off again.
"""

import struct


def numbered(names):
    """Each of `names` with its number, by which it is sorted, before it: a dictionary."""
    return {name: f"{number:02d}.{name}" for number, name in enumerate(names)}


def without_numbers(content, names):
    """The bytes of a converted file, its names as they were before `numbered`.

    A FlatBuffer holds a string as its length, its letters and a zero. A shorter one
    takes its place, and zeros the rest.
    """
    content = bytearray(content)
    for name, long in numbered(names).items():
        begin = long.encode()
        number = len(begin) - len(name.encode())
        at = content.find(begin, 4)
        while at >= 0:
            (length,) = struct.unpack_from("<I", content, at - 4)
            if content[at + length : at + length + 1] == b"\0":  # A string that begins so.
                rest = content[at + number : at + length]
                struct.pack_into("<I", content, at - 4, len(rest))
                content[at : at + length] = rest + bytes(number)
            at = content.find(begin, at + 1)
    return bytes(content)
