"""`mbu-tf remove`: images and videos without the content."""

from mbu_tf.cli import batch
from mbu_tf.cli.arguments import (
    add_command,
    add_detail,
    add_face_options,
    add_threshold,
    photo_options,
)
from mbu_tf.cli.progress import Progress


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "remove",
        "take the content off images and videos",
        run,
        [
            "mbu-tf remove model.keras photo.jpg clip.mp4 --output removed",
            "mbu-tf remove model.keras photos --output removed",
        ],
    )
    batch.add_arguments(parser)
    add_face_options(parser)
    add_detail(parser)
    add_threshold(parser)


def run(arguments):
    from mbu_tf.photos import remove_photo
    from mbu_tf.video import remove_video

    options = {"threshold": arguments.threshold, **photo_options(arguments)}

    def edit(model, photo):
        return photo.edited(*remove_photo(model, photo.image, **options))

    def edit_video(model, source, output):
        with Progress() as progress:
            remove_video(model, source, output, progress=progress, **options)

    return batch.process(arguments, edit, edit_video)
