"""`mbu-tf interpolate`: from one reference's content to another's (figure 4)."""

from mbu_tf.cli.arguments import (
    add_command,
    add_face_options,
    add_model,
    add_part,
    add_reference_face,
    at_least_two,
    photo_options,
    png_path,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "interpolate",
        "blend the content of two reference images on a target image",
        run,
        [
            "mbu-tf interpolate model.keras --target face.jpg --reference round.jpg dark.jpg "
            "--steps 6 --output strip.png"
        ],
    )
    add_model(parser)
    parser.add_argument("--target", required=True, metavar="IMAGE", help="image to be edited")
    parser.add_argument(
        "--reference", required=True, nargs=2, metavar="IMAGE", help="first and last content"
    )
    parser.add_argument(
        "--steps", type=at_least_two, default=6, metavar="N", help="pictures (default: 6)"
    )
    parser.add_argument(
        "--output",
        required=True,
        type=png_path,
        metavar="IMAGE",
        help="the result, a .png: a row of images over a row of their masks",
    )
    add_part(parser)
    add_face_options(parser)
    add_reference_face(parser)


def run(arguments):
    from PIL import Image

    from mbu_tf.data.images import read_image, read_photo, save_png
    from mbu_tf.models.loading import load_editor
    from mbu_tf.photos import interpolate_photo, mask_to_uint8
    from mbu_tf.system.files import check_outputs
    from mbu_tf.system.memory import check_memory

    check_outputs([arguments.output], [arguments.model, arguments.target, *arguments.reference])
    target, references = read_photo(arguments.target), map(read_image, arguments.reference)
    height, width = target.pixels.shape[:2]
    size = (width * arguments.steps, 2 * height)
    check_memory(4 * size[0] * size[1], "The strip", "Take a smaller photo or fewer --steps.")
    model = load_editor(arguments.model, arguments.part)
    options = photo_options(arguments)
    strip = Image.new("RGB" if target.alpha is None else "RGBA", size)
    # One picture at a time: of a large photo each takes a GB.
    edits = interpolate_photo(model, target.image, *references, arguments.steps, **options)
    for step, edit in enumerate(edits):
        edited = target.edited(*edit)
        picture, mask = Image.fromarray(edited.pixels), Image.fromarray(mask_to_uint8(edit.mask))
        if target.alpha is not None:
            picture.putalpha(Image.fromarray(target.alpha))
        strip.paste(picture, (step * width, 0))
        strip.paste(mask.convert(strip.mode), (step * width, height))
    save_png(arguments.output, strip, icc_profile=target.profile, dpi=target.dpi)
