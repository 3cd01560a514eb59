"""Entry point: reads the arguments before anything heavy is imported."""

import argparse
import os
import signal
import sys

from mbu_tf import __version__
from mbu_tf.cli import (
    ablate,
    convert,
    demo,
    evaluate,
    export,
    interpolate,
    presets,
    refine,
    remove,
    segment,
    study,
    train,
    transfer,
)
from mbu_tf.cli.quiet import quiet

COMMANDS = (
    demo,
    train,
    presets,
    refine,
    transfer,
    interpolate,
    remove,
    segment,
    evaluate,
    ablate,
    study,
    convert,
    export,
)

EPILOG = """\
examples:
  mbu-tf demo --output demo
  mbu-tf train --preset glasses --data celeba:CelebA:glasses --output run --image-size 64
  mbu-tf presets
  mbu-tf transfer faces_glasses --target face.jpg --reference glasses.jpg --output out.png
  mbu-tf transfer run/model.keras --target face.jpg --reference glasses.jpg --output out.png
  mbu-tf remove run/model.keras photos/*.jpg --output removed
  mbu-tf segment run/model.keras photos/*.jpg --output masks
  mbu-tf evaluate run/model.keras --data avatars:glasses --output report
  mbu-tf export run/model.keras --format tflite --output model.tflite
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
    _open_standard_files()
    arguments = build_parser().parse_args(argv)
    try:
        _start_tensorflow()
        return _run(arguments) or 0
    except (ValueError, OSError, ImportError, MemoryError, FloatingPointError) as error:
        print(f"mbu-tf: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:  # Or SIGTERM, where a command knows how to end well.
        print(f"mbu-tf: {str(error) or 'interrupted'}", file=sys.stderr)
        return 128 + getattr(error, "number", signal.SIGINT)


def _open_standard_files():
    """Let what is said go nowhere if there is no place for it.

    Else the next file that is opened would take the number of a closed standard file, and
    what TensorFlow says would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))


def _run(arguments):
    """Run the command; an error of TensorFlow's takes one line as well."""
    import tensorflow as tf

    from mbu_tf.system.failures import explaining_tensorflow, first_line

    try:
        with explaining_tensorflow():
            return arguments.run(arguments)
    except tf.errors.OpError as error:
        print(f"mbu-tf: TensorFlow failed. {first_line(error)}", file=sys.stderr)
        return 1


def _start_tensorflow():
    """Import TensorFlow and touch its devices without the notes it prints meanwhile.

    Some bypass every log level: a machine without a GPU is told of errors.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import absl.logging
        import keras
        import tensorflow as tf

        from mbu_tf.system.backend import leave_gpu_to_keras

        absl.logging.set_verbosity(absl.logging.ERROR)
        # Precision is what a command is told, not what Keras's file says.
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        leave_gpu_to_keras()
        tf.constant(0)


if __name__ == "__main__":
    sys.exit(main())
