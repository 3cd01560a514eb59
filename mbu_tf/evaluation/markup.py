"""Small pieces of HTML, each a pure function of what it shows."""

import html
import importlib.resources

FILES = importlib.resources.files("mbu_tf.evaluation")


def escape(text):
    """Text as it may stand in HTML, in attributes too."""
    return html.escape(str(text))


def tag(name, *content, **attributes):
    """An element; attributes named with `_` for `-`, `class_` for `class`, `None` left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(content)}</{name}>"


def picture(cell, text):
    """A cell of a grid: its image, and its mask laid over it until it is wanted.

    Args:
        cell: dictionary with the data URIs `image` and, if there is one, `mask`; `None`
            for a gap.
        text: what the image shows, for those who cannot see it.
    """
    if cell is None:
        return '<span class="cell"></span>'
    mask = cell.get("mask")
    images = f'<img src="{cell["image"]}" alt="{escape(text)}">'
    if mask:
        images += f'<img class="mask" src="{mask}" alt="{escape("mask of " + text)}">'
    return f'<button class="cell" type="button">{images}</button>'


def grid(rows, heading=None, side=False):
    """Rows of pictures.

    Args:
        rows: list of `(label, cells)`.
        heading: text over the grid, or `None`.
        side: whether it is a table of references (left) and targets (top).
    """
    columns = max(len(cells) for _, cells in rows)
    pieces = []
    for i, (label, cells) in enumerate(rows):
        if label:
            pieces.append(tag("span", escape(label), class_="label"))
        for j in range(columns):
            text = f"{label or heading or 'picture'}, row {i + 1}, column {j + 1}"
            pieces.append(picture(cells[j] if j < len(cells) else None, text))
    body = tag(
        "div",
        tag("div", *pieces, class_="grid side" if side else "grid", style=f"--columns: {columns}"),
        class_="scroll",
    )
    title = "" if heading is None else tag("h3", escape(heading))
    return tag("div", title, body, class_="panel")


def figure(title, about, *panels, masks=False):
    """A heading, what is to be seen, and panels; a switch shows masks in place of pictures."""
    switch = '<label class="switch"><input type="checkbox"> masks</label>' if masks else ""
    heading = tag("header", tag("h2", escape(title)), switch)
    return tag(
        "section", heading, tag("p", about), tag("div", *panels, class_="panels"), class_="figure"
    )


def number(value, style):
    """A figure's text: three decimals or three digits, or percent."""
    if style == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def cell(found, column, best):
    """A figure of a table with its deviation and its bar."""
    if found is None or found["mean"] is None:
        return tag("td", "–", class_="none")
    mean, std = found["mean"], found.get("std")
    text = number(mean, column.style)
    deviation = "" if std is None else tag("small", " ± ", number(std, column.style))
    bar = ""
    if column.full:
        low, high = ((mean + sign * (std or 0.0)) / column.full for sign in (-1, 1))
        bounds = f"--at: {_clipped(mean / column.full)}; --low: {_clipped(low)}; "
        bar = tag("i", style=bounds + f"--high: {_clipped(high)}", class_="bar")
    return tag("td", tag("b" if best else "span", text), deviation, bar)


def _clipped(value):
    return f"{100 * min(1.0, max(0.0, value)):.1f}%"


def table(found):
    """A `Table` of the report, the best system of each column in bold."""
    arrows = {"higher": " ↑", "lower": " ↓", None: ""}
    head = [tag("th", "", scope="col"), tag("th", "n", scope="col", class_="count")]
    head += [tag("th", escape(c.title), arrows[c.better], scope="col") for c in found.columns]
    bests = [_best(found.rows, j, column.better) for j, column in enumerate(found.columns)]
    lines = []
    for row in found.rows:
        counts = {each["n"] for each in row.cells if each and "n" in each}
        cells = [
            cell(each, column, each is not None and row.compared and each["mean"] == best)
            for each, column, best in zip(row.cells, found.columns, bests, strict=True)
        ]
        lines.append(
            tag(
                "tr",
                tag("th", escape(row.name), scope="row"),
                tag("td", escape(" / ".join(map(str, sorted(counts)))), class_="count"),
                *cells,
                class_=None if row.compared else "yardstick",
            )
        )
    body = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *lines))
    heading = tag("h3", escape(found.title), tag("small", escape(found.mirrors)))
    return tag(
        "div", heading, tag("div", body, class_="scroll"), tag("p", found.about), class_="table"
    )


def _best(rows, column, better):
    """The best mean of a column; `None` for one system alone, or of unlike numbers of images."""
    cells = [row.cells[column] for row in rows if row.compared and row.cells[column]]
    means = [each["mean"] for each in cells if each["mean"] is not None]
    if better is None or len(means) < 2 or len({each.get("n") for each in cells}) > 1:
        return None
    return max(means) if better == "higher" else min(means)


# Of a chart, in units of its picture: width and height of the plot, and room for the numbers.
PLOT, ROOM = (60, 36), (7, 5)


def chart(curves, x_title, y_title):
    """`Curve`s of one picture, dashed where they are no system's; a dot where each is used."""
    (width, height), (left, below) = PLOT, ROOM

    def at(x, y):
        return f"{left + width * x:.2f}", f"{height * (1 - y):.2f}"

    lines = []
    for value in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(value, value)
        lines.append(f'<path d="M{left},{y}h{width}M{x},0v{height}"/>')
        lines.append(tag("text", f"{value:g}", x=left - 1, y=y, text_anchor="end", dy="0.35em"))
        lines.append(tag("text", f"{value:g}", x=x, y=height + 3, text_anchor="middle"))
    plot, legend = [tag("g", *lines)], []
    for i, curve in enumerate(curves):
        look = {"class_": None if curve.compared else "yardstick", "style": f"--turn: {i}"}
        points = " ".join(",".join(at(*point)) for point in curve.points)
        x, y = at(*curve.used)
        dot = tag("circle", cx=x, cy=y, r="0.9")
        plot.append(tag("g", tag("polyline", points=points), dot, **look))
        legend.append(tag("span", escape(curve.name), **look))
    box = f"0 -2 {left + width + 2} {height + below}"
    text = f"{y_title} by {x_title}: " + ", ".join(curve.name for curve in curves)
    titles = tag("p", escape(f"{y_title} (upwards) by {x_title}"))
    svg = tag("svg", *plot, viewBox=box, role="img", aria_label=text)
    return tag("div", titles, svg, tag("div", *legend, class_="legend"), class_="chart")


def page(title, body, style, script):
    """A whole page with the package's files `style` and `script` in it."""
    style, script = ((FILES / name).read_text("utf-8") for name in (style, script))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + f"\n<script>\n{script}</script>\n</body>\n</html>\n"
    )
