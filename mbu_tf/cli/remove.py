"""`mbu-tf remove`: images without the content."""

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
        "remove",
        "take the content off images",
        run,
        [
            "mbu-tf remove model.keras photo.jpg --output removed",
            "mbu-tf remove model.keras photos --output removed",
        ],
    )
    batch.add_arguments(parser)
    add_face_options(parser)
    add_detail(parser)
    add_threshold(parser)


def run(arguments):
    from mbu_tf.photos import remove_photo

    def edit(model, photo):
        options = photo_options(arguments)
        return photo.edited(*remove_photo(model, photo.image, arguments.threshold, **options))

    return batch.process(arguments, edit)
