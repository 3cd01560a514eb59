"""What is laid on photos, at their size, from what a model says at its own.

Shapes and ranges are those of `mbu_tf.detail.matting`.
"""

from typing import NamedTuple

from keras import ops

from mbu_tf.detail.filters import box_mean, enlarge, grow, ramp, shrink
from mbu_tf.detail.matting import POSSIBLE, clean_plate, likelihood, matte, relative
from mbu_tf.detail.registration import moved, register

# Fainter parts of a layer are none.
FAINTEST = 0.02
# Correlation of both masks up to which the reference's pixels are not used, and from which on.
FIT = (0.4, 0.7)
# Share of what the model changes that a change must make up for, to be one of the model's.
EXPLAINED = (0.25, 0.5)
# Share of the mask that the reference's pixels must cover, or they are missing.
COVERED = (0.05, 0.25)
# Mattes between which a pixel, or one beside it, turns from kept to removed.
BORDER = (0.05, 0.3)
# Smaller differences than about this are none, in [-1, 1].
VISIBLE = 0.02


class Content(NamedTuple):
    """What a model says of one image's content, at the model's size.

    Attributes:
        mask, paint: m and z_raw of equation 1.
    """

    mask: object
    paint: object


def transfer_layer(target, reference, removed, of_reference, of_target):
    """The reference's own pixels, moved to where the target's mask is.

    Args:
        target: image a, at the model's size.
        reference: photo b, at its own size.
        removed: DA(Ec(b)), at the model's size.
        of_reference: `Content` of equation 1 for (b, b).
        of_target: `Content` of equation 1 for (a, b).

    Returns:
        Paint and matte at the photo's size.
    """
    side = reference.shape[1]
    on_reference = relative(of_reference.mask)
    motion, fit = register(on_reference, relative(of_target.mask))
    on_target = likelihood(*of_target, target)
    bundle = ops.concatenate([removed, *of_reference, on_reference], axis=-1)
    bundle = moved(bundle, motion)
    removed, mask, paint, on_reference = (
        bundle[..., i:j] for i, j in ((0, 3), (3, 4), (4, 7), (7, 8))
    )
    photo = moved(reference, motion)

    likely = ops.sqrt(on_reference * on_target)
    plate = clean_plate(photo, removed, likely)
    alpha = matte(photo, plate, likely, ops.minimum(mask, of_target.mask))
    # Light falls as the model paints it: the same content on either face.
    light = mean_change(paint, of_target.paint, ops.square(likely))
    small = [of_target.mask * of_target.paint, of_target.mask, on_target, light]
    bundle = enlarge(ops.concatenate(small, axis=-1), side)
    painted, mask, possible, light = (bundle[..., i:j] for i, j in ((0, 3), (3, 4), (4, 5), (5, 8)))
    possible = ramp(possible, *POSSIBLE)
    alpha = alpha * possible
    own = ops.concatenate([alpha * (plate + light) + (photo - plate) * possible, alpha], axis=-1)
    paint = ops.concatenate([painted, mask], axis=-1) * possible
    small = shrink(own, side // target.shape[1])
    wanted = of_target.mask * (of_target.paint - target)
    trust = explained(wanted, small[..., :3] - small[..., 3:] * target)
    covered = box_mean(small[..., 3:], 1) / (box_mean(of_target.mask, 1) + VISIBLE)
    trust = box_mean(trust * ramp(covered, *COVERED), 1) * ramp(fit, *FIT)[:, None, None, None]
    trust = enlarge(trust, side)
    laid = trust * own + (1.0 - trust) * paint
    return straight(laid[..., :3], laid[..., 3:])


def explained(wanted, made):
    """Where a change brings an image nearer to what the model makes of it.

    What the model makes is blurred, but knows what belongs to the content and what
    is hidden: neither the reference's eyes nor its hair are in it.

    Args:
        wanted, made: the model's change of the image, and the one to be judged,
            shrunk to the model's size.

    Returns:
        `(batch, size, size, 1)` in [0, 1].
    """
    before, after = (
        ops.sqrt(ops.mean(ops.square(box_mean(x, 1)), -1, keepdims=True) + 1e-8)
        for x in (wanted, wanted - made)
    )
    return ramp(before / (before + after + VISIBLE), *EXPLAINED)


def removal_layer(photo, removed, content, threshold):
    """The plate, where the matte of the content or a border beside it is.

    Args:
        photo: b, at its own size.
        removed: DA(Ec(b)), at the model's size.
        content: `Content` of equation 1 for (b, b).
        threshold: mask value below which nothing is removed.

    Returns:
        Paint and matte at the photo's size.
    """
    side = photo.shape[1]
    likely = likelihood(*content, removed)
    plate = clean_plate(photo, removed, likely)
    # The border of what is removed is soft, and its shadow is beside it.
    border = max(side // removed.shape[1] // 4, 1)
    alpha = ramp(grow(matte(photo, plate, likely, content.mask), border), *BORDER)
    allowed = ramp(enlarge(grow(content.mask, 1), side), threshold / 2.0, threshold)
    wanted = content.mask * (removed - content.paint)
    nearer = explained(wanted, shrink(alpha * (plate - photo), side // removed.shape[1]))
    allowed = allowed * enlarge(grow(nearer, 1), side)
    return straight(alpha * allowed * plate, alpha * allowed)


def segmentation(photo, removed, content):
    """The matte of the content of a photo; arguments as of `removal_layer`."""
    likely = likelihood(*content, removed)
    return matte(photo, clean_plate(photo, removed, likely), likely, content.mask)


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
