"""The report: one HTML file that holds its pictures, made of `metrics.json` and of cells."""

import re

from mbu_tf.evaluation import markup
from mbu_tf.evaluation.report.tables import BASELINES, find, make_curves, make_tables

# What a system's card shows: words, where the figure is, and how it is written.
HIGHLIGHTS = (
    ("seen as B", ("attribute", "transfer"), "share"),
    ("like before", ("similarity", "transfer"), "number"),
    ("IoU of its masks", ("segmentation", "iou"), "number"),
    ("follows the reference", ("truth", "transfer_follows_reference"), "share"),
    ("pixels unchanged", ("preservation", "transfer", "unchanged"), "share"),
    ("FID", ("distribution", "transfer", "to_b", "fid"), "number"),
)


def write_report(path, metrics, shown):
    """Write the report to `path`.

    Args:
        path: an HTML file.
        metrics: what `metrics.json` holds.
        shown: `data` as of `show_material`, and `systems`: by name as of `show_system`.
    """
    path.write_text(render_report(metrics, shown), encoding="utf-8")


def render_report(metrics, shown):
    """The report as text; see `write_report`."""
    figures = [make(shown) for make in FIGURES]
    tables = [markup.table(table) for table in make_tables(metrics)]
    title = f"Evaluation of {metrics['data']['source']}"
    body = [
        _header(metrics),
        markup.tag("div", *_cards(metrics), class_="cards"),
        *(figure for figure in figures if figure),
        markup.tag("section", markup.tag("h2", "Figures"), *tables, class_="tables"),
        _thresholds(metrics),
        _notes(metrics),
        '<dialog><img alt="the picture, enlarged"></dialog>',
    ]
    return markup.page(title, body, "report/report.css", "report/report.js")


def _header(metrics):
    data = metrics["data"]
    about = (
        f"{data['pairs']} pairs of the {data['split']} split, {data['image_size']} px. Touch a "
        "picture to enlarge it."
    )
    # Paths and tasks may be broken after what joins their words.
    title = markup.tag("h1", re.sub(r"([:_/]+)", r"\1<wbr>", markup.escape(data["source"])))
    return markup.tag("header", title, markup.tag("p", markup.escape(about)), class_="top")


def _cards(metrics):
    for name, found in metrics["systems"].items():
        lines = []
        for words, place, style in HIGHLIGHTS:
            mean = find(found, *place, "mean")
            if mean is not None:
                value = markup.tag("dd", markup.number(mean, style))
                lines.append(markup.tag("div", markup.tag("dt", words), value))
        method = markup.tag("small", markup.escape(found["method"]))
        heading = markup.tag("h2", markup.escape(name), method if found["method"] != name else "")
        yield markup.tag("article", heading, markup.tag("dl", *lines), class_="card")


def _each(shown, name):
    """Names and pictures of the systems that have a figure."""
    return [(key, each[name]) for key, each in shown["systems"].items() if each and name in each]


def _guided(shown, name, targets, references):
    """Panels of references (left) times targets (top), one for each system."""
    data = shown["data"]
    for system, rows in _each(shown, name):
        top = (None, [None, *data[targets][: len(rows[0])]])
        below = [(None, [ref, *row]) for ref, row in zip(data[references], rows, strict=False)]
        yield markup.grid([top, *below], system, side=True)


def _plain(shown, name):
    """Panels of rows without labels, one for each system."""
    for system, rows in _each(shown, name):
        yield markup.grid([(None, row) for row in rows], system)


def _transfer(shown):
    panels = [*_guided(shown, "transfer", "targets", "references"), *_plain(shown, "pairs")]
    about = (
        "The content of the references (left) on the targets (top). Nothing but two unpaired "
        "sets of images says what that content is."
    )
    return _figure("Transfer", about, panels, masks=True)


def _transfer_to_a(shown):
    panels = [*_guided(shown, "transfer_to_a", "worn", "sources")]
    return _figure("Transfer to A", "The other way: A's part on images of B.", panels, masks=True)


def _strip(shown, name, title, about, before, masks=False):
    """One panel: what it starts from, then a row of each system."""
    rows = [(system, row) for system, row in _each(shown, name)]
    if not rows:
        return ""
    above = [(label, shown["data"][key]) for label, key in before if shown["data"].get(key)]
    return _figure(title, about, [markup.grid([*above, *rows])], masks)


def _removal(shown):
    about = "The content taken off; outside its mask every pixel is the image's own."
    return _strip(shown, "removal", "Removal", about, [("before", "worn")], masks=True)


def _segmentation(shown):
    before = [("image", "outlined"), ("truth", "truth"), *BASELINES.items()]
    about = "Where each finds the content, tinted over the image, at the stored threshold."
    return _strip(shown, "segmentation", "Segmentation", about, before)


def _interpolation(shown):
    about = (
        "From one reference's content to another's: the target, the first reference, the blends, "
        "the last reference."
    )
    return _figure("Interpolation", about, [*_plain(shown, "interpolation")], masks=True)


def _swap(shown):
    before = [("face", "worn"), ("whose content it gets", "wanted")]
    about = "The face's own content off, another's on."
    return _strip(shown, "swap", "Swap", about, before, masks=True)


def _sequence(shown):
    about = "A second part, of another model, added after the first."
    before = [("face", "sources"), ("first", "worn"), ("second", "second")]
    return _strip(shown, "sequence", "One after the other", about, before)


FIGURES = (
    _transfer,
    _transfer_to_a,
    _removal,
    _segmentation,
    _interpolation,
    _swap,
    _sequence,
)


def _thresholds(metrics):
    about = (
        "Mean IoU with the true masks, whatever value a mask is cut at (figure 37); the dot is the "
        "threshold that each is used with, which no label chose."
    )
    curves = make_curves(metrics)
    panels = [markup.chart(curves, "threshold", "IoU")] if curves else []
    return _figure("Segmentation by threshold", about, panels)


def _figure(title, about, panels, masks=False):
    panels = list(panels)
    return markup.figure(title, about, *panels, masks=masks) if panels else ""


def _notes(metrics):
    """What was left out and why, and what every figure needs to be read."""
    data = metrics["data"]
    missing = metrics["missing"]
    lines = [
        f"Left out ({', '.join(name for name, each in missing.items() if each == reason)}): "
        + markup.escape(reason)
        for reason in dict.fromkeys(missing.values())
    ]
    lines += [
        "n is the number of images. A deviation is: of IoU, similarity and masks that over the "
        "images; of shares the standard error; of KID that over 100 random subsets of half the "
        "images; of FID that over 10 random halves.",
        f"Distances are measured in the features {markup.escape(data['features'])}, similarity in "
        f"{markup.escape(data['embedding'])}. Both, FID above all, depend on the number of images "
        "and on how they are resized: compare them within this report only.",
        f"Made by mbu_tf {markup.escape(metrics['version'])}; all figures are in metrics.json.",
    ]
    items = [markup.tag("li", line) for line in lines]
    return markup.tag("footer", markup.tag("h2", "Notes"), markup.tag("ul", *items))
