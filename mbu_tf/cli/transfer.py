"""`mbu-tf transfer`: one photo's content on another photo, or on each frame of a video."""

from mbu_tf.cli.arguments import (
    add_command,
    add_detail,
    add_face_options,
    add_model,
    add_reference_face,
    photo_options,
    png_path,
)
from mbu_tf.cli.progress import Progress


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "transfer",
        "put the content of a reference image on a target image or video",
        run,
        [
            "mbu-tf transfer model.keras --target face.jpg --reference glasses.jpg --output z.png",
            "mbu-tf transfer model.keras --target a.png --reference b.png --output z.png "
            "--mask mask.png",
            "mbu-tf transfer model.keras --target group.jpg --face all --reference b.png "
            "--output z.png",
            "mbu-tf transfer model.keras --target clip.mp4 --reference b.png --output z.mp4",
            "mbu-tf transfer didd.keras --target b.png --reference a.png --to a --output z.png",
            "mbu-tf transfer fader.keras --target b.png --to a --output z.png",
        ],
    )
    add_model(parser)
    parser.add_argument(
        "--target",
        required=True,
        metavar="IMAGE",
        help="image to be edited, or a video, or a folder of its frames",
    )
    parser.add_argument(
        "--reference",
        metavar="IMAGE",
        help="shows the content; of a fader model none, which makes it up",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="IMAGE",
        help="the result, a .png; of a video a video, or a folder for one .png per frame",
    )
    parser.add_argument(
        "--to",
        choices=["a", "b"],
        default="b",
        help="which domain's part is wanted, of a model that knows both: the target loses its own "
        "(default: b)",
    )
    parser.add_argument(
        "--mask", type=png_path, metavar="IMAGE", help="also write the soft mask here, a .png"
    )
    add_face_options(parser)
    add_detail(parser)
    add_reference_face(parser)


def run(arguments):
    from mbu_tf.data.images import read_photo, write_png
    from mbu_tf.models.loading import load_model
    from mbu_tf.photos import mask_to_uint8, translate_photo
    from mbu_tf.system.files import check_outputs
    from mbu_tf.video import is_video

    if is_video(arguments.target):
        return _transfer_to_video(arguments)
    if not arguments.output.lower().endswith(".png"):
        raise ValueError(f"--output: must end in .png. Received: {arguments.output}")
    inputs = arguments.model, arguments.target, arguments.reference
    check_outputs([arguments.output, arguments.mask], inputs)
    target, reference = read_photo(arguments.target), _reference(arguments)
    model = load_model(arguments.model)
    edit = translate_photo(model, target.image, reference, arguments.to, **photo_options(arguments))
    write_png(arguments.output, target.edited(*edit))
    if arguments.mask:
        write_png(arguments.mask, mask_to_uint8(edit.mask))


def _reference(arguments):
    from mbu_tf.data.images import read_image

    return None if arguments.reference is None else read_image(arguments.reference)


def _transfer_to_video(arguments):
    from mbu_tf.models.loading import load_model
    from mbu_tf.system.files import check_outputs
    from mbu_tf.video import check_output, translate_video

    if arguments.mask:
        raise ValueError("--mask is written of images alone: leave it out.")
    check_output(arguments.output, arguments.target)
    check_outputs([arguments.output], [arguments.model, arguments.target, arguments.reference])
    reference, model = _reference(arguments), load_model(arguments.model)
    with Progress() as progress:
        translate_video(
            model,
            arguments.target,
            reference,
            arguments.output,
            arguments.to,
            progress=progress,
            **photo_options(arguments),
        )
