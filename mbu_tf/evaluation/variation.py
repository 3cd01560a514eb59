"""What a variation of a recipe is judged by: figures, a column of pictures, one table."""

import keras

from mbu_tf.data.domains import to_uint8
from mbu_tf.evaluation.attribute_classifier import share_in_b
from mbu_tf.evaluation.features import FeatureExtractor
from mbu_tf.evaluation.ground_truth import evaluate_against_truth
from mbu_tf.evaluation.kernel_distance import PAPER_GAMMA, kernel_distance
from mbu_tf.evaluation.pictures import mask_picture, segmentation_picture
from mbu_tf.evaluation.similarity import embedding_similarity

PAIRS = 256
PICTURED = 3
SUBSET = 100

# What the table shows of `model_figures`: its head, how a figure is written, and times what.
COLUMNS = {
    "seen_as_b": ("seen as B", "{:.1%}", 1),
    "similarity": ("similarity", "{:.3f}", 1),
    "kid": ("KID × 100", "{:.2f}", 100),
    "transfer_mask": ("mask", "{:.1%}", 1),
    "segmented": ("segmented", "{:.1%}", 1),
    "segment_iou": ("IoU", "{:.3f}", 1),
    "segment_iou_best": ("best IoU", "{:.3f}", 1),
    "remove_error": ("removal", "{:.3f}", 1),
    "transfer_error": ("transfer", "{:.3f}", 1),
    "transfer_error_outside": ("outside", "{:.3f}", 1),
    "transfer_follows_reference": ("follows", "{:.0%}", 1),
}


def _first(domains, most):
    return domains.arrays(min(len(domains.a), len(domains.b), most))


def model_figures(model, domains, classifier=None):
    """Figures of a trained model with masks: those of table 7, and exact ones where they exist.

    Similarity and KID are of the classifier's own features, so that they need no other
    network and no download: read them within one table only.

    Args:
        model: with `transfer`, `remove` and `segment`.
        domains: `TwoDomains`; its first pairs are transferred.
        classifier: of the two domains, see `train_attribute_classifier`, or `None`.

    Returns:
        Dict of floats: `transfer_mask`, the mean of the soft masks m(a, b), table
        7's percentage of mask; `segmented`, the share of pixels of b at the stored
        threshold or above. With a classifier, of the transfers z(a, b): `seen_as_b`,
        the share that it takes for images of B; `similarity`, mean cosine of its maps
        of a and of z(a, b), place by place; `kid`, kernel distance of its pooled
        features to those of b, with `kid_std`. Where `domains` carries its truth,
        those of `evaluate_against_truth`.
    """
    a, b = _first(domains, PAIRS)
    edit = model.transfer(a, b)
    figures = {
        "transfer_mask": float(edit.mask.mean()),
        "segmented": float(model.segment(b, "stored").mean()),
    }
    if classifier is not None:
        figures |= _judged(classifier, a, b, edit.image)
    if domains.a_with is not None:
        figures |= evaluate_against_truth(model, domains)
    return figures


def _judged(classifier, a, b, transferred):
    """What a classifier says of transfers, see `model_figures`."""
    # What its pooling takes, and what its logit takes.
    maps, pooled = (
        FeatureExtractor(
            keras.Model(classifier.inputs, classifier.get_layer(x).input), a.shape[1], average=False
        )
        for x in ("pooling", "logit")
    )
    figures = {
        "seen_as_b": share_in_b(classifier, transferred),
        "similarity": embedding_similarity(maps, a, transferred)[0],
    }
    if len(a) > 1:
        distance = kernel_distance(
            pooled(b), pooled(transferred), PAPER_GAMMA, subset_size=min(SUBSET, len(a))
        )
        figures |= dict(zip(("kid", "kid_std"), distance, strict=True))
    return figures


def pair_tiles(domains):
    """The pictures that `model_tiles` is about: a target and its reference for each pair."""
    tiles = []
    for a, b in zip(*map(to_uint8, _first(domains, PICTURED)), strict=True):
        tiles += [a, b, None, None]
    return tiles


def model_tiles(model, domains):
    """A column of figure 36 for the first pairs: transfer, its mask, segmentation, removal.

    Args:
        model: with `transfer`, `remove` and `segment`.
        domains: `TwoDomains`.

    Returns:
        List of uint8 `(size, size, 3)`, four for each pair.
    """
    a, b = _first(domains, PICTURED)
    edits, removed = model.transfer(a, b), model.remove(b)
    segmented = model.segment(b, "stored")
    tiles = []
    for i in range(len(a)):
        tiles += [
            to_uint8(edits.image[i]),
            mask_picture(edits.mask[i]),
            segmentation_picture(to_uint8(b[i]), segmented[i]),
            to_uint8(removed.image[i]),
        ]
    return tiles


def figures_table(figures):
    """A table in Markdown, one line for each row, of the `COLUMNS` that any row has.

    Args:
        figures: dict from the name of a row to its `model_figures`.
    """
    columns = [x for x in COLUMNS if any(x in row for row in figures.values())]
    lines = [
        ["", *(COLUMNS[x][0] for x in columns)],
        ["---"] * (len(columns) + 1),
        *([name, *(_cell(row, x) for x in columns)] for name, row in figures.items()),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cell(row, column):
    value = row.get(column)
    _, style, factor = COLUMNS[column]
    return "" if value is None else style.format(factor * value)
