"""The equations of AffinityNet (Ahn and Kwak, CVPR 2018) as pure functions.

An image is seen as a map of `side x side` coordinates, of which pairs closer than a
radius are neighbours. Arrays of pairs follow the order of `neighbours`. Equations and
sections are those of "Learning Pixel-level Semantic Affinity with Image-level
Supervision for Weakly Supervised Semantic Segmentation", the numbers its section 4.
"""

import numpy as np
from keras import ops

# Of equation 2: for the walk, and amplified and weakened, to find confident regions.
ALPHA, AMPLIFYING_ALPHA, WEAKENING_ALPHA = 16, 4, 24
RADIUS = 5
# Of equations 10 and 11.
BETA, WALK_STEPS = 8, 256
FOREGROUND, BACKGROUND, NEUTRAL = 1, 0, -1
# Keeps equation 8 finite where two features are the same.
TINY = 1e-5


def background_map(cam, alpha):
    """M_bg, equation 2: how far nothing speaks for the content.

    Args:
        cam: class activation maps in [0, 1], any shape.
        alpha: from 1; the larger, the less counts as background.
    """
    return (1.0 - cam) ** alpha


def confident_regions(cam):
    """What is content and what is background for sure, section 3.2.1.

    Content is where the map outdoes an amplified background (alpha 4), background
    where a weakened one (alpha 24) outdoes the map.

    Args:
        cam: NumPy array of class activation maps in [0, 1], any shape.

    Returns:
        int32 array of that shape: `FOREGROUND`, `BACKGROUND`, or `NEUTRAL` for all between.
    """
    content = cam > background_map(cam, AMPLIFYING_ALPHA)
    background = background_map(cam, WEAKENING_ALPHA) > cam
    return np.where(content, FOREGROUND, np.where(background, BACKGROUND, NEUTRAL)).astype(np.int32)


def neighbours(side, radius=RADIUS):
    """The pairs P of equation 4, each once: coordinates closer than `radius`.

    Args:
        side: height and width of the map.
        radius: gamma, in coordinates of the map.

    Returns:
        List of `(first, second)`, each the slices `(rows, columns)` of the map: pair k of
        an entry is of the k-th coordinates of both, row by row.
    """

    def slices(offset):
        return (
            slice(max(0, -offset), side - max(0, offset)),
            slice(max(0, offset), side + min(0, offset)),
        )

    reach = range(1 - radius, radius)
    found = []
    for down in range(min(radius, side)):
        for across in reach:
            later = down > 0 or across > 0
            if later and down**2 + across**2 < radius**2 and abs(across) < side:
                rows, columns = slices(down), slices(across)
                found.append(((rows[0], columns[0]), (rows[1], columns[1])))
    return found


def of_pairs(function, maps, pairs):
    """`function` of what `maps` have at the first and at the second coordinates of pairs.

    Args:
        function: of two tensors `(batch, rows, columns, …)` to one `(batch, rows, columns)`.
        maps: `(batch, side, side, …)`.
        pairs: `neighbours(side)`.

    Returns:
        Tensor `(batch, number of pairs)`.
    """
    found = [function(maps[:, r, c], maps[:, s, d]) for (r, c), (s, d) in pairs]
    return ops.concatenate([ops.reshape(x, (-1, x.shape[1] * x.shape[2])) for x in found], axis=1)


def feature_distances(features, pairs):
    """|f(i) - f(j)|_1 of pairs, so that their affinity W_ij is exp(-distance) (equation 3).

    Args:
        features: f_aff, `(batch, side, side, channels)`.
        pairs: `neighbours(side)`.
    """
    return of_pairs(lambda i, j: ops.sum(ops.abs(i - j), axis=-1), features, pairs)


def affinity_loss(regions, features, pairs):
    """L of equation 9, over all pairs of a batch whose coordinates are both confident.

    The mean of -log W over pairs within the content (equation 6) and within the
    background (equation 7), and twice the mean of -log(1 - W) over those of either
    (equation 8). Of what a batch has no pair the mean counts as 0.

    Args:
        regions: `(batch, side, side)`, what `confident_regions` gives.
        features: f_aff, `(batch, side, side, channels)`.
        pairs: `neighbours(side)`.

    Returns:
        Scalar.
    """
    distances = feature_distances(features, pairs)
    regions = ops.cast(regions, distances.dtype)
    # Equation 5: 2 within the content, 0 within the background, 1 of either; else negative.
    kinds = of_pairs(
        lambda i, j: ops.where(ops.minimum(i, j) >= BACKGROUND, i + j, -1.0), regions, pairs
    )

    def mean(values, kind):
        chosen = ops.cast(ops.equal(kinds, kind), values.dtype)
        return ops.sum(values * chosen) / ops.maximum(ops.sum(chosen), 1.0)

    apart = -ops.log(1.0 - ops.exp(-distances) + TINY)
    return mean(distances, 2.0) + mean(distances, 0.0) + 2.0 * mean(apart, 1.0)


def transition_matrix(features, pairs, beta=BETA):
    """T of equation 10: D^-1 of W to the power of beta, element by element.

    W is 1 on its diagonal and 0 for coordinates that are no neighbours.

    Args:
        features: f_aff, `(batch, side, side, channels)`.
        pairs: `neighbours(side)`.
        beta: the larger, the less is carried over weak affinities.

    Returns:
        `(batch, side**2, side**2)`, rows of which add up to 1.
    """
    side = features.shape[1]
    powers = ops.exp(-beta * feature_distances(features, pairs))
    edge = ops.ones_like(powers[:, :1])
    values = ops.concatenate([powers, edge, 0.0 * edge], axis=1)
    matrix = ops.take(values, _places(side, pairs), axis=1)
    return matrix / ops.sum(matrix, axis=-1, keepdims=True)


def _places(side, pairs):
    """Where W has which pair's value: its number, that of the last but one on the diagonal."""
    grid = np.arange(side**2).reshape(side, side)
    first, second = (np.concatenate([grid[pair[end]].ravel() for pair in pairs]) for end in (0, 1))
    places = np.full((side**2, side**2), len(first) + 1)
    np.fill_diagonal(places, len(first))
    places[first, second] = places[second, first] = np.arange(len(first))
    return places


def random_walk(matrix, maps, steps=WALK_STEPS):
    """vec(M*) of equation 11: T^t vec(M).

    Args:
        matrix: T, `(batch, side**2, side**2)`.
        maps: M of each class in the last axis, `(batch, side, side, classes)`.
        steps: t.

    Returns:
        Tensor of `maps`' shape.
    """
    side, classes = maps.shape[1], maps.shape[-1]
    walked = ops.reshape(maps, (-1, side**2, classes))
    for _ in range(steps):
        walked = ops.matmul(matrix, walked)
    return ops.reshape(walked, (-1, side, side, classes))
