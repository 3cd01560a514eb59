"""What a phone does around a TFLite model, in Python: the checked example.

python edit_photo.py MODEL.tflite transfer --target me.jpg --reference her.jpg --output out.png
python edit_photo.py MODEL.tflite remove --target me.jpg --output out.png
python edit_photo.py MODEL.tflite segment --target me.jpg --output mask.png

Needs numpy, pillow and ai-edge-litert; neither Keras nor this library. Photos
are uint8 `(height, width, 3)`, RGB. A model of faces is shown the square in which the
face has its eyes where the model wants them: `--faces` names the file that finds them, or
`--eyes` and `--reference-eyes` say where they are in the photo.
"""

import argparse
import json
import math
import zipfile
from typing import NamedTuple

import find_faces
import numpy as np
import photo_file
from PIL import Image

# Soft masks fade out slowly; what is fainter than this is left untouched.
MASK_FLOOR = 0.05
METADATA = "mbu_tf.json"


class Model:
    """The signatures of one .tflite file.

    Args:
        detail: whether its signatures with the ending `_detail` are taken, if it has any:
            they are shown larger images and edit them as sharply as they are.

    Attributes:
        size: height and width of its images.
        framing: how they are framed, see `metadata_of`.
    """

    def __init__(self, path, threads=1, detail=True):
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=threads)
        detailed = detail and "transfer_detail" in interpreter.get_signature_list()
        self._runners = {
            name: interpreter.get_signature_runner(f"{name}_detail" if detailed else name)
            for name in ("transfer", "remove", "segment")
        }
        details = self._runners["transfer"].get_input_details()
        self.size = int(details["target"]["shape"][1])
        self.framing = metadata_of(path)["framing"]

    def run(self, signature, **images):
        """One signature by name: float32 `(1, size, size, 3)` in [0, 1] in, a dict out."""
        return self._runners[signature](**images)


def metadata_of(path):
    """What a .tflite file tells of itself, in a ZIP archive at its end, as a dict.

    Its `framing` is `{"kind": "centre"}`, also where the file tells none, or `{"kind":
    "face", "left_eye": [u, v], "right_eye": [u, v]}`, in shares of the square's side.
    """
    told = {"framing": {"kind": "centre"}}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if METADATA in archive.namelist():
                told.update(json.loads(archive.read(METADATA)))
    return told


class Placement(NamedTuple):
    """A square in a photo, at any turn.

    Its upper left corner is at (x, y), and from there to its upper right corner it is
    (right, down), in pixels of the photo; (0, 0) is the outer corner of the first.
    """

    x: float
    y: float
    right: float
    down: float

    @property
    def pixels(self):
        """The side in whole pixels."""
        return max(1, round(math.hypot(self.right, self.down)))


def placement(framing, height, width, eyes=None):
    """Which square of a photo a model looks at, a `Placement`.

    Args:
        eyes: of a face model, ((x, y), (x, y)) in pixels of the photo, that eye first
            which is left when the face is upright.
    """
    if framing["kind"] == "centre":
        side = min(height, width)
        return Placement((width - side) // 2, (height - side) // 2, side, 0)
    # Of complex numbers a similarity is z -> turn * z + corner.
    left, right = (complex(*eye) for eye in eyes)
    u, v = complex(*framing["left_eye"]), complex(*framing["right_eye"])
    turn = (right - left) / (v - u)
    corner = left - turn * u
    return Placement(corner.real, corner.imag, turn.real, turn.imag)


def upright(photo, place):
    """The square as uint8 `(pixels, pixels, 3)`, the photo mirrored at its edges, bilinear."""
    left, top, right, bottom = bounds(place)
    height, width = photo.shape[:2]
    # A pixel more to every side, for the neighbours.
    rows, columns = mirrored(top - 1, bottom + 1, height), mirrored(left - 1, right + 1, width)
    region = photo[np.ix_(rows, columns)].astype(np.float32)
    a, b = place.right / place.pixels, place.down / place.pixels
    matrix = (a, -b, place.x - (left - 1), b, a, place.y - (top - 1))
    square = np.stack([turned(region[..., c], (place.pixels,) * 2, matrix) for c in range(3)], -1)
    return np.rint(square).astype(np.uint8)


def back(channel, place, height, width):
    """A float32 channel `(pixels, pixels)` of the square as it lies in the photo, 0 outside.

    Returns:
        `(rows, columns, values)`: slices of the part of the photo that the square
        touches, and float32 values for it.
    """
    left, top, right, bottom = bounds(place)
    left, right = (min(max(x, 0), width) for x in (left, right))
    top, bottom = (min(max(y, 0), height) for y in (top, bottom))
    rows, columns = slice(top, bottom), slice(left, right)
    if top == bottom or left == right:
        return rows, columns, np.zeros((bottom - top, right - left), np.float32)
    square = math.hypot(place.right, place.down) ** 2
    a, b = place.right * place.pixels / square, -place.down * place.pixels / square
    x, y = (left - place.x) / square, (top - place.y) / square
    x, y = x * place.right + y * place.down, y * place.right - x * place.down
    matrix = (a, -b, x * place.pixels, b, a, y * place.pixels)
    return rows, columns, turned(channel, (right - left, bottom - top), matrix)


def bounds(place):
    """Whole pixels around the square: left, top, right, bottom."""
    x, y, right, down = place
    xs, ys = (x, x + right, x - down, x + right - down), (y, y + down, y + right, y + down + right)
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))


def turned(channel, size, matrix):
    """What of a float32 channel lies where `matrix` takes each pixel, 0 outside the channel."""
    picture = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    return np.asarray(picture.transform(size, Image.AFFINE, matrix, Image.Resampling.BILINEAR))


def mirrored(start, stop, size):
    """Positions `start` to `stop` along a row of `size` pixels that is mirrored at its ends."""
    return np.abs((np.arange(start, stop) + size) % (2 * size) - size + 0.5).astype(int)


def model_input(photo, place, size):
    """A square of the photo as float32 `(1, size, size, 3)` in [0, 1], anti-aliased."""
    square = Image.fromarray(upright(photo, place))
    small = square.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32)[None] / np.float32(255)


def masked_paint(input, image, mask):
    """What the model put on its input, times the mask: image - (1 - mask) * input.

    Times the mask, because outside it there is no such thing.

    Returns:
        float32 `(size, size, 3)`.
    """
    image, mask, input = (np.asarray(x[0], np.float64) for x in (image, mask, input))
    return (image - (1 - mask) * input).astype(np.float32)


def enlarged(channel, place, height, width):
    """A float32 `(size, size)` channel resized to the square, bilinear; returns as `back`."""
    picture = Image.fromarray(np.ascontiguousarray(channel))
    square = np.asarray(picture.resize((place.pixels,) * 2, Image.Resampling.BILINEAR))
    return back(square, place, height, width)


def lay_on(photo, place, input, image, mask):
    """The model's edit laid on the photo at the photo's own resolution.

    Where a mask of 0 and 1 alone reaches, enlarged, the paint covers, so that no outline
    of the content is left.

    Args:
        photo: uint8 `(height, width, 3)`.
        place: the square, a `Placement`.
        input: what the model was shown of it, see `model_input`.
        image, mask: what it returned.

    Returns:
        The edited photo, and the mask float32 `(height, width)`, 0 where the photo's
        own pixels are.
    """
    height, width = photo.shape[:2]
    opaque = np.isin(mask, (0, 1)).all()
    edited, whole = np.array(photo), np.zeros((height, width), np.float32)
    rows, columns, share = enlarged(mask[0, ..., 0], place, height, width)
    inside = share >= MASK_FLOOR
    share = share[inside]
    whole[rows, columns][inside] = 1 if opaque else share
    share = share.astype(np.float64)
    paint = masked_paint(input, image, mask)
    square = edited[rows, columns]  # A view: writing to it writes to `edited`.
    for c in range(3):
        colour = enlarged(paint[..., c], place, height, width)[2][inside].astype(np.float64)
        if opaque:
            blended = 255 / share * colour
        else:
            blended = 255 * colour + (1 - share) * square[inside, c]
        square[inside, c] = np.clip(np.rint(blended), 0, 255)
    return edited, whole


def outline(photo, place, mask, binary):
    """The segmentation at the photo's own size: bool `(height, width)`.

    `binary` tells the stored threshold: it is as high as the faintest pixel above.
    """
    above = mask[binary > 0.5]
    threshold = above.min() if above.size else np.inf
    drawn = np.zeros(photo.shape[:2], bool)
    rows, columns, share = enlarged(mask[0, ..., 0], place, *photo.shape[:2])
    drawn[rows, columns] = share >= threshold
    return drawn


def transfer(model, target, reference, eyes=None, reference_eyes=None):
    """The reference's content on the target, see `lay_on`; the eyes as for `placement`."""
    place = placement(model.framing, *target.shape[:2], eyes)
    there = placement(model.framing, *reference.shape[:2], reference_eyes)
    input = model_input(target, place, model.size)
    shown = model_input(reference, there, model.size)
    return lay_on(target, place, input, **model.run("transfer", target=input, reference=shown))


def remove(model, photo, eyes=None):
    """The photo without the content, see `lay_on`."""
    place = placement(model.framing, *photo.shape[:2], eyes)
    input = model_input(photo, place, model.size)
    return lay_on(photo, place, input, **model.run("remove", image=input))


def segment(model, photo, eyes=None):
    """Where the photo shows the content, see `outline`."""
    place = placement(model.framing, *photo.shape[:2], eyes)
    input = model_input(photo, place, model.size)
    return outline(photo, place, **model.run("segment", image=input))


def two_points(text):
    """((x, y), (x, y)) of "x,y,x,y"."""
    x1, y1, x2, y2 = map(float, text.split(","))
    return (x1, y1), (x2, y2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.tflite")
    parser.add_argument("edit", choices=("transfer", "remove", "segment"))
    parser.add_argument("--target", required=True, metavar="IMAGE")
    parser.add_argument("--reference", metavar="IMAGE", help="for transfer")
    parser.add_argument("--output", required=True, metavar="PNG")
    for whose in ("--eyes", "--reference-eyes"):
        parser.add_argument(
            whose, type=two_points, metavar="X,Y,X,Y", help="of a face model, the left one first"
        )
    parser.add_argument(
        "--faces", metavar="FACES.tflite", help="finds the eyes of the largest face instead"
    )
    arguments = parser.parse_args()
    if (arguments.edit == "transfer") != bool(arguments.reference):
        parser.error("--reference belongs to transfer, which needs it")
    try:
        edit(arguments)
    except (OSError, ValueError) as error:
        parser.error(str(error))


def edit(arguments):
    """What the command line asks for."""
    model = Model(arguments.model)

    def eyes_in(photo, given, name):
        if model.framing["kind"] == "centre" or given:
            return given
        if not arguments.faces:
            raise ValueError(
                f"the model is of faces: --faces models/faces.tflite, or --{name} X,Y,X,Y"
            )
        found = find_faces.FaceFinder(arguments.faces).eyes(photo)
        if not found:
            raise ValueError(f"no face was found; take another photo, or --{name} X,Y,X,Y")
        return found[0]

    photo = photo_file.read(arguments.target)
    target = photo.shown
    eyes = eyes_in(target, arguments.eyes, "eyes")
    if arguments.edit == "transfer":
        reference = photo_file.read(arguments.reference).shown
        there = eyes_in(reference, arguments.reference_eyes, "reference-eyes")
        result = photo.edited(*transfer(model, target, reference, eyes, there))
    elif arguments.edit == "remove":
        result = photo.edited(*remove(model, target, eyes))
    else:
        result = segment(model, target, eyes).astype(np.uint8) * 255
    photo_file.write(arguments.output, result)


if __name__ == "__main__":
    main()
