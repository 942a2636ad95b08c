"""The ratios and shares of a run as a page with charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report import Line, line_chart, section
from penstock.report import page as whole_page

__all__ = ["page"]


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """One HTML file: for each cell and kind of work the ratios to each peer, and the share of the machine's best.

    Args:
        rows: as `Measured.row` gives them.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["point"]["cell"], row["point"]["what"]), []).append(row)
    charts = [_charts(cell, what, found) for (cell, what), found in groups.items()]
    return whole_page("Speed beside other libraries", "", [section("Ratios and shares", *charts)])


def _charts(cell: str, what: str, rows: Sequence[Mapping[str, Any]]) -> str:
    rows = sorted(rows, key=lambda row: row["seconds"]["penstock"])
    places = list(range(1, len(rows) + 1))
    peers = sorted({name for row in rows for name in row["ratios"]})
    nowhere = float("nan")
    lines = [
        Line(name, places, [row["ratios"].get(name, (0, nowhere))[1] for row in rows], style)
        for style, name in enumerate(peers)
    ]
    names = ", ".join(f"{place} {row['name']}" for place, row in zip(places, rows, strict=True))
    ratios = line_chart(
        lines, title=f"{cell} {what}: times as long as Penstock ({names})", x_label="point", y_label="ratio", log=True
    )
    share = Line("Penstock", places, [100 * row["share"] for row in rows], 0)
    return ratios + line_chart([share], title=f"{cell} {what}: share of the best", x_label="point", y_label="%")
