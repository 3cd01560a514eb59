"""Argument types and parts that several commands share; imports nothing heavy."""

import argparse
import sys

FRAMINGS = ("centre", "face", "eyes", "mouth")


def positive_int(text):
    """An integer of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer. Received: {text}")
    return value


def at_least_two(text):
    """An integer of at least 2."""
    value = positive_int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"must be at least 2. Received: {text}")
    return value


def power_of_two(text):
    """A power of two of at least 8, which the presets' networks need."""
    value = positive_int(text)
    if value < 8 or value & (value - 1):
        raise argparse.ArgumentTypeError(
            f"must be a power of two of at least 8, such as 64 or 128. Received: {text}"
        )
    return value


def seed_number(text):
    """An integer that NumPy takes as a seed."""
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"must be an integer below 2**32. Received: {text}")
    return value


def positive_number(text):
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number. Received: {text}")
    return value


def fraction(text):
    """A number between 0 and 1, both excluded."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1. Received: {text}")
    return value


def png_path(text):
    """The name of a PNG file to be written."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return text


def crop(text):
    """`center`, `whole` (`None`) or a box of four integers."""
    if text in ("center", "whole"):
        return None if text == "whole" else text
    try:
        left, top, right, bottom = map(int, text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"must be center, whole or LEFT,TOP,RIGHT,BOTTOM. Received: {text}"
        ) from error
    return left, top, right, bottom


def source(text):
    """A data source; only its form is checked."""
    from mbu_tf.data.sources import parse_source

    try:
        parse_source(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_command(subparsers, name, help, run, examples):
    """A subcommand's parser, with examples under its help."""
    parser = subparsers.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_model(parser):
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a .keras file, or the name of a trained model that `mbu-tf presets` lists",
    )


def add_overwrite(parser):
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a model that is at --output already"
    )


def add_threshold(parser):
    parser.add_argument(
        "--threshold",
        type=fraction,
        metavar="T",
        help="mask value from which a pixel belongs to the content (default: the model's own)",
    )


def add_part(parser):
    parser.add_argument(
        "--part",
        choices=["a", "b"],
        default="b",
        help="whose own part, of a model that knows both domains' (default: b)",
    )


def add_training_options(parser):
    """Arguments in place of what a preset says, and `--seed`."""
    parser.add_argument(
        "--image-size",
        type=power_of_two,
        metavar="N",
        help="a power of two of at least 8 (default: the preset's)",
    )
    parser.add_argument(
        "--steps", type=positive_int, metavar="N", help="training steps (default: the preset's)"
    )
    parser.add_argument(
        "--batch-size", type=positive_int, metavar="N", help="images per domain and step"
    )
    parser.add_argument(
        "--width",
        type=positive_number,
        metavar="W",
        help="relative width of the networks, e.g. 0.5",
    )
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")


def add_data(parser, use=""):
    """Argument `--data`; `use` says what of it is used for what."""
    parser.add_argument(
        "--data",
        required=True,
        type=source,
        metavar="SOURCE",
        help="avatars:TASK, folders:PATH (with trainA/ and trainB/), celeba:PATH:TASK, "
        f"drawn_glasses:PATH, portraits:PATH:TASK or tfds:NAME:A:B{use}",
    )


def add_source_options(parser):
    """Arguments `--crop`, `--framing` and `--cache`, see `source_options`."""
    parser.add_argument(
        "--crop",
        type=crop,
        default=argparse.SUPPRESS,
        metavar="CROP",
        help="center, whole or LEFT,TOP,RIGHT,BOTTOM in pixels, before resizing (default: the "
        "centre square); not for avatars",
    )
    parser.add_argument(
        "--framing",
        choices=FRAMINGS,
        default=argparse.SUPPRESS,
        help="face: the face is found in each photo and its eyes are laid at the same places; "
        "eyes: the same, but from temple to temple, for glasses; mouth: down to below the chin, "
        "for beards (default: the preset's, else the centre); for photos in folders and tfds",
    )
    parser.add_argument(
        "--cache",
        default=argparse.SUPPRESS,
        metavar="CACHE",
        help="memory, none (every file is read anew) or disk:FOLDER, which later runs find again "
        "(default: memory up to 2 GB, else none); not for avatars",
    )


def source_options(arguments):
    """What `load_source` is to be told besides, of what is given.

    Raises:
        ValueError: if avatars are to be cropped, framed or cached, portraits cropped or
            cached, or CelebA framed.
    """
    names = ("crop", "framing", "cache")
    options = {name: getattr(arguments, name) for name in names if name in arguments}
    if options and arguments.data.startswith("avatars:"):
        given = " and ".join(f"--{name}" for name in options)
        raise ValueError(f"Avatars are rendered to size and held in memory: leave out {given}.")
    unknown = [f"--{name}" for name in options if name != "framing"]
    if unknown and arguments.data.startswith(("portraits:", "drawn_glasses:")):
        raise ValueError(
            "Portraits, and faces to draw on, are framed by their eyes and held in memory: leave "
            f"out {' and '.join(unknown)}."
        )
    if "framing" in options and arguments.data.startswith("celeba:"):
        raise ValueError(
            "CelebA's photos are aligned by their eyes as they are, and the model is told so: "
            "leave out --framing."
        )
    return options


def tell_counts(images):
    """Say on stderr how many images a `TwoDomains` has of each domain."""
    print(
        f"mbu-tf: {len(images.a)} images without the content (A), {len(images.b)} with it (B)",
        file=sys.stderr,
    )


def add_face_options(parser):
    """Arguments `--framing` and `--face`, see `photo_options`."""
    parser.add_argument(
        "--framing",
        choices=FRAMINGS,
        help="look at the face, around its eyes, or at the centre square (default: as the model "
        "was trained)",
    )
    parser.add_argument(
        "--face",
        type=face,
        default="largest",
        metavar="FACE",
        help="which faces are edited: largest, all, or N for the Nth largest (default: largest)",
    )


def add_reference_face(parser):
    parser.add_argument(
        "--reference-face",
        type=positive_int,
        default=argparse.SUPPRESS,
        metavar="N",
        help="which face of the reference shows the content, the Nth largest (default: 1)",
    )


def photo_options(arguments):
    """How photos are edited, as `mbu_tf.photos` takes it."""
    names = ("framing", "face", "reference_face", "detail")
    return {name: getattr(arguments, name) for name in names if name in arguments}


def add_detail(parser):
    parser.add_argument(
        "--no-detail",
        dest="detail",
        action="store_false",
        help="lay on what the model paints, enlarged, in place of what is as sharp as the photo",
    )


def face(text):
    """`largest`, `all` or a positive integer."""
    if text in ("largest", "all"):
        return text
    try:
        return positive_int(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"must be largest, all or a number from 1. Received: {text}"
        ) from error
