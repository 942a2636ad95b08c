"""Scores on a terminal: each with its 95 % interval, and a verdict only where a paired test bears it out."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.runtime.resampling import FEW_UNITS

__all__ = ["say_verdict", "show_scores", "with_interval"]

_SIDE_BY_SIDE = 3  # columns up to which a score and its interval fit into a line of 80 characters
_Intervals = Mapping[str, Sequence[float] | None]


def show_scores(scores: Mapping[str, Mapping[str, Any] | None], intervals: Mapping[str, _Intervals]) -> None:
    """A table on standard output: a line for each metric, a column for who was measured.

    Args:
        scores: by who was measured, the metrics by name.
        intervals: the 95 % interval of each, likewise; where there is none, the score stands alone.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from penstock.report import metric_names

    filled = {who: metrics for who, metrics in scores.items() if metrics}
    names = metric_names({name: value for metrics in filled.values() for name, value in metrics.items()})
    table = Table("", *filled, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    between = " " if len(filled) <= _SIDE_BY_SIDE else "\n"
    for name in names:
        cells = []
        for who, metrics in filled.items():
            interval = intervals.get(who, {}).get(name)
            cells.append(with_interval(metrics[name], interval, between) if name in metrics else "–")
        table.add_row(name, *cells)
    Console(highlight=False, markup=False).print(table)


def with_interval(value: float, interval: Sequence[float] | None, between: str = " ") -> str:
    """A score, and after `between` its interval if there is one."""
    from penstock.report import readable

    return readable(value) if interval is None else f"{readable(value)}{between}[{', '.join(map(_short, interval))}]"


def _short(value: float) -> str:
    """Enough digits for the end of an interval: four where they say something, at most three behind the point."""
    if value and not 1e-2 <= abs(value) < 1e6:
        return f"{value:.2e}"
    decimals = 3 - min(3, max(0, len(str(int(abs(value)))) - 1))
    return f"{value:.{decimals}f}"


def say_verdict(verdict: Mapping[str, str], baseline: str, units: int) -> None:
    """Whether the model does better than its main baseline, on standard output, and whether there was little data.

    Args:
        verdict: what a paired test says of each metric; empty without a baseline.
        baseline: the baseline's name for people.
        units: how many independent cases there were.
    """
    from penstock.report import metric_words

    if verdict:
        by_verdict: dict[str, list[str]] = {}
        for name, said in verdict.items():
            by_verdict.setdefault(said, []).append(metric_words(name))
        words = "; ".join(f"{said}: {', '.join(names)}" for said, names in by_verdict.items())
        print(f"Beside “{baseline}” – {words}. (95 % intervals; a paired test at the 5 % level)")
    if units < FEW_UNITS:
        print(f"Independent cases (rows, or stretches of a horizon): only {units}. These scores are uncertain.")
