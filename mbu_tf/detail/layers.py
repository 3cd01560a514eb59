"""What is laid on photos, at their size, from what a model says at its own.

Shapes and ranges are those of `mbu_tf.detail.matting`.
"""

from typing import NamedTuple

from keras import ops

from mbu_tf.detail.filters import box_mean, enlarge, grow, ramp
from mbu_tf.detail.matting import POSSIBLE, clean_plate, matte, relative
from mbu_tf.detail.registration import moved, register

# Fainter parts of a layer are none.
FAINTEST = 0.02
# Correlation of both masks up to which the reference's pixels are not used, and from which on.
FIT = (0.4, 0.7)
# Relative mask of the target that no mask of the reference is beside, from which paint is laid.
MISSING = (0.2, 0.6)


class Content(NamedTuple):
    """What a model says of one image's content, at the model's size.

    Attributes:
        mask, paint: m and z_raw of equation 1.
    """

    mask: object
    paint: object


def transfer_layer(reference, removed, of_reference, of_target):
    """The reference's own pixels, moved to where the target's mask is.

    Args:
        reference: photo b, at its own size.
        removed: DA(Ec(b)), at the model's size.
        of_reference: `Content` of equation 1 for (b, b).
        of_target: `Content` of equation 1 for (a, b).

    Returns:
        Paint and matte at the photo's size.
    """
    side = reference.shape[1]
    motion, fit = register(relative(of_reference.mask), relative(of_target.mask))
    bundle = ops.concatenate([removed, of_reference.paint, of_reference.mask], axis=-1)
    bundle = moved(bundle, motion)
    removed, paint, mask = bundle[..., :3], bundle[..., 3:6], bundle[..., 6:]
    photo = moved(reference, motion)

    on_reference, on_target = relative(mask), relative(of_target.mask)
    likely = ops.sqrt(on_reference * on_target)
    plate = clean_plate(photo, removed, likely)
    alpha = matte(photo, plate, likely, ops.minimum(mask, of_target.mask))
    # Light falls as the model paints it: the same content on either face.
    light = mean_change(paint, of_target.paint, ops.square(likely))
    missing = ramp(on_target - grow(on_reference, 1), *MISSING)
    fit = ramp(fit, *FIT)[:, None, None, None]
    instead = missing * fit + (1.0 - fit)
    bundle = [of_target.mask * of_target.paint, of_target.mask, on_target, instead, light]
    bundle = enlarge(ops.concatenate(bundle, axis=-1), side)
    painted, mask, on_target, instead, light = (
        bundle[..., i:j] for i, j in ((0, 3), (3, 4), (4, 5), (5, 6), (6, 9))
    )
    alpha = alpha * ramp(on_target, *POSSIBLE)
    own = photo - (1.0 - alpha) * plate + alpha * light
    return straight(
        (1.0 - instead) * own + instead * painted, (1.0 - instead) * alpha + instead * mask
    )


def removal_layer(photo, removed, mask, threshold):
    """The plate, where the matte of the content or a pixel beside it is.

    Args:
        photo: b, at its own size.
        removed: DA(Ec(b)), at the model's size.
        mask: m(b, b), at the model's size.
        threshold: mask value below which nothing is removed.

    Returns:
        Paint and matte at the photo's size.
    """
    side = photo.shape[1]
    likely = relative(mask)
    plate = clean_plate(photo, removed, likely)
    # The border of what is removed is soft, and its shadow is beside it.
    border = max(side // mask.shape[1] // 4, 1)
    alpha = ramp(grow(matte(photo, plate, likely, mask), border), *POSSIBLE)
    allowed = ramp(enlarge(grow(mask, 1), side), threshold / 2.0, threshold)
    return straight(alpha * allowed * plate, alpha * allowed)


def segmentation(photo, removed, mask):
    """The matte of the content of a photo; arguments as of `removal_layer`."""
    likely = relative(mask)
    return matte(photo, clean_plate(photo, removed, likely), likely, mask)


def enlarged_layer(paint, mask, side):
    """A layer of the model's size at `side`, its paint unmixed with what lies outside the mask."""
    bundle = enlarge(ops.concatenate([mask * paint, mask], axis=-1), side)
    return straight(bundle[..., :3], bundle[..., 3:])


def straight(premultiplied, alpha):
    """A paint times its matte and the matte as paint and matte, nothing being 0."""
    paint = ops.clip(premultiplied / ops.maximum(alpha, FAINTEST), -1.0, 1.0)
    return paint, ops.where(alpha >= FAINTEST, alpha, 0.0)


def mean_change(before, after, weight, radius=4):
    """Mean of `after - before` around each pixel, weighted: the low frequencies of a change."""
    weight = weight + 1e-3
    return box_mean(weight * (after - before), radius) / box_mean(weight, radius)
