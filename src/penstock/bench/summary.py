"""Summary of a benchmark run: least and mean ratios, and shares of the lower bound, by kind of work and cell."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.bench.points import Point

__all__ = ["summary"]

Row = Mapping[str, Any]


def summary(rows: Sequence[Row], peers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a Markdown table.

    Args:
        rows: results of `Measured.row`.
        peers: the peers with a column of ratios; the last column is for the fastest peer at each point.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        point = Point(**row["point"])
        groups.setdefault((_kind(point), point.cell), []).append(row)
    peers = [name for name in peers if any(name in row["ratios"] for row in rows)]
    columns = " | ".join(f"{name}: least, mean" for name in peers)
    yield f"| kind | cell | points | share of the floor | {columns} | the fastest |"
    yield "|---|---|---|---|" + "---|" * (len(peers) + 1)
    for (kind, cell), found in sorted(groups.items()):
        shares = [row["share"] for row in found]
        ratios = [[row["ratios"][name][1] for row in found if name in row["ratios"]] for name in peers]
        fastest = [min(ratio[1] for ratio in row["ratios"].values()) for row in found if row["ratios"]]
        yield (
            f"| {kind} | {cell.upper()} | {len(found)} | {min(shares):.0%}–{max(shares):.0%} | "
            f"{' | '.join(map(_least_and_mean, ratios))} | {_least_and_mean(fastest)} |"
        )


def _kind(point: Point) -> str:
    """A name such as "infer, batch 1"."""
    if point.what == "step":
        return "step"
    more = ", one step" if point.time == 1 else ""
    more += ", batch 1" if point.batch == 1 else ", batch 8 and more"
    more += ", unequal lengths" if point.ragged else ""
    more += ", both directions" if point.directions > 1 else ""
    return point.what + more + (f", {point.layers} layers" if point.layers > 1 else "")


def _least_and_mean(ratios: Sequence[float]) -> str:
    """The least ratio and the geometric mean; a dash if there are none."""
    if not ratios:
        return "–"
    return f"{min(ratios):.2f}, {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}"
