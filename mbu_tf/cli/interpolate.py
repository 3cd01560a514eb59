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
    import numpy as np

    from mbu_tf.data.images import read_image, read_photo, write_png
    from mbu_tf.data.photo import Photo
    from mbu_tf.models.loading import load_editor
    from mbu_tf.photos import interpolate_photo, mask_to_uint8

    target, references = read_photo(arguments.target), map(read_image, arguments.reference)
    model = load_editor(arguments.model, arguments.part)
    options = photo_options(arguments)
    edits = list(interpolate_photo(model, target.image, *references, arguments.steps, **options))
    images = np.concatenate([target.edited(*edit).pixels for edit in edits], axis=1)
    masks = np.concatenate([mask_to_uint8(edit.mask) for edit in edits], axis=1)
    strip, alpha = np.concatenate([images, np.stack([masks] * 3, axis=-1)]), None
    if target.alpha is not None:
        opaque = np.full_like(masks, 255)
        alpha = np.concatenate([np.tile(target.alpha, arguments.steps), opaque])
    write_png(arguments.output, Photo(strip, target.profile, alpha, target.dpi))
