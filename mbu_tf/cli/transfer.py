"""`mbu-tf transfer`: one photo's content on another photo."""

from mbu_tf.cli.arguments import (
    add_command,
    add_detail,
    add_face_options,
    add_reference_face,
    photo_options,
    png_path,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "transfer",
        "put the content of a reference image on a target image",
        run,
        [
            "mbu-tf transfer model.keras --target face.jpg --reference glasses.jpg --output z.png",
            "mbu-tf transfer model.keras --target a.png --reference b.png --output z.png "
            "--mask mask.png",
            "mbu-tf transfer model.keras --target group.jpg --face all --reference b.png "
            "--output z.png",
            "mbu-tf transfer didd.keras --target b.png --reference a.png --to a --output z.png",
        ],
    )
    parser.add_argument("model", metavar="MODEL", help="a .keras file")
    parser.add_argument("--target", required=True, metavar="IMAGE", help="image to be edited")
    parser.add_argument("--reference", required=True, metavar="IMAGE", help="shows the content")
    parser.add_argument(
        "--output", required=True, type=png_path, metavar="IMAGE", help="the result, a .png"
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
    from mbu_tf.data.images import read_image, read_photo, write_png
    from mbu_tf.models.loading import load_model
    from mbu_tf.photos import mask_to_uint8, translate_photo

    target, reference = read_photo(arguments.target), read_image(arguments.reference)
    model = load_model(arguments.model)
    edit = translate_photo(model, target.image, reference, arguments.to, **photo_options(arguments))
    write_png(arguments.output, target.edited(*edit))
    if arguments.mask:
        write_png(arguments.mask, mask_to_uint8(edit.mask))
