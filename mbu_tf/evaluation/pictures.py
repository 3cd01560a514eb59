"""Picture grids: what a model does, to be looked at."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mbu_tf.data.domains import to_uint8
from mbu_tf.data.images import resize_image
from mbu_tf.faces import Framing, choose_faces, find_faces
from mbu_tf.types import Array, Pixels

GAP = 4
LABEL_HEIGHT = 16
BACKGROUND = (255, 255, 255)
OUTLINE = np.array([255, 0, 255], np.uint8)
# A face with some of what is around it.
PORTRAIT = Framing((0.39, 0.42), (0.61, 0.42))


def mask_picture(mask):
    """A mask `(height, width, 1)` in [0, 1] as a grey uint8 picture `(height, width, 3)`."""
    grey = np.rint(np.clip(mask, 0.0, 1.0) * 255).astype(np.uint8)
    return np.repeat(grey, 3, axis=-1)


def segmentation_picture(image, mask):
    """`image` (uint8, `(height, width, 3)`) tinted where the binary `mask` is 1."""
    inside = np.asarray(mask) >= 0.5
    tinted = (image // 2 + OUTLINE // 2).astype(np.uint8)
    return np.where(inside, tinted, image // 2 + 100)


def portraits(*photos: Array) -> list[Any]:
    """Where in each photo its largest face is shown with some of what is around it.

    Args:
        photos: uint8 `(height, width, 3)`.

    Returns:
        List of `mbu_tf.faces.Placement`s.

    Raises:
        NoFaceError: if no face is found.
    """
    eyes = [choose_faces(find_faces(photo))[0].eyes for photo in photos]
    return [PORTRAIT.placement(*x.shape[:2], each) for x, each in zip(photos, eyes, strict=True)]


def row_of_squares(shown: Any, side: int) -> Pixels:
    """Squares of pictures side by side.

    Args:
        shown: pairs of a `Placement` in a picture and the picture, uint8 `(height, width, 3)`.
        side: of each square, in pixels.

    Returns:
        uint8 `(side, count * side, 3)`.
    """
    squares = [square.upright(picture) for square, picture in shown]
    return np.concatenate([resize_image(square, side) for square in squares], axis=1)


def labelled_grid(rows: Any, column_labels: Any = (), cell: int = 128) -> Pixels:
    """Rows of pictures as one picture, a label over each column.

    Args:
        rows: lists of uint8 `(height, width, 3)` pictures or `None` for a gap.
        column_labels: texts over the columns.
        cell: height and width of each picture in the result; whole multiples
            of the pictures' size keep their pixels visible.

    Returns:
        uint8 `(height, width, 3)`.
    """
    columns = max(len(row) for row in rows)
    top = LABEL_HEIGHT if column_labels else 0
    size = (columns * (cell + GAP) + GAP, len(rows) * (cell + GAP) + GAP + top)
    sheet = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=11)
    for j, text in enumerate(column_labels):
        draw.text((GAP + j * (cell + GAP), 2), text, fill=(0, 0, 0), font=font)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            if picture is None:
                continue
            enlarging = picture.shape[0] < cell
            resample = Image.Resampling.NEAREST if enlarging else Image.Resampling.LANCZOS
            tile = Image.fromarray(picture).resize((cell, cell), resample)
            sheet.paste(tile, (GAP + j * (cell + GAP), GAP + top + i * (cell + GAP)))
    return np.asarray(sheet)


def model_grid(model: Any, a: Array, b: Array, cell: int = 128) -> Pixels:
    """The grid below that fits the model, of a few images of A and of B."""
    if hasattr(model, "translate"):
        return translation_grid(model, a, b, cell=cell)
    grid = two_way_grid if hasattr(model, "transfer_to_b") else transfer_grid
    return grid(model, a, b, cell)


def translation_grid(
    model: Any, a: Array, b: Array, attributes: Any = (0.0, 0.25, 0.5, 0.75, 1.0), cell: int = 128
) -> Pixels:
    """Images of A, then of B, a row each, and beside them as they are with each attribute.

    Args:
        model: a trained model with `translate`.
        a: images of A, `(count, size, size, 3)` in [-1, 1].
        b: images of B likewise.
        attributes: what `translate` takes, 0 for A and 1 for B.
        cell: height and width of each picture in the grid.

    Returns:
        uint8 `(height, width, 3)`.
    """
    rows = []
    for images in (a, b):
        columns = [model.translate(images, attribute).image for attribute in attributes]
        rows += [list(row) for row in zip(*map(to_uint8, (images, *columns)), strict=True)]
    return labelled_grid(rows, ["image", *(f"y = {x:g}" for x in attributes)], cell)


def two_way_grid(model: Any, a: Array, b: Array, cell: int = 128) -> Pixels:
    """Translations both ways, each guided by a reference (the DIDD slides' results).

    The upper half shows images of A over the columns and, row by row, each image
    of B and its own part on all of them in place of theirs; the lower half the
    same with A and B exchanged.

    Args:
        model: a trained model with `transfer_to_b` and `transfer_to_a`.
        a: images of A, `(count, size, size, 3)` in [-1, 1].
        b: images of B likewise.
        cell: height and width of each picture in the grid.

    Returns:
        uint8 `(height, width, 3)`.
    """
    rows = []
    for transfer, targets, references in (
        (model.transfer_to_b, a, b),
        (model.transfer_to_a, b, a),
    ):
        rows.append([None, *to_uint8(targets)])
        for reference in references:
            translated = transfer(targets, reference[None]).image
            rows.append([to_uint8(reference), *to_uint8(translated)])
    return labelled_grid(rows, ["reference", "targets"], cell)


def transfer_grid(model: Any, targets: Array, references: Array, cell: int = 128) -> Pixels:
    """What `model` makes of targets and references (figures 3, 6, 8 and 15).

    The first row shows the targets, the first column the references. Each
    reference's row goes on with its content on every target and, under it, the
    masks; then the reference's own segmentation and removal.

    Args:
        model: a trained model with `transfer`, `remove` and `segment`.
        targets: images `(columns, size, size, 3)` in [-1, 1].
        references: images `(rows, size, size, 3)` in [-1, 1].
        cell: height and width of each picture in the grid.

    Returns:
        uint8 `(height, width, 3)`.
    """
    removed = model.remove(references)
    segmented = model.segment(references, "stored")
    shown = to_uint8(references)
    rows = [[None, *to_uint8(targets), None, None]]
    for i, reference in enumerate(references):
        edit = model.transfer(targets, reference[None])
        segmentation = segmentation_picture(shown[i], segmented[i])
        rows.append([shown[i], *to_uint8(edit.image), segmentation, to_uint8(removed.image[i])])
        rows.append(
            [None, *map(mask_picture, edit.mask), mask_picture(segmented[i]), None],
        )
    labels = ["reference", "targets", *[""] * (len(targets) - 1), "segmented", "removed"]
    return labelled_grid(rows, labels, cell)
