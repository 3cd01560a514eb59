"""Entry point: reads the arguments before anything heavy is imported."""

import argparse
import os
import sys

from mbu_tf import __version__
from mbu_tf.cli import demo, interpolate, remove, segment, train, transfer

COMMANDS = (demo, train, transfer, interpolate, remove, segment)

EPILOG = """\
examples:
  mbu-tf demo --output demo
  mbu-tf train --preset glasses --data celeba:CelebA:glasses --output run --image-size 64
  mbu-tf transfer run/model.keras --target face.jpg --reference glasses.jpg --output out.png
  mbu-tf remove run/model.keras photos/*.jpg --output removed
  mbu-tf segment run/model.keras photos/*.jpg --output masks
"""


def build_parser():
    parser = argparse.ArgumentParser(
        prog="mbu-tf",
        description="Learn what one image set has that another lacks; add, remove, outline it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mbu_tf {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv=None):
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    # TensorFlow's start-up notes and deprecations are not the user's business.
    import absl.logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    absl.logging.set_verbosity(absl.logging.ERROR)
    try:
        return arguments.run(arguments) or 0
    except (ValueError, OSError, ImportError) as error:
        print(f"mbu-tf: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mbu-tf: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
