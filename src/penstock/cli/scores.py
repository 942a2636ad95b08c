"""Scores on a terminal: each with its 95 % interval, and a verdict from a paired test."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.console import printable
from penstock.runtime.resampling import FEW_UNITS

__all__ = ["say_verdict", "show_classes", "show_scores", "show_speakers", "with_interval"]

_SIDE_BY_SIDE = 3  # up to this number of columns, scores and intervals fit into lines of 80 characters
_MOST_SPEAKERS = _MOST_CLASSES = 20
_Intervals = Mapping[str, Sequence[float] | None]


def show_scores(scores: Mapping[str, Mapping[str, Any] | None], intervals: Mapping[str, _Intervals]) -> None:
    """Print a table on standard output: a row for each metric, a column for the model and each baseline.

    Args:
        scores: for each column, the metrics by name.
        intervals: for each column, the 95 % intervals by metric; a score without one is printed alone.
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


def show_speakers(speakers: Sequence[Mapping[str, Any]]) -> None:
    """Print the scores of each speaker, see `speech.scores.by_speaker`: of many, the first ones. Nothing for none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from penstock.report import metric_words

    if not speakers:
        return
    names = list(speakers[0]["interval"])
    table = Table("speaker", "rows", *map(metric_words, names), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for one in speakers[:_MOST_SPEAKERS]:
        scores = [with_interval(one[name], one["interval"][name], "\n") for name in names]
        table.add_row(one["speaker"] or "–", str(one["rows"]), *scores)
    Console(highlight=False, markup=False).print(table)
    if len(speakers) > _MOST_SPEAKERS:
        print(f"{len(speakers) - _MOST_SPEAKERS} more speakers, with fewer errors: --json has them all.")


def show_classes(classes: Sequence[Mapping[str, Any]]) -> None:
    """Print the scores of each class, see `runtime.per_class`: of many, those with the lowest F1. Nothing for none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from penstock.report import metric_words

    if not classes:
        return
    names = ("precision", "recall", "f1")
    shown = list(classes)
    if len(shown) > _MOST_CLASSES:
        shown = sorted(shown, key=lambda one: one["f1"])[:_MOST_CLASSES]
    table = Table("class", "rows", *map(metric_words, names), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for one in shown:
        scores = [with_interval(one[name], one["interval"][name], "\n") for name in names]
        table.add_row(printable(str(one["label"])), str(one["rows"]), *scores)
    Console(highlight=False, markup=False).print(table)
    if len(classes) > len(shown):
        print(f"{len(classes) - len(shown)} more classes, with a higher F1: --json has them all.")


def with_interval(value: float, interval: Sequence[float] | None, between: str = " ") -> str:
    """Format a score and, if there is one, its interval after `between`."""
    from penstock.report import readable

    return readable(value) if interval is None else f"{readable(value)}{between}[{', '.join(map(_short, interval))}]"


def _short(value: float) -> str:
    """Format the end of an interval: about four significant digits, at most three decimals."""
    if value and not 1e-2 <= abs(value) < 1e6:
        return f"{value:.2e}"
    decimals = 3 - min(3, max(0, len(str(int(abs(value)))) - 1))
    return f"{value:.{decimals}f}"


def say_verdict(verdict: Mapping[str, str], baseline: str, units: int) -> None:
    """Print whether the model is better than its main baseline, and a note if there was little data.

    Args:
        verdict: the verdict of the paired test for each metric; empty without a baseline.
        baseline: the display name of the baseline.
        units: the number of independent cases.
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
