"""`mbu-tf segment`: masks of the content."""

from mbu_tf.cli import batch
from mbu_tf.cli.arguments import (
    add_command,
    add_detail,
    add_face_options,
    add_threshold,
    photo_options,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "segment",
        "outline the content of images",
        run,
        [
            "mbu-tf segment model.keras photo.jpg --output masks",
            "mbu-tf segment model.keras photos --output masks --soft",
        ],
    )
    batch.add_arguments(parser)
    add_face_options(parser)
    add_detail(parser)
    kind = parser.add_mutually_exclusive_group()
    add_threshold(kind)
    kind.add_argument("--soft", action="store_true", help="write soft masks, not black and white")


def run(arguments):
    from mbu_tf.photos import mask_to_uint8, segment_photo

    threshold = None if arguments.soft else arguments.threshold or "stored"

    def edit(model, photo):
        options = photo_options(arguments)
        return mask_to_uint8(segment_photo(model, photo.image, threshold, **options))

    return batch.process(arguments, edit)
