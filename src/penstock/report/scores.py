"""Scores beside those of the baselines: each with its interval, and with a verdict if a paired test supports it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.report.figures import Figures, escape
from penstock.report.page import paragraph, section, table
from penstock.report.words import Words, metric_place
from penstock.runtime.resampling import BETTER, FEW_UNITS, FEWEST_UNITS, LOWER_IS_BETTER, WORSE

__all__ = ["evaluation_table", "judged_words", "metric_names", "metric_words_with_side", "scores_section"]

Keys = tuple[str, ...]
Place = Callable[[str], Keys]
_TONES = {BETTER: "good", WORSE: "bad"}
_NO_SIDE = ("alarms_per_1000", "alarms_per_week", "coverage_80")


def metric_names(scores: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics among a part's figures, which also contain the number of rows."""
    found = [name for name, value in scores.items() if name != "rows" and isinstance(value, int | float)]
    return sorted(found, key=metric_place)  # independent of the order of keys in the file


def scores_section(figures: Figures, words: Words) -> str:
    """Return the card with the scores of each measured part, the test part first."""
    parts = [part for part in ("test", "valid") if figures.get(part)]
    if not parts:
        return ""
    units = figures.get("units", parts[0])
    return section(
        words("scores"),
        paragraph(_verdict(figures, words, parts[0])),
        paragraph(_few(figures, words, parts[0]), "callout"),
        *(_table(figures, words, part) for part in parts),
        paragraph(words("scores.chosen") if "valid" in parts else "", "quiet"),
        paragraph(words("scores.method", units=figures.number("units", parts[0])) if units else "", "quiet"),
    )


def _verdict(figures: Figures, words: Words, part: str) -> str:
    """Return one sentence: the part of the data, the baseline, and the verdict on each metric."""
    verdicts = figures.get("verdict", part, default={})
    if not verdicts:
        return ""
    names: dict[str, list[str]] = {}
    for name in sorted(verdicts, key=metric_place):
        names.setdefault(verdicts[name], []).append(escape(words.name("metric", name)))
    items = [
        words("scores.item", verdict=_said(verdict, words), metrics=words("list.comma").join(several))
        for verdict, several in names.items()
    ]
    return words(
        "scores.summary",
        data=words.name("data", part),
        baseline=escape(_main(figures, words)),
        verdicts=words("list.clause").join(items),
    )


def _few(figures: Figures, words: Words, part: str) -> str:
    units = figures.get("units", part)
    if units is None or units >= FEW_UNITS:
        return ""
    few = words("scores.few", data=words.name("data", part), units=figures.number("units", part))
    return few if units >= FEWEST_UNITS else words("list.sentence").join([few, words("scores.too_few")])


def _table(figures: Figures, words: Words, part: str) -> str:
    """Return a row for each metric: the model, then each baseline, the main one first, with the verdict beside it."""
    main, baselines = figures.get("main_baseline"), figures.get("baseline", default={})
    shown = [name for name in sorted(baselines, key=lambda name: (name != main, name)) if baselines[name].get(part)]

    def ours(kind: str) -> Keys:
        return (kind, part) if kind else (part,)

    def theirs(name: str) -> Place:
        return lambda kind: ("baseline", name, *ours(kind))

    columns = [(words("scores.model"), ours), *((words.spoken("baseline", name), theirs(name)) for name in shown)]
    heading = words("scores.metric", part=words.name("part", part))
    return _by_column(figures, words, heading, metric_names(figures.get(part)), columns)


def evaluation_table(figures: Figures, words: Words, heading: str, model: str, keys: Keys) -> str:
    """Return the scores of a model and of its baselines with the verdicts, as a table, and how they were found.

    Args:
        heading: of the column of metrics.
        model: the name of the model.
        keys: the place of the result of `Model.evaluate`.
    """

    def ours(kind: str) -> Keys:
        return (*keys, kind or "metrics")

    def theirs(name: str) -> Place:
        return lambda kind: (*keys, f"baseline_{kind}s" if kind else "baselines", name)

    names = figures.get(*keys, "baselines", default={})
    columns = [(model, ours), *((words.spoken("baseline", name), theirs(name)) for name in names)]
    scores = _by_column(figures, words, heading, metric_names(figures.get(*keys, "metrics")), columns)
    return scores + paragraph(words("scores.method", units=figures.number(*keys, "units")), "quiet")


def _by_column(
    figures: Figures, words: Words, heading: str, metrics: Sequence[str], columns: Sequence[tuple[str, Place]]
) -> str:
    """Return a row for each metric: scores with their intervals, each baseline followed by the verdict beside it.

    Args:
        heading: of the column of metrics.
        metrics: their names.
        columns: the model and its baselines: a name, and a function of "", "interval", "verdict" or "difference" that
            returns the place where these are by metric.
    """
    headings, cells = [heading], {metric: list[str]() for metric in metrics}
    for column, (name, place) in enumerate(columns):
        judged = column > 0 and bool(figures.get(*place("verdict")))
        headings += [name, words("scores.verdict", baseline=name)][: 1 + judged]
        for metric in metrics:
            cells[metric].append(figures.number(*place(""), metric) + figures.interval(*place("interval"), metric))
            if judged:
                both = ((*place(kind), metric) for kind in ("difference", "verdict"))
                cells[metric].append(judged_words(figures, words, *both))
    return table(headings, [(metric_words_with_side(words, name), row) for name, row in cells.items()], kind="scores")


def metric_words_with_side(words: Words, name: str) -> str:
    """Return the display name of a metric, with an arrow that says whether higher or lower is better."""
    if name in _NO_SIDE:
        return words.name("metric", name)
    return f"{words.name('metric', name)}\N{NO-BREAK SPACE}{'↓' if name in LOWER_IS_BETTER else '↑'}"


def judged_words(figures: Figures, words: Words, place: Keys, verdict: Keys) -> str:
    """Return the verdict, and the difference that it is based on, as HTML.

    Args:
        place: the keys of the difference.
        verdict: those of the verdict.
    """
    if not figures.get(*place):
        return ""
    tested = figures.get(*place, "p") is not None
    p = words("scores.p", p=figures.number(*place, "p", form=".4f")) if tested else ""
    return (
        f"{_said(figures.get(*verdict), words)}"
        f'<span class="interval">{figures.number(*place, "value", form="+.4f")} '
        f"{figures.interval(*place, 'interval', form='+.4f')} {p}</span>"
    )


def _said(verdict: str, words: Words) -> str:
    return f'<strong class="{_TONES.get(verdict, "quiet")}">{escape(words.name("verdict", verdict))}</strong>'


def _main(figures: Figures, words: Words) -> str:
    return words.spoken("baseline", figures.get("main_baseline", default=""))
