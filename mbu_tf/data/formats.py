"""Which image files are read: their formats, and how their names end."""

import contextlib
import functools

from PIL import Image

# Of what Pillow reads, the formats of photos and drawings that a file's first bytes tell
# (those of TGA do not). HEIF is what pillow-heif adds.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF", "JPEG2000", "PPM")
HEIF_ENDINGS = (".heic", ".heif", ".hif")
HEIF_MEND = "pip install 'mbu_tf[heic]' (pillow-heif) reads HEIC"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@functools.cache
def readable_formats():
    """Those of `FORMATS` that can be read here, by Pillow's names."""
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@functools.cache
def image_endings():
    """How the names of files end that can be read here, in lower case: `(".jpg", …)`."""
    # MPO is what some cameras call a JPEG file with more than one picture in it.
    formats = {*readable_formats(), "MPO"}
    endings = Image.registered_extensions().items()
    return tuple(sorted(ending for ending, name in endings if name in formats))


def is_heif(head):
    """Whether a file that begins with these bytes, at least 12, is a HEIC or HEIF photo."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS
