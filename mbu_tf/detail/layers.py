"""What is laid on photos, at their size, from what a model says at its own.

Shapes and ranges are those of `mbu_tf.detail.matting`.
"""

from itertools import pairwise

import numpy as np
from keras import ops

from mbu_tf.detail.filters import box_mean, enlarge, grow, ramp, recede, shrink
from mbu_tf.detail.matting import POSSIBLE, covered, likelihood, matte, reach, relative, widened
from mbu_tf.detail.splitting import BLACK, OUTLINE, split_for_removal

# Fainter parts of a layer are none.
FAINTEST = 0.02
# Cosine of both masks up to which the reference's pixels are not used, and from which on.
FIT = (0.4, 0.7)
# Share of what the model changes that a change must make up for, to be one of the model's.
EXPLAINED = (0.35, 0.6)
# Product of both relative masks up to which that is asked, and from which on both are sure.
AGREED = (0.25, 0.5)
# Parts up to twice so many of the model's pixels wide are thin; of wider ones the judgement is
# the mean over such a share of the side to each side, taken twice.
THIN, NEARBY = 3, 1 / 24
# Share of the mask that the reference's pixels must cover, or they are missing.
MISSING = (0.05, 0.25)
# Mattes between which a pixel, or one beside it, turns from none of the content to all of it: what
# removal takes off, and what a refiner cut out.
BORDER = (0.05, 0.3)
# Smaller differences than about this are none, in [-1, 1].
VISIBLE = 0.02
# Towards the edges of a face's square mattes fade over such a share of the side: a beard that is
# longer does not end in a line.
FADE = 1 / 16
# Of a difference in colour between what lies under the content on both photos (as logarithms) such
# a share is the light's, up to so many times: white stays white on darker skin. Means are taken
# over such a share of the side, and so little is none.
LIGHT, MOST, NEAR, DARKEST = 0.5, 1.2, 1 / 16, 0.1
# Of what is laid on, colours times matte and the matte: the colours; the matte, four times.
COLOURS = np.eye(4, 3, dtype="float32")
MATTE = np.eye(4, dtype="float32")[:, 3:].repeat(4, 1)
# One channel, four times.
SPREAD = MATTE[3:]


def transfer_layer(target, cutout, of_target, by_refiner=False):
    """A reference's own pixels, where the target's mask is.

    Both are framed alike, so that they lie where they are.

    Args:
        target: image a, at the model's size.
        cutout: `Cutout` of photo b.
        of_target: `Content` of equation 1 for (a, b).
        by_refiner: whether the content was cut out by a refiner, whose outline is finer than
            what the model paints; then the paint does not judge it.

    Returns:
        Paint and matte at the photo's size.
    """
    on_reference, own, behind = (
        cutout.small[..., start:end] for start, end in pairwise((0, 1, 5, 8))
    )
    on_reference, mask = relative(on_reference), relative(of_target.mask)
    on_target = likelihood(*of_target, target)
    gain = lighting(behind, target - BLACK, on_target)
    paintable, on_target = ramp(on_target, *POSSIBLE), widened(on_target)
    agreed = ramp(grow(on_reference * mask, 1), *AGREED)
    if by_refiner:
        judged = ramp(grow(own[..., 3:], 1), *BORDER)
        on_target = ops.maximum(on_target, covered(of_target.mask))
    else:
        judged = _judged(target, of_target, own, gain, ramp(on_target, *POSSIBLE))
    trust = fine = box_mean(ops.maximum(agreed, judged), 1)
    if not by_refiner:
        trust, fine = _together(trust, agreed, judged, paintable)
    trust, fine = (x * ramp(likeness(on_reference, mask), *FIT) for x in (trust, fine))
    one = ops.ones_like(trust)
    lit = ops.concatenate([gain, one], axis=-1)
    painted = of_target.mask * ops.concatenate([of_target.paint - BLACK, one], axis=-1)
    rough = (1.0 - trust) * paintable * painted - (fine - trust) * lit * own
    # Four channels each, as many as are laid on: runtimes are slow to spread one of a photo.
    small = (on_target, fine * lit, rough)
    possible, own, rough = (enlarge(x, cutout.own.shape[1]) for x in small)
    possible = mixed(ramp(possible, *POSSIBLE), SPREAD)
    return straight(possible * (own * cutout.own + rough), BLACK)


def _together(trust, agreed, judged, paintable):
    """`trust` with wide parts judged as a whole, and how far what is fine is the reference's.

    Where both masks are sure, thin parts are the reference's: what the model paints has the
    right form, but hardly their colour. Of wide ones it has, and one judgement of all that is
    near keeps them from being torn: there the reference gives what the paint is too coarse for,
    as bands of frequencies are blended (Burt and Adelson, 1983).
    """
    wide = box_mean(grow(recede(agreed, THIN), THIN + 1), 1)
    near = _mean_around(judged, paintable, reach(judged, NEARBY / 2), times=2)
    trust = trust + wide * (enlarge(near, trust.shape[1]) - trust)
    return trust, ops.maximum(trust, wide)


def _mean_around(pictures, weight, radius, times=1):
    """Weighted means around each pixel, taken so many times, at half the side.

    It takes a quarter of the time there, and is as smooth.
    """
    weight = weight + 1e-3
    bundle = shrink(ops.concatenate([weight * pictures, weight], axis=-1), 2)
    for _ in range(times):
        bundle = box_mean(bundle, radius)
    return bundle[..., :-1] / bundle[..., -1:]


def likeness(one, other):
    """The cosine of two masks, at half their side, `(batch, 1, 1, 1)` in [0, 1]."""
    one, other = shrink(one, 2), shrink(other, 2)
    product, *energy = (
        ops.sum(x * y, (1, 2, 3), keepdims=True)
        for x, y in ((one, other), (one, one), (other, other))
    )
    return product / ops.sqrt(energy[0] * energy[1] + 1e-12)


def lighting(before, after, weight):
    """How much brighter, and of what colour, the light is on one face than on the other.

    The quotient of the colours around each pixel, to a power: such a share of a difference
    is the light's, the rest is the skin's own (docs/detail.md).

    Args:
        before, after: the reference without its content, and the target; from black, 0, on.
        weight: `(batch, side, side, 1)`, where the content is.

    Returns:
        Gains, `(batch, side, side, 3)`.
    """
    colours = ops.concatenate([before, after], axis=-1)
    colours = _mean_around(colours, weight, reach(weight, NEAR) // 2)
    colours = ops.maximum(colours, 0.0) + DARKEST
    gain = ops.clip((colours[..., 3:] / colours[..., :3]) ** LIGHT, 1.0 / MOST, MOST)
    return enlarge(gain, weight.shape[1])


def _judged(target, of_target, own, gain, possible):
    """Where the model wants what the reference's pixels make of the target, and they cover it."""
    made = possible * (gain * own[..., :3] - own[..., 3:] * (target - BLACK))
    wanted = of_target.mask * (of_target.paint - target)
    share = box_mean(possible * own[..., 3:], 1) / (box_mean(of_target.mask, 1) + VISIBLE)
    return explained(wanted, made) * ramp(share, *MISSING)


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
    split = split_for_removal(photo, removed, content)
    alpha = bordered_matte(photo, split)
    wanted = content.mask * (removed - content.paint)
    made = shrink(alpha * (split.plate - photo), photo.shape[1] // removed.shape[1])
    nearer = grow(explained(wanted, made), reach(content.mask))
    alpha = alpha * within(content.mask, threshold, photo) * enlarge(nearer, photo.shape[1])
    return straight(ops.concatenate([split.plate, ops.ones_like(alpha)], axis=-1) * alpha)


def refined_removal_layer(photo, mask, image, own_mask, threshold):
    """The same by a refiner, whose image needs no judgement.

    Args:
        photo: b, at its own size.
        mask, image: what the refiner gives of it, at its size or a smaller one.
        own_mask: m(b, b), at the model's size.
        threshold: value of `own_mask` below which, and beside, nothing is removed.

    Returns:
        Paint and matte at the photo's size.
    """
    side = photo.shape[1]
    image = ops.concatenate([image, ops.ones_like(mask)], axis=-1)
    alpha = ramp(enlarge(mask, side), *OUTLINE) * within(own_mask, threshold, photo)
    return straight(enlarge(image, side) * alpha)


def bordered_matte(photo, split):
    """The matte of a photo's content and a border beside it, which is soft and has a shadow."""
    border = max(photo.shape[1] // split.mask.shape[1] // 4, 1)
    return ramp(grow(matte(photo, *split), border), *BORDER)


def within(mask, threshold, photo):
    """How far pixels may be removed: 1 where a mask is at least `threshold`, or beside that."""
    allowed = enlarge(grow(mask, reach(mask)), photo.shape[1])
    return ramp(allowed, threshold / 2.0, threshold)


def enlarged_layer(paint, mask, side):
    """A layer of the model's size at `side`, its paint unmixed with what lies outside the mask."""
    bundle = enlarge(ops.concatenate([mask * paint, mask], axis=-1), side)
    return straight(bundle)


def faded(matte):
    """A matte that is 0 at the edges of its picture, and as it was from `FADE` of the side on."""
    side = matte.shape[1]
    position = (np.arange(side, dtype="float32") + 0.5) / side
    ends = np.minimum(np.minimum(position, position[::-1]) / FADE, 1.0)
    return matte * ends[None, :, None, None] * ends[None, None, :, None]


def straight(laid, black=0.0):
    """A paint times its matte, and the matte, as paint and matte, the faintest being 0.

    Args:
        laid: `(batch, side, side, 4)`.
        black: what its colours are counted from.
    """
    paint = mixed(laid, COLOURS) / ops.maximum(mixed(laid, MATTE[:, :3]), FAINTEST) + black
    return ops.clip(paint, -1.0, 1.0), ramp(mixed(laid, MATTE[:, :1]), FAINTEST, 1.0)


def mixed(pictures, channels):
    """Channels of pictures as sums of their own, by a matrix.

    As a convolution: so channels of a photo are cut out and spread in a fraction of the time.
    """
    return ops.conv(pictures, channels[None, None])
