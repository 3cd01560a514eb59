"""`mbu-tf interpolate`: from one reference's content to another's (figure 4)."""

import pathlib

from mbu_tf.cli.arguments import (
    add_command,
    add_face_options,
    add_model,
    add_part,
    add_reference_face,
    at_least_two,
    photo_options,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "interpolate",
        "blend the content of two reference images on a target image",
        run,
        [
            "mbu-tf interpolate model.keras --target face.jpg --reference round.jpg dark.jpg "
            "--steps 6 --output strip.png",
            "mbu-tf interpolate model.keras --target large.jpg --reference round.jpg dark.jpg "
            "--output steps",
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
        metavar="PATH",
        help="the result, a .png: a row of images over a row of their masks; without an ending a "
        "folder, for an image and a mask of each step, which takes less memory of large photos",
    )
    add_part(parser)
    add_face_options(parser)
    add_reference_face(parser)


def run(arguments):
    from mbu_tf.data.images import read_image, read_photo
    from mbu_tf.models.loading import load_editor
    from mbu_tf.photos import interpolate_photo

    outputs = _outputs(pathlib.Path(arguments.output), arguments.steps)
    strip = len(outputs) == 1
    _check_outputs(arguments, outputs)
    target, references = read_photo(arguments.target), map(read_image, arguments.reference)
    if strip:
        _check_memory(target, arguments.steps)
    model = load_editor(arguments.model, arguments.part)
    options = photo_options(arguments)
    # One picture at a time: of a large photo each takes a GB.
    edits = interpolate_photo(model, target.image, *references, arguments.steps, **options)
    if strip:
        _write_strip(arguments.output, target, edits, arguments.steps)
    else:
        _write_steps(outputs, target, edits)


def _outputs(path, steps):
    """The path of the strip, or those of each step's image and mask, one after the other."""
    if path.suffix.lower() == ".png":
        return [path]
    if path.suffix:
        raise ValueError(
            "--output must end in .png, or have no ending, to be a folder of PNG files. "
            f"Received: {path}"
        )
    names = [f"step-{number + 1:0{len(str(steps))}}" for number in range(steps)]
    return [path / f"{name}{ending}.png" for name in names for ending in ("", "-mask")]


def _check_outputs(arguments, outputs):
    from mbu_tf.data.images import check_earlier_result
    from mbu_tf.system.files import check_outputs

    check_outputs(outputs, [arguments.model, arguments.target, *arguments.reference])
    for output in outputs if len(outputs) > 1 else ():
        check_earlier_result(output)


def _check_memory(target, steps):
    from mbu_tf.system.memory import check_memory

    # Pillow's pixels have four bytes.
    size = 4 * 2 * steps * target.pixels[..., 0].size
    check_memory(size, "The strip", "Name a folder as --output: it gets a picture of each step.")


def _write_strip(output, target, edits, steps):
    """A row of the edited photos over a row of their masks, as one picture."""
    from PIL import Image

    from mbu_tf.data.images import save_png
    from mbu_tf.photos import mask_to_uint8

    height, width = target.pixels.shape[:2]
    strip = Image.new("RGB" if target.alpha is None else "RGBA", (width * steps, 2 * height))
    for step, edit in enumerate(edits):
        picture = Image.fromarray(target.edited(*edit).pixels)
        mask = Image.fromarray(mask_to_uint8(edit.mask))
        if target.alpha is not None:
            picture.putalpha(Image.fromarray(target.alpha))
        strip.paste(picture, (step * width, 0))
        strip.paste(mask.convert(strip.mode), (step * width, height))
    save_png(output, strip, icc_profile=target.profile, dpi=target.dpi)


def _write_steps(outputs, target, edits):
    """Each step's edited photo and mask as two pictures."""
    from mbu_tf.data.images import write_png
    from mbu_tf.photos import mask_to_uint8
    from mbu_tf.system.files import make_folder

    make_folder(outputs[0].parent)
    for image, mask, edit in zip(outputs[::2], outputs[1::2], edits, strict=True):
        write_png(image, target.edited(*edit))
        write_png(mask, mask_to_uint8(edit.mask))
