"""`mbu-tf remove`: images without the content."""

from mbu_tf.cli import batch
from mbu_tf.cli.arguments import add_command, add_face_options, add_threshold, face_options


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "remove",
        "take the content off images",
        run,
        ["mbu-tf remove model.keras photo.jpg --output removed"],
    )
    batch.add_arguments(parser)
    add_face_options(parser)
    add_threshold(parser)


def run(arguments):
    from mbu_tf.photos import remove_photo

    def edit(model, photo):
        return remove_photo(model, photo, arguments.threshold, **face_options(arguments)).image

    return batch.process(arguments, edit)
