from mbu_tf.evaluation import markup
from mbu_tf.evaluation.report.tables import Column, Curve, Row, Table, make_curves, make_tables


def metrics():
    """Of two systems, the second without masks, where no features could be had."""
    first = {
        "method": "mbu",
        "attribute": {"transfer": {"mean": 0.9, "std": 0.01, "n": 50}},
        "distribution": None,
        "segmentation": {"iou": {"mean": 0.7, "std": 0.1, "n": 50}, "threshold": {"mean": 0.2}},
    }
    second = {"method": "pictures", "attribute": {"transfer": {"mean": 0.8, "n": 40}}}
    real = {"accuracy": {"mean": 0.97}, "a": {"mean": 0.25, "n": 50}, "b": {"mean": 0.96, "n": 50}}
    return {"data": {"classifier": real}, "systems": {"one": first, "two": second}}


def test_tables_hold_what_was_measured_alone():
    tables = {table.title: table for table in make_tables(metrics())}
    assert [*tables] == ["Transfer", "Segmentation"]
    transfer = tables["Transfer"]
    assert [column.title for column in transfer.columns] == ["seen as B"]
    assert [(row.name, row.cells[0]["mean"], row.compared) for row in transfer.rows] == [
        ("real images of B", 0.96, False),
        ("real images of A", 0.25, False),
        ("one", 0.9, True),
        ("two", 0.8, True),
    ]
    assert "97.0%" in transfer.about
    assert [row.name for row in tables["Segmentation"].rows] == ["one"]


def test_removal_is_held_against_a():
    found = metrics()
    found["systems"]["one"]["attribute"]["removal"] = {"mean": 0.6, "n": 50}
    tables = {table.title: table for table in make_tables(found)}
    rows = [(row.name, row.cells[0]["mean"]) for row in tables["Removal"].rows]
    assert rows[0] == ("real images of A", 0.75)
    assert [name for name, _ in rows] == ["real images of A", "real images of B", "one"]


def test_the_best_system_is_marked_not_a_yardstick():
    cells = [{"mean": 9.0, "n": 3}, {"mean": 2.0, "std": 0.5, "n": 3}, {"mean": 1.0, "n": 3}]
    rows = [Row("real", [cells[0]], False), Row("<one>", [cells[1]]), Row("two", [cells[2]])]
    text = markup.table(Table("T", "table 1", "about", [Column("IoU", "higher")], rows))
    assert text.count("<b>") == 1 and "<b>2.000</b><small> ± 0.500</small>" in text
    assert "&lt;one&gt;" in text and "<one>" not in text
    lower = markup.table(Table("T", "table 1", "about", [Column("FID", "lower")], rows))
    assert "<b>1.000</b>" in lower
    # Of unlike numbers of images none is the best.
    cells[2]["n"] = 4
    assert "<b>" not in markup.table(Table("T", "", "", [Column("FID", "lower")], rows))


def test_shares_and_bars():
    column = Column("share", "higher", "share", 1.0)
    text = markup.cell({"mean": 0.5, "std": 0.75}, column, False)
    assert "50.0 %" in text and "--at: 50.0%; --low: 0.0%; --high: 100.0%" in text
    assert "–" in markup.cell(None, column, False)
    assert "–" in markup.cell({"mean": None}, column, False)


def test_curves_are_of_systems_and_baselines_that_have_masks():
    found = metrics()
    assert make_curves(found) == []
    sweep = {"threshold": [0.2, 0.8], "iou": [0.7, 0.3]}
    found["systems"]["one"]["segmentation"]["sweep"] = sweep
    found["data"]["cam"] = {"iou": {"mean": 0.1}, "threshold": {"mean": 0.2}, "sweep": sweep}
    points = [(0.2, 0.7), (0.8, 0.3)]
    assert make_curves(found) == [
        Curve("CAM of the classifier", points, (0.2, 0.1), False),
        Curve("one", points, (0.2, 0.7)),
    ]


def test_a_chart_goes_through_its_points():
    (width, height), (left, _) = markup.PLOT, markup.ROOM
    curves = [
        Curve("<one>", [(0, 0), (0.5, 1), (1, 0.25)], (0.5, 1)),
        Curve("two", [], (0, 0), False),
    ]
    text = markup.chart(curves, "threshold", "IoU")
    middle = f"{left + width / 2:.2f},0.00"
    ends = f"{left:.2f},{height:.2f}", f"{left + width:.2f},{0.75 * height:.2f}"
    assert f'points="{ends[0]} {middle} {ends[1]}"' in text
    assert f'cx="{left + width / 2:.2f}" cy="0.00"' in text
    assert "&lt;one&gt;" in text and "<one>" not in text
    assert text.count('class="yardstick"') == 2  # Its curve and its name.
