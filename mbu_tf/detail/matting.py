"""Which pixels of a photo are content, and how far: a soft mask becomes a matte.

Photos, plates and paints are `(batch, side, side, 3)` in [-1, 1], masks and
mattes `(batch, side, side, 1)` in [0, 1]. A model's own pictures are `size` px a
side, photos a power of two times that.
"""

from keras import ops

from mbu_tf.detail.filters import box_mean, enlarge, grow, pull_push, ramp, recede, shrink

# Relative mask values (`relative`) between which a pixel turns from surely
# untouched to perhaps content, and from unlikely to likely content.
POSSIBLE = (0.1, 0.4)
LIKELY = (0.2, 0.7)
# A mask may lie so far beside the content, as a share of the side; and how likely content is
# there, beside a pixel of the mask.
REACH, BESIDE = 1 / 64, 0.5
# A mask stands out where it has such a share of the largest value within such a share of the
# side, or where it is as high as this anyway.
PROMINENT, AROUND, HIGH = (0.4, 0.7), 1 / 8, (0.25, 0.45)
# Relative mask values from which on a mask covers a pixel; gaps of up to twice such a share of the
# side are within what it covers.
COVERED, GAP = (0.1, 0.2), 1 / 10
# What a mask that changes nothing counts beside one that changes all channels by 1.
UNSEEN = 0.2
# Mask values between which a pixel amid others of them becomes content for sure.
CERTAIN = (0.8, 0.95)
# What the mask weighs beside colours, as a squared difference of colours: where the content
# and what is behind it differ by less, the mask decides.
AMBIGUITY = 0.05
# A matte is stretched from here to full, which takes off the noise at either end.
STRETCH = (0.2, 0.8)
# Difference from a sharp plate, of any channel, from where to where a pixel turns from plate to
# content, and from seen through to opaque; and how near to black or white a plate counts at most.
DIFFERENT, SOLID, NEAREST = (0.02, 0.06), (0.05, 0.2), 0.1
# Share of the content's contrast from which darker, or lighter, pixels are a part of their own.
SHARE = (0.05, 0.2)
# Weight of the mean colour of the whole beside that of the surroundings.
COMMON_COLOUR = 0.3


def likelihood(mask, paint, background):
    """How likely each pixel is content: by the mask, and by what the paint changes there.

    A mask costs nothing where the paint is what is there anyway (equation 8), and
    masks of photographs spread over eyes and brows that way.

    Args:
        mask, paint: m and z_raw.
        background: the image without the content.

    Returns:
        `(batch, size, size, 1)` in [0, 1].
    """
    change = ops.mean(ops.square(paint - background), -1, keepdims=True)
    return relative(mask * (ops.sqrt(change + 1e-6) + UNSEEN))


def relative(mask):
    """A soft mask divided by its own level on content, at most 1.

    The level is the mean of the mask weighted by itself: about 0.95 where
    content is drawn, 0.4 where a model of photographs is less sure of it.
    """
    total = ops.sum(mask, (1, 2), keepdims=True)
    level = ops.sum(ops.square(mask), (1, 2), keepdims=True) / (total + 1e-6)
    return ops.minimum(mask / (level + 1e-6), 1.0)


def prominent(mask):
    """Where a mask stands out: 1, and 0 where it is faint beside what is around.

    Clear lenses have a third of the mask of the rims around them: what is seen through
    them is the face behind.
    """
    around = grow(mask, reach(mask, AROUND))
    return ops.maximum(ramp(mask / (around + 1e-6), *PROMINENT), ramp(mask, *HIGH))


def covered(mask):
    """What a mask covers, gaps filled, and a little around: 1, and 0 elsewhere.

    The clear lower rim of glasses is as faint in a mask as the lenses, but ends it.
    """
    # At half the side, where it takes a tenth of the time.
    small = ops.max_pool(ramp(relative(mask), *COVERED), 2, 2)
    gap = reach(small, GAP)
    # Beyond the edges of a picture there is nothing, or all up to them would be a gap.
    margin = [[0, 0], [gap, gap], [gap, gap], [0, 0]]
    filled = recede(grow(ops.pad(small, margin), gap), gap)[:, gap:-gap, gap:-gap]
    return enlarge(grow(filled, reach(small)), mask.shape[1])


def reach(mask, share=REACH):
    """How many pixels of a mask's picture a share of its side is, at least 1."""
    return max(round(share * mask.shape[1]), 1)


def widened(likely, beside=BESIDE):
    """`relative` masks, or likelihoods, and less of them around (`REACH`): `beside` times as much.

    Colours decide there (`matte`): the upper rim of glasses is often found a little below
    where it is.
    """
    return ops.maximum(likely, beside * grow(likely, reach(likely)))


def clean_plate(photo, paint, likely):
    """The photo without its content: what the model painted, in the photo's own colours.

    The difference between the photo and the paint, both at the model's size, is
    carried on from around the content into it (`pull_push`).

    Args:
        photo: at its own size.
        paint: DA(Ec(photo)), at the model's.
        likely: the relative mask, at the model's.
    """
    side = photo.shape[1]
    around = grow(likely, 1)
    difference = shrink(photo, side // paint.shape[1]) - paint
    filled = paint + pull_push(difference, 1.0 - ramp(around, *POSSIBLE))
    hole, filled = _split(enlarge(ops.concatenate([around, filled], axis=-1), side), 1)
    hole = ramp(hole, *POSSIBLE)
    return hole * filled + (1.0 - hole) * photo


def matte(photo, plate, likely, mask):
    """How far each pixel of the photo is content rather than plate.

    Compositing says photo = alpha F + (1 - alpha) plate. F is not known: it is
    the mean colour, around each pixel, of what differs most from the plate where
    the mask is likely (local means as in Lankton and Tannenbaum, 2008), once of
    what is darker than the plate and once of what is lighter (frames are black,
    their rims shine). alpha is the projection of photo - plate on F - plate, as
    in difference matting (Qian and Sezan, 1999), or the mask where F and plate
    look alike.

    Args:
        photo: at its own size.
        plate: `clean_plate` of it.
        likely, mask: the relative mask and the mask itself, at the model's size.
    """
    side, size = photo.shape[1], likely.shape[1]
    bundle = ops.concatenate([likely, recede(mask, 1)], axis=-1)
    likely, inner = _split(enlarge(bundle, side), 1)
    prior, possible = ramp(likely, *LIKELY), ramp(likely, *POSSIBLE)
    difference = photo - plate
    energy = ops.square(prior) * ops.sum(ops.square(difference), -1, keepdims=True)
    darker = ops.cast(ops.mean(difference, -1, keepdims=True) < 0.0, photo.dtype)
    total = ops.mean(energy, (1, 2), keepdims=True) + 1e-6
    alpha, contrast = 0.0, 0.0
    for weight in (energy * darker, energy * (1.0 - darker)):
        share = ops.mean(weight, (1, 2), keepdims=True) / total
        towards = mean_colour(photo, weight, 2 * size) - plate
        length = ops.sum(ops.square(towards), -1, keepdims=True)
        projection = ops.sum(difference * towards, -1, keepdims=True) / (length + 1e-4)
        alpha = ops.maximum(alpha, ops.clip(projection, 0.0, 1.0) * ramp(share, *SHARE))
        contrast = contrast + share * length
    alpha = (contrast * alpha + AMBIGUITY * prior) / (contrast + AMBIGUITY)
    return ops.maximum(ramp(alpha, *STRETCH) * possible, ramp(inner, *CERTAIN))


def difference_matte(photo, plate):
    """How far each pixel of the photo is content rather than a plate that is as sharp as it.

    Difference matting (Qian and Sezan, 1999), by the channel that differs most. What is
    faint has the least opacity with which any colour makes the photo of the plate: a shade
    is one on another plate, too, and does not bring the colour of this one.
    """
    difference = photo - plate
    towards_black = -difference / ops.maximum(plate + 1.0, NEAREST)
    towards_white = difference / ops.maximum(1.0 - plate, NEAREST)
    least = ops.max(ops.maximum(towards_black, towards_white), axis=-1, keepdims=True)
    visible = ops.max(ops.abs(difference), axis=-1, keepdims=True)
    alpha = ops.maximum(ops.minimum(least, 1.0), ramp(visible, *SOLID))
    return alpha * ramp(visible, *DIFFERENT)


def mean_colour(photo, weight, side):
    """Weighted mean of the colours around each pixel, over a pixel of the model to each side.

    Where little weight lies around, it is the mean of all.

    Args:
        photo, weight: at the photo's size; the weight `(batch, side, side, 1)`.
        side: size at which means are taken, at most the photo's.
    """
    whole = photo.shape[1]
    side = min(side, whole)
    bundle = shrink(ops.concatenate([photo * weight, weight], axis=-1), whole // side)
    colour, weight = _split(bundle, 3)
    mass = ops.mean(weight, (1, 2), keepdims=True) + 1e-6
    mean = ops.mean(colour, (1, 2), keepdims=True) / mass
    floor = COMMON_COLOUR * ops.mean(ops.square(weight), (1, 2), keepdims=True) / mass + 1e-6
    colour, weight = _split(box_mean(bundle, 2), 3)
    return enlarge((colour + floor * mean) / (weight + floor), whole)


def _split(bundle, channels):
    return bundle[..., :channels], bundle[..., channels:]
