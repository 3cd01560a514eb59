"""The report's tables and curves, made from the content of `metrics.json` alone."""

from typing import NamedTuple


class Column(NamedTuple):
    """One figure of a table.

    Attributes:
        title: its heading.
        better: `"higher"`, `"lower"` or `None`; the best of a column is marked.
        style: `"number"`, or `"share"`, shown in percent.
        full: value at which the bar under the figure is full; `None` for no bar.
    """

    title: str
    better: str | None = None
    style: str = "number"
    full: float | None = None


class Row(NamedTuple):
    """One line of a table.

    Attributes:
        name: of the system, or of what systems are held against.
        cells: for each column a figure (a dictionary with `mean` and, if known, `std`
            and `n`) or `None`.
        compared: whether it is a system; else it is a yardstick.
    """

    name: str
    cells: list
    compared: bool = True


class Table(NamedTuple):
    """A table, the paper's tables that it mirrors, and what its figures mean."""

    title: str
    mirrors: str
    about: str
    columns: list
    rows: list


class Curve(NamedTuple):
    """How one figure in [0, 1] depends on another.

    Attributes:
        name: of the system, or of what systems are held against.
        points: list of (x, y), by x.
        used: the point at which the system is used.
        compared: whether it is a system; else it is a yardstick.
    """

    name: str
    points: list
    used: tuple
    compared: bool = True


KID, KID_USUAL, FID = "KID × 100", "KID × 100, γ = 1/d", "FID"
# Segmentations that table 5 compares with, and where their figures are.
BASELINES = {"CAM of the classifier": "cam", "AffinityNet of the classifier": "affinity"}
LIKE = Column("like before", "higher", full=1.0)


def make_tables(metrics):
    """Every table that `metrics`, the content of `metrics.json`, has figures for."""
    makers = (
        _transfer,
        _removal,
        _transfer_to_a,
        _segmentation,
        _masks,
        _truth,
        _two_way_to_b,
        _two_way_to_a,
    )
    tables = [_without_gaps(make(metrics)) for make in makers]
    return [table for table in tables if any(row.compared for row in table.rows)]


def make_curves(metrics):
    """IoU by threshold (figure 37) of every segmentation that `metrics` has figures for."""
    found = {name: (find(metrics, "data", key), False) for name, key in BASELINES.items()}
    found |= {n: (find(x, "segmentation"), True) for n, x in metrics["systems"].items()}
    curves = []
    for name, (each, compared) in found.items():
        sweep = find(each, "sweep")
        if sweep is not None:
            points = list(zip(sweep["threshold"], sweep["iou"], strict=True))
            used = each["threshold"]["mean"], each["iou"]["mean"]
            curves.append(Curve(name, points, used, compared))
    return curves


def find(value, *path):
    """`value[path[0]][path[1]]…`, `None` where a step is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _rows(metrics, cells):
    """A row for each system, whose cells the function `cells` finds in its figures."""
    return [Row(name, cells(found)) for name, found in metrics["systems"].items()]


def _without_gaps(table):
    """The table without columns and rows that hold no figure."""
    rows = [row for row in table.rows if any(row.cells)]
    used = [any(row.cells[j] for row in rows) for j in range(len(table.columns))]

    def kept(items):
        return [item for item, use in zip(items, used, strict=True) if use]

    rows = [row._replace(cells=kept(row.cells)) for row in rows]
    return table._replace(columns=kept(table.columns), rows=rows)


def _distances(found):
    return [find(found, name) for name in ("kid", "kid_usual", "fid")]


def _seen(metrics, domain, wanted):
    """The classifier's share of real images of a domain that it takes for `wanted`."""
    found = find(metrics, "data", "classifier", domain)
    if found is None or wanted == "b":
        return found
    return {**found, "mean": 1.0 - found["mean"]}


def _way(metrics, way, wanted):
    """Columns and rows of what systems made in one way, held against the domain `wanted`."""
    columns = [
        *(Column(title, "lower") for title in (KID, KID_USUAL, FID)),
        Column(f"seen as {wanted.upper()}", "higher", "share", 1.0),
        LIKE,
    ]
    rows = [
        Row(
            f"real images of {domain.upper()}",
            [
                *_distances(find(metrics, "data", "real", domain, f"to_{wanted}")),
                _seen(metrics, domain, wanted),
                None,
            ],
            False,
        )
        for domain in (wanted, "ab".replace(wanted, ""))
    ]
    rows += _rows(
        metrics,
        lambda found: [
            *_distances(find(found, "distribution", way, f"to_{wanted}")),
            find(found, "attribute", way),
            find(found, "similarity", way),
        ],
    )
    return columns, rows


WAY = (
    "Distances to held-out images of {0}: the nearer to those of real images, the better. "
    "<em>Seen as {0}</em>: by a classifier trained on the two domains{1}. <em>Like before</em>: "
    "cosine similarity of embeddings before and after; 1 also where nothing was done."
)


def _about_way(metrics, wanted):
    accuracy = find(metrics, "data", "classifier", "accuracy", "mean")
    own = "" if accuracy is None else f", itself right in {accuracy:.1%} of held-out images"
    return WAY.format(wanted.upper(), own)


def _transfer(metrics):
    columns, rows = _way(metrics, "transfer", "b")
    # Table 1's caption names A; a transfer to B is not the better for being like A.
    columns += [Column(f"{title} to A") for title in (KID, FID)]
    kinds = {"real images of B": "b", "real images of A": "a"}
    for row in rows:
        if row.compared:
            found = find(metrics["systems"], row.name, "distribution", "transfer", "to_a")
        else:
            found = find(metrics, "data", "real", kinds[row.name], "to_a")
        kid, _, fid = _distances(found)
        row.cells.extend([kid, fid])
    about = "Each image of A with the content of one of B. " + _about_way(metrics, "b")
    return Table("Transfer", "tables 1, 2 and 3", about, columns, rows)


def _removal(metrics):
    columns, rows = _way(metrics, "removal", "a")
    about = "Images of B without their content. " + _about_way(metrics, "a")
    return Table("Removal", "table 6", about, columns, rows)


def _transfer_to_a(metrics):
    columns, rows = _way(metrics, "transfer_to_a", "a")
    about = "Each image of B with the part of one of A. " + _about_way(metrics, "a")
    return Table("Transfer to A", "tables 1, 2 and 3, the other way", about, columns, rows)


def _segmentation(metrics):
    columns = [
        Column("IoU", "higher", full=1.0),
        Column("at threshold"),
        Column("IoU, best threshold", "higher", full=1.0),
        Column("best threshold"),
    ]
    names = ("iou", "threshold", "iou_best", "best_threshold")

    def cells(found):
        return [find(found, name) for name in names]

    rows = [
        Row(name, cells(find(metrics, "data", baseline)), False)
        for name, baseline in BASELINES.items()
    ]
    rows += _rows(metrics, lambda found: cells(find(found, "segmentation")))
    about = (
        "Intersection over union with true masks, mean and deviation over the images: at the "
        "threshold stored with the model, found without labels, and at the best of 19, which only "
        "the truth can tell."
    )
    return Table("Segmentation", "table 5", about, columns, rows)


def _masks(metrics):
    columns = [
        Column("mask", None, "share", 1.0),
        Column("pixels unchanged", "higher", "share", 1.0),
        Column("removal: mask", None, "share", 1.0),
        Column("pixels unchanged", "higher", "share", 1.0),
        Column("largest change outside", "lower"),
    ]

    def cells(found):
        transfer, removal = (find(found, "preservation", x) for x in ("transfer", "removal"))
        names = ("mask_coverage", "unchanged")
        return [
            *(find(transfer, name) for name in names),
            *(find(removal, name) for name in names),
            # Where the mask covers everything nothing is outside.
            find(removal, "change_outside") if find(removal, "untouched", "mean") else None,
        ]

    about = (
        "How much of the picture the mask of a transfer covers (soft) and that of a removal (0 and "
        "1 alone), the share of pixels that are still the image's own in 8 bits, and the largest "
        "change of any pixel where the mask is 0, of images in [-1, 1]."
    )
    return Table("Masks and preservation", "table 7", about, columns, _rows(metrics, cells))


def _truth(metrics):
    columns = [
        Column("transfer", "lower"),
        Column("elsewhere", "lower"),
        Column("follows the reference", "higher", "share", 1.0),
        Column("removal", "lower"),
    ]
    names = ("transfer_error", "transfer_error_outside", "transfer_follows_reference")

    def cells(found):
        return [find(found, "truth", name) for name in (*names, "remove_error")]

    def undone(found):
        transfer, removal = (_undone(found, name) for name in ("transfer_error", "remove_error"))
        return [transfer, None, None, removal] if transfer else None

    rows = [*_nothing_done(metrics, undone), *_rows(metrics, cells)]
    about = (
        "Mean absolute error against the very face rendered so (images in [-1, 1], so at most 2), "
        "inside the exact mask and elsewhere. <em>Follows</em>: share of results nearer to their "
        "own reference's content than to the next one's."
    )
    return Table("Against exact truth", "data whose truth is known", about, columns, rows)


def _undone(found, name):
    """The error `name` of a system if nothing were done."""
    return find(found, "truth", f"{name}_unedited")


def _nothing_done(metrics, cells):
    """The row to compare with, of the first system that `cells` gives it for, or no row."""
    for found in map(cells, metrics["systems"].values()):
        if found:
            return [Row("nothing done", found, False)]
    return []


def _two_way_to_b(metrics):
    return _two_way(metrics, "to_b", "A to B, against exact truth")


def _two_way_to_a(metrics):
    return _two_way(metrics, "to_a", "B to A, against exact truth")


def _two_way(metrics, way, title):
    columns = [
        Column("own part off", "lower"),
        Column("reference's part on", "lower"),
        Column("elsewhere", "lower"),
        Column("unchanged there", "higher", "share", 1.0),
    ]
    names = [f"{way}_{name}" for name in ("removed", "added", "outside", "outside_unchanged")]

    def cells(found):
        return [find(found, "truth", name) for name in names]

    def undone(found):
        both = [_undone(found, name) for name in names[:2]]
        return [*both, None, None] if all(both) else None

    rows = [*_nothing_done(metrics, undone), *_rows(metrics, cells)]
    about = (
        "Mean absolute error against the very face rendered so (images in [-1, 1]): where the "
        "target's own part was, where the reference's part lies, and everywhere else."
    )
    return Table(title, "data whose truth is known", about, columns, rows)
