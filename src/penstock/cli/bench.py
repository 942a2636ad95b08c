"""`penstock bench`: the engine's speed on this machine, compared with other installed libraries."""

import json
import math
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.answers import written_whole
from penstock.cli.command import command, option
from penstock.cli.paths import check_new_file
from penstock.cli.values import NUMBER, PATH, Number, OneOf, meant
from penstock.errors import ConfigError, InputError

if TYPE_CHECKING:
    from penstock.bench import Measured


_CELLS = ("rnn", "lstm", "gru")


def _grids() -> list[str]:
    from penstock.bench import GRIDS

    return list(GRIDS)


@command("bench", example="penstock bench --grid quick")
@option("--grid", type=OneOf(_grids), default="quick", help="The points: quick, core, ragged or full.")
@option("--peers", help="Libraries to compare with, separated by commas; default: all that are installed.")
@option("--cells", default=",".join(_CELLS), help="Cells, separated by commas.")
@option("--threads", type=Number(whole=True, least=1), default=2, help="Threads of each library.")
@option("--rounds", type=Number(whole=True, least=1), default=5, help="Interleaved rounds; the medians are reported.")
@option("--seconds", type=NUMBER, default=0.1, help="Seconds per timing.")
@option(
    "--json",
    "output",
    type=PATH,
    help="Also write the results to this file after each point; an existing file is resumed.",
)
@option("--plot", type=PATH, help="Also write charts of the ratios to this HTML file.")
def bench(
    grid: str,
    peers: str | None,
    cells: str,
    threads: int,
    rounds: int,
    seconds: float,
    output: Path | None,
    plot: Path | None,
) -> None:
    """Time layers side by side: same weights, inputs, threads; each peer in a process of its own; rounds interleaved.

    A ratio is the peer's time divided by ours, the share is of what the machine could do at best, measured beside it. A
    point whose outputs are wrong is not reported.
    """
    from penstock import bench as room
    from penstock.bench.report import page

    for path in filter(None, (output, plot)):
        check_new_file(path)
    there = room.installed()
    chosen = there if peers is None else [name for name in peers.split(",") if name]
    if unknown := [name for name in chosen if name not in ("nn", "frozen", *there)]:
        known = ", ".join(["nn", "frozen", *there])
        near = meant(unknown[0], ["nn", "frozen", *there])
        raise ConfigError(f"--peers must be among those that are installed: {known}; got {unknown[0]!r}.{near}")
    if strange := [name for name in cells.split(",") if name not in _CELLS]:
        raise ConfigError(f"--cells must be among {', '.join(_CELLS)}; got {strange[0]!r}.{meant(strange[0], _CELLS)}")
    points = [point for point in room.GRIDS[grid]() if point.cell in cells.split(",")]
    done = [row for row in _earlier(output) if row["name"] in {point.name for point in points}]
    missing = [point for point in points if point.name not in {row["name"] for row in done}]
    print(
        f"{platform.machine()}, {threads} threads, {len(points)} points, {len(points) - len(missing)} measured before"
    )
    print(f"| point | Penstock µs | GF/s | share of the floor | {' | '.join(chosen)} |")
    print("|---|---|---|---|" + "---|" * len(chosen))
    rows = list(done)
    for measured in room.measure(missing, chosen, threads=threads, rounds=rounds, seconds=seconds):
        rows.append(measured.row())
        print(_line(measured, chosen), flush=True)
        if output is not None:
            with written_whole(output) as new:
                new.write_text(json.dumps({"threads": threads, "machine": platform.machine(), "rows": rows}, indent=1))
    print(*room.summary(rows, chosen), sep="\n")
    if plot is not None:
        with written_whole(plot) as new:
            new.write_text(page(rows), encoding="utf-8")


def _line(measured: "Measured", peers: list[str]) -> str:
    cells = []
    for name in peers:
        least, median, most = measured.ratios.get(name, (math.nan,) * 3)
        cells.append("–" if name not in measured.ratios else f"**{median:.2f}** ({least:.2f}–{most:.2f})")
    seconds = measured.seconds["penstock"]
    speed = f"{seconds * 1e6:.1f} | {measured.point.flops / seconds / 1e9:.0f} | {measured.share:.0%}"
    return f"| {measured.point.name} | {speed} | {' | '.join(cells)} |"


def _earlier(path: Path | None) -> list[dict[str, Any]]:
    """Read the rows of a file that an earlier run wrote."""
    if path is None or not path.exists():
        return []
    try:
        return json.loads(path.read_text())["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not what penstock bench --json wrote: {error}. Choose another file.") from error
