"""Many images in, one PNG each out: what `remove` and `segment` share."""

import contextlib
import errno
import os
import pathlib
import sys

from mbu_tf.cli.arguments import add_model, add_part


def add_arguments(parser):
    add_model(parser)
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="images of any size, or folders, which are searched with all below them",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for one .png per image, same stem; below it as the images lie in their folder",
    )
    add_part(parser)


def process(arguments, edit, edit_video=None):
    """Write `edit(model, image)` for every image; those unreadable or without a face are skipped.

    They are named.

    Args:
        arguments: with `model`, `images`, `output` and `part`.
        edit: function of the model and a `Photo` to a picture for `write_png`.
        edit_video: function of the model, a video's path and that of its result, where videos
            may stand among the images.

    Returns:
        Exit status: 0 if every image was processed, else 1.

    Raises:
        ValueError: if two images would be written to one file, or one over an image that is
            given, or a folder holds no image.
        FileExistsError: if one would be written over a file that is no earlier result.
    """
    from mbu_tf.data.images import ImageReadError, read_photo, write_png
    from mbu_tf.faces import NoFaceError
    from mbu_tf.models.loading import load_editor
    from mbu_tf.system.files import make_folder
    from mbu_tf.video import VideoReadError, is_video

    videos = is_video if edit_video else lambda image: False
    outputs = _outputs(arguments.images, pathlib.Path(arguments.output), videos)
    _check_unharmed(outputs)
    model = load_editor(arguments.model, arguments.part)
    make_folder(arguments.output)
    skipped = 0
    for output, image in outputs.items():
        try:
            make_folder(output.parent)
            if videos(image):
                edit_video(model, image, output)
            else:
                write_png(output, edit(model, read_photo(image)))
        except (ImageReadError, VideoReadError, NoFaceError, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
                raise  # Such as a full disk, which the next one meets as well.
            named = isinstance(error, (ImageReadError, VideoReadError))
            print(f"mbu-tf: skipped: {'' if named else f'{image}: '}{error}", file=sys.stderr)
            skipped += 1
    if skipped:
        print(f"mbu-tf: skipped {skipped} of {len(outputs)} images", file=sys.stderr)
    return 1 if skipped else 0


def _outputs(images, folder, videos):
    """The image that is written to each path below `folder`, of images and folders of them."""
    from mbu_tf.video import result_name

    outputs = {}
    for image, name in _named(images, folder):
        output = folder / name
        output = (
            output.with_name(result_name(image)) if videos(image) else output.with_suffix(".png")
        )
        if output in outputs:
            raise ValueError(
                f"{outputs[output]} and {image} would both be written to {output}. "
                "Rename one of them, or process them into two folders."
            )
        outputs[output] = image
    return outputs


def _check_unharmed(outputs):
    """Raise unless what would be replaced are earlier results, and none of the images."""
    from mbu_tf.data.images import check_earlier_result
    from mbu_tf.video.writing import is_made_here as is_video_made_here

    given = {}
    for image in outputs.values():
        with contextlib.suppress(OSError):
            given[_identity(image)] = image
    for output, image in outputs.items():
        if not os.path.lexists(output):
            continue
        other = given.get(_identity(output)) if output.exists() else None
        if other is not None:
            result = "its own result" if other == image else f"the result of {image}"
            raise ValueError(f"{other} would be overwritten by {result}. Choose another --output.")
        check_earlier_result(output, is_video_made_here)


def _identity(path):
    """What is the same of all paths that lead to one file."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _named(images, folder):
    """Each image and what its result is called, but for the ending; earlier results are none."""
    from mbu_tf.data.search import image_paths

    for image in images:
        if not os.path.isdir(image):
            yield image, pathlib.Path(image).name
            continue
        results = folder.resolve() if folder.resolve() != pathlib.Path(image).resolve() else None
        for path in map(pathlib.Path, image_paths(image)):
            if results not in path.resolve().parents:
                yield path, path.relative_to(image)
