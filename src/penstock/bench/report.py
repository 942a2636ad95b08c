"""A page with charts of a benchmark run: ratios and rooflines."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.bench.points import Point
from penstock.report import Line, chart, section
from penstock.report import page as whole_page

__all__ = ["page"]

Row = Mapping[str, Any]


def page(rows: Sequence[Row]) -> str:
    """Return an HTML page: for each cell and kind of work, the ratios to each peer, and a roofline chart of all speeds.

    Args:
        rows: results of `Measured.row`.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["point"]["cell"], row["point"]["what"]), []).append(row)
    styles = {name: style for style, name in enumerate(sorted({name for row in rows for name in row["ratios"]}), 1)}
    charts = [_charts(cell, what, found, styles) for (cell, what), found in groups.items()]
    return whole_page("Speed beside other libraries", "", [section("Ratios and rooflines", *charts)])


def _charts(cell: str, what: str, rows: Sequence[Row], styles: Mapping[str, int]) -> str:
    rows = sorted(rows, key=lambda row: (Point(**row["point"]).intensity, row["seconds"]["penstock"]))
    places = list(range(1, len(rows) + 1))
    peers = [name for name in styles if any(name in row["ratios"] for row in rows)]
    ratios = {name: [row["ratios"].get(name, (0, float("nan")))[1] for row in rows] for name in peers}
    speeds = [row["gflops"] for row in rows]
    names = ", ".join(f"{place} {row['name']}" for place, row in zip(places, rows, strict=True))
    lines = [Line(name, places, ratios[name], styles[name]) for name in peers]
    below = [
        Line(name, places, [speed / ratio for speed, ratio in zip(speeds, ratios[name], strict=True)], styles[name])
        for name in peers
    ]
    roof = [speed / row["share"] for speed, row in zip(speeds, rows, strict=True)]
    below += [Line("Penstock", places, speeds, 0), Line("machine limit", places, roof, 6)]
    order = "point, by operations per byte of weights"
    return chart(
        lines, title=f"{cell} {what}: time relative to Penstock ({names})", x_label=order, y_label="ratio", log=True
    ) + chart(below, title=f"{cell} {what}: roofline", x_label=order, y_label="GF/s", log=True)
