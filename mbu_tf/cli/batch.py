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


def process(arguments, edit, edit_video=None):
    """Write `edit(model, image)` for every image; those unreadable or without a face are skipped.

    They are named.

    Args:
        arguments: with `model`, `images`, `output` and `part`.
        edit: function of the model and a uint8 photo to a uint8 picture.
        edit_video: function of the model, a video's path and that of its result, where videos
            may stand among the images.

    Returns:
        Exit status: 0 if every image was processed, else 1.

    Raises:
        ValueError: if two images would be written to one file, or one over itself.
    """
    from mbu_tf.data.images import ImageReadError, read_image, write_png
    from mbu_tf.faces import NoFaceError
    from mbu_tf.files import make_folder
    from mbu_tf.models.loading import load_editor
    from mbu_tf.video import VideoReadError, is_video, result_name

    videos = {image for image in arguments.images if edit_video and is_video(image)}
    outputs = {}
    for image in arguments.images:
        name = result_name(image) if image in videos else f"{pathlib.Path(image).stem}.png"
        output = pathlib.Path(arguments.output) / name
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
            if image in videos:
                edit_video(model, image, output)
            else:
                write_png(output, edit(model, read_image(image)))
        except (ImageReadError, VideoReadError) as error:
            print(f"mbu-tf: skipped: {error}", file=sys.stderr)
            skipped += 1
        except NoFaceError as error:
            print(f"mbu-tf: skipped: {image}: {error}", file=sys.stderr)
            skipped += 1
    if skipped:
        print(f"mbu-tf: skipped {skipped} of {len(outputs)} images", file=sys.stderr)
    return 1 if skipped else 0
