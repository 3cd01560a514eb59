"""A photo taken apart by what a model says of it: what is behind its content, and that cut out.

Shapes and ranges are those of `mbu_tf.detail.matting`.
"""

from typing import NamedTuple

from keras import ops

from mbu_tf.detail.filters import enlarge, grow, pull_push, ramp, shrink
from mbu_tf.detail.matting import (
    BESIDE,
    POSSIBLE,
    clean_plate,
    covered,
    difference_matte,
    likelihood,
    matte,
    prominent,
    relative,
    widened,
)

# How likely it is beside a pixel of the mask that content is to be cut out there; drawn
# outlines of hair and brows lie there, too.
CUT_BESIDE = 0.15
# Values of a refiner's mask between which a pixel turns from kept to removed, or cut out.
OUTLINE = (0.3, 0.7)
# Values of a refiner's mask from which on it is sure of content, and differences between its image
# and the photo up to which it has left the content there.
SURE, LEFT = (0.6, 0.9), (0.1, 0.3)
# The value that no light has.
BLACK = -1.0


class Content(NamedTuple):
    """What a model says of one image's content, at the model's size.

    Attributes:
        mask, paint: m and z_raw of equation 1.
    """

    mask: object
    paint: object


class Cutout(NamedTuple):
    """What `cut_out` gives.

    Attributes:
        own: `(batch, side, side, 4)` at the photo's size: its own colours, from black, 0, on,
            times their matte, and the matte.
        small: `(batch, size, size, 8)` at the model's: m(b, b), `own` shrunk, and what is
            behind it, from black on.
    """

    own: object
    small: object


class Split(NamedTuple):
    """A photo taken apart: what is behind its content, and where content may be.

    Attributes:
        plate: the photo without the content, at its size.
        likely: how likely each pixel is content, `(batch, size, size, 1)` in [0, 1], at
            the model's size or a multiple of it.
        mask: how sure it is, likewise.
    """

    plate: object
    likely: object
    mask: object


def split_for_transfer(photo, removed, own_mask):
    """`Split` of a photo whose content is to be cut out, by what the model says of it.

    Args:
        photo: b, at its own size.
        removed: DA(Ec(b)), at the model's size.
        own_mask: m(b, b), at the model's size.
    """
    likely = relative(own_mask)
    plate = clean_plate(photo, removed, likely)
    return Split(plate, widened(likely * prominent(own_mask), CUT_BESIDE), own_mask)


def split_for_removal(photo, removed, content, beside=BESIDE):
    """`Split` of a photo whose content is to be taken off.

    Args:
        photo, removed: see `split_for_transfer`.
        content: `Content` of equation 1 for (b, b).
        beside: see `widened`.
    """
    likely = widened(likelihood(*content, removed), beside)
    return Split(clean_plate(photo, removed, likely), likely, content.mask)


def split_by_refiner(photo, mask, image):
    """`Split` of a photo by what a refiner gives of it, at its own size or a larger one."""
    side = photo.shape[1]
    hole = ramp(enlarge(grow(mask, 1), side), *POSSIBLE)
    return Split(hole * enlarge(image, side) + (1.0 - hole) * photo, mask, mask)


def image_from_around(photo, mask, image):
    """A refiner's image; where it outlines content and yet leaves it there, what lies around.

    A clear rim looks like skin, and is outlined sooner than it is taken off.

    Args:
        photo: b, at its own size.
        mask, image: what a refiner gives of it.
    """
    sight = shrink(photo, photo.shape[1] // mask.shape[1])
    left = 1.0 - ramp(ops.max(ops.abs(sight - image), -1, keepdims=True), *LEFT)
    share = ramp(mask, *SURE) * left
    return share * pull_push(sight, 1.0 - ramp(mask, *POSSIBLE)) + (1.0 - share) * image


def cut_out(photo, split, own_mask):
    """The content of a photo, cut out of it: all that a transfer needs of a reference.

    Args:
        photo: b, at its own size.
        split: `Split` of it.
        own_mask: m(b, b), at the model's size.

    Returns:
        `Cutout`.
    """
    return _cut_out(photo, split.plate, matte(photo, *split), own_mask)


def cut_out_by_refiner(photo, mask, image, own_mask):
    """The same by a refiner: what differs from its image, within what m(b, b) covers.

    Args:
        photo: b, at its own size.
        mask, image: what a refiner gives of it.
        own_mask: m(b, b), at the model's size.
    """
    mask = mask * enlarge(covered(own_mask), mask.shape[1])
    plate = split_by_refiner(photo, mask, image).plate
    alpha = difference_matte(photo, plate) * ramp(enlarge(mask, photo.shape[1]), *OUTLINE)
    return _cut_out(photo, plate, alpha, own_mask)


def _cut_out(photo, plate, alpha, own_mask):
    photo, plate = photo - BLACK, plate - BLACK
    own = ops.concatenate([photo - (1.0 - alpha) * plate, alpha], axis=-1)
    small = shrink(ops.concatenate([own, plate], axis=-1), photo.shape[1] // own_mask.shape[1])
    return Cutout(own, ops.concatenate([own_mask, small], axis=-1))
