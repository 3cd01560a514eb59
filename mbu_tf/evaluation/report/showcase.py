"""The pictures of a report: what each system makes of the first few images, as data URIs."""

import base64
import io

import numpy as np
from PIL import Image

from mbu_tf.data.domains import to_model_range, to_uint8
from mbu_tf.data.sources import framed_as, load_held_out
from mbu_tf.evaluation.parts import array_digest, file_digest
from mbu_tf.evaluation.pictures import mask_picture, segmentation_picture
from mbu_tf.models.loading import load_editor

TARGETS, REFERENCES, STRIP, STEPS, BLENDS = 6, 4, 8, 7, 2
# Lossy pictures are only taken where they are smaller, as with photos.
QUALITY = 95


def picture_uri(picture):
    """uint8 `(height, width, 3)` as a `data:` address of a WebP picture."""
    image, files = Image.fromarray(picture), []
    for options in ({"lossless": True}, {"quality": QUALITY}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", **options)
        files.append(buffer.getvalue())
    return "data:image/webp;base64," + base64.b64encode(min(files, key=len)).decode()


def cells(images, masks=None):
    """Images in [-1, 1] and their soft masks as cells of a grid.

    Returns:
        List of dictionaries with `image` and, if there are masks, `mask`: data URIs.
    """
    found = [{"image": picture_uri(image)} for image in to_uint8(images)]
    for cell, mask in zip(found, () if masks is None else masks, strict=False):
        cell["mask"] = picture_uri(mask_picture(mask))
    return found


def outlined_cells(images, masks):
    """Images in [-1, 1], tinted where their binary masks are 1, as cells."""
    pairs = zip(to_uint8(images), masks, strict=True)
    return [{"image": picture_uri(segmentation_picture(*pair))} for pair in pairs]


def show_material(material, outlines=None):
    """What the report shows before any system comes in.

    Args:
        material: `Material`.
        outlines: functions of images of B to their binary masks, by name.

    Returns:
        Dictionary of lists of cells: `targets`, `references`, `worn` (images of B),
        `wanted` (whose content they are to get in a swap), `outlined`, and, if
        known, their true masks as `truth`; and those of `outlines` by their names.
    """
    worn, outlined = _strip(material.b), _outlined_images(material)
    shown = {
        "targets": cells(material.a[:TARGETS]),
        "references": cells(material.b[:REFERENCES]),
        "sources": cells(_strip(material.a)),
        "worn": cells(worn),
        "wanted": cells(_wanted(material)),
        "outlined": cells(outlined),
    }
    if material.outlined is not None:
        shown["truth"] = outlined_cells(outlined, _strip(material.outlined.masks))
    for name, masks in (outlines or {}).items():
        shown[name] = outlined_cells(outlined, masks(outlined))
    return shown


def show_system(system, material):
    """What one system makes of the images that `show_material` shows.

    Returns:
        Dictionary of the figures that it has: `transfer` (and `transfer_to_a`), rows
        of cells, one for each reference; `removal`, `segmentation`, `swap`, each a
        row of cells; `interpolation`, rows of cells from the first to the last
        reference, target and references before and after; `pairs`, of pictures that
        another program made, or of transfers without a reference: rows of targets,
        references and results.
    """
    a, b = material.a, material.b
    editor, two_way, translator = system.editor, system.two_way, system.translator
    if translator is not None:
        targets, worn = _strip(a), _strip(b)
        return {
            "pairs": [cells(targets), cells(*translator.translate_to_b(targets))],
            "removal": cells(*translator.translate_to_a(worn)),
        }
    if editor is None and two_way is None:
        return {"pairs": _pair_rows(system.make(a, b))}
    edits = [system.transfer(a[:TARGETS], each[None]) for each in b[:REFERENCES]]
    shown = {"transfer": [cells(*edit) for edit in edits]}
    if two_way is not None:
        back = [two_way.transfer_to_a(b[:TARGETS], each[None]) for each in a[:REFERENCES]]
        shown["transfer_to_a"] = [cells(*edit) for edit in back]
    if editor is not None:
        outlined = _outlined_images(material)
        shown |= {
            "removal": cells(*editor.remove(_strip(b))),
            "segmentation": outlined_cells(outlined, editor.segment(outlined, "stored")),
            "interpolation": [_blend(editor, a, b, row) for row in range(min(BLENDS, len(b)))],
            "swap": cells(*swap(editor, _strip(b), _wanted(material))),
        }
    return shown


def swap(editor, images, references):
    """Images of B without their content and with the references' (section 4, figure 32)."""
    return editor.transfer(editor.remove(images).image, references)


class Sequence:
    """Two parts added one after the other (section 4, figure 28).

    Args:
        model: file of the model that adds the second part.
        source: its data, see `load_source`.
        material: `Material` of the first part.

    Attributes:
        references: images of the second part.
        key: what they and the model are, for `Parts`.

    Raises:
        FileNotFoundError, OSError, ValueError: as `load_editor` and `load_held_out`;
            also if the models' sizes differ.
    """

    def __init__(self, model, source, material):
        self._editor, self._material = load_editor(model), material
        size = self._editor.image_size
        if size != material.image_size:
            raise ValueError(
                "The model of the second part must be of the first's image size. "
                f"Received: {size} beside {material.image_size}"
            )
        options = framed_as(self._editor.framing, source)
        _, domains = load_held_out(source, size, **options)
        self._count = min(STRIP, len(material), len(domains.b))
        self.references = to_model_range(domains.b.take(np.arange(self._count)))
        self.key = {"model": file_digest(model), "images": array_digest(self.references)}

    def show(self, system):
        """Row of cells: targets with a system's part and then the second one."""
        first = system.transfer(self._material.a[: self._count], self._material.b[: self._count])
        return cells(self._editor.transfer(first.image, self.references).image)


def _strip(images):
    return images[:STRIP]


def _outlined_images(material):
    return _strip(material.b if material.outlined is None else material.outlined.images)


def _wanted(material):
    """For each face of the swap another's content."""
    return np.roll(material.b, -STRIP // 2 + 1, axis=0)[: len(_strip(material.b))]


def _blend(editor, a, b, row):
    """One row of figure 4: the target, the blends, both references."""
    first, last = b[2 * row % len(b)], b[(2 * row + 1) % len(b)]
    target = a[row % len(a)]
    edit = editor.interpolate(target[None], first[None], last[None], STEPS)
    ends = cells(np.stack([target, first, last]))
    return [ends[0], ends[1], *cells(edit.image[0], edit.mask[0]), ends[2]]


def _pair_rows(made):
    """Rows of a system whose pictures are given: what they were made from and they."""
    rows = []
    for each in made.values():
        rows.append(cells(_strip(each.source)))
        if each.reference is not None:
            rows.append(cells(_strip(each.reference)))
        rows.append(cells(_strip(each.image), each.mask))
    return rows
