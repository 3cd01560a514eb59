"""Many images in, one PNG each out: what `remove` and `segment` share."""

import pathlib
import sys

from mbu_tf.cli.arguments import add_part


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="a .keras file")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="images of any size")
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="folder for one .png per image, same stem"
    )
    add_part(parser)


def process(arguments, edit):
    """Write `edit(model, image)` for every image; those unreadable or without a face are skipped.

    They are named.

    Args:
        arguments: with `model`, `images`, `output` and `part`.
        edit: function of the model and a uint8 photo to a uint8 picture.

    Returns:
        Exit status: 0 if every image was processed, else 1.

    Raises:
        ValueError: if two images would be written to one file, or one over itself.
    """
    from mbu_tf.data.images import ImageReadError, read_image, write_png
    from mbu_tf.faces import NoFaceError
    from mbu_tf.files import make_folder
    from mbu_tf.models.loading import load_editor

    outputs = {}
    for image in arguments.images:
        output = pathlib.Path(arguments.output) / f"{pathlib.Path(image).stem}.png"
        if output in outputs:
            raise ValueError(
                f"{outputs[output]} and {image} would both be written to {output}. "
                "Rename one of them, or process them into two folders."
            )
        if output.resolve() == pathlib.Path(image).resolve():
            raise ValueError(
                f"{image} would be overwritten by its own result. Choose another --output."
            )
        outputs[output] = image
    model = load_editor(arguments.model, arguments.part)
    make_folder(arguments.output)
    skipped = 0
    for output, image in outputs.items():
        try:
            edited = edit(model, read_image(image))
        except ImageReadError as error:
            print(f"mbu-tf: skipped: {error}", file=sys.stderr)
            skipped += 1
        except NoFaceError as error:
            print(f"mbu-tf: skipped: {image}: {error}", file=sys.stderr)
            skipped += 1
        else:
            write_png(output, edited)
    if skipped:
        print(f"mbu-tf: skipped {skipped} of {len(outputs)} images", file=sys.stderr)
    return 1 if skipped else 0
