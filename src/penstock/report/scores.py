"""Scores beside those of the baselines: each with its interval, and with a verdict if a paired test supports it."""

from collections.abc import Mapping
from typing import Any

from penstock.report.figures import Figures, escape
from penstock.report.page import paragraph, section, table
from penstock.report.words import Words, metric_place
from penstock.runtime.resampling import BETTER, FEW_UNITS, FEWEST_UNITS, LOWER_IS_BETTER, WORSE

__all__ = ["judged_words", "metric_names", "metric_words_with_side", "scores_section"]

_TONES = {BETTER: "good", WORSE: "bad"}
_NO_SIDE = ("coverage_80",)


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
    """Return a row for each metric: the model, the main baseline, the verdict against it, the other baselines."""
    main, baselines = figures.get("main_baseline"), figures.get("baseline", default={})
    shown = [name for name in sorted(baselines, key=lambda name: (name != main, name)) if baselines[name].get(part)]
    rows, judged = [], bool(figures.get("verdict", part))
    for name in metric_names(figures.get(part)):
        cells = [_score(figures, (part, name), ("interval", part, name))]
        for baseline in shown:
            place = ("baseline", baseline)
            cells.append(_score(figures, (*place, part, name), (*place, "interval", part, name)))
        if judged:
            cells.insert(2, judged_words(figures, words, ("difference", part, name), ("verdict", part, name)))
        rows.append((metric_words_with_side(words, name), cells))
    columns = [words("scores.metric", part=words.name("part", part)), words("scores.model")]
    columns += [words.spoken("baseline", name) for name in shown]
    if judged:
        columns.insert(3, words("scores.verdict", baseline=_main(figures, words)))
    return table(columns, rows, kind="scores")


def metric_words_with_side(words: Words, name: str) -> str:
    """Return the display name of a metric, with an arrow that says whether higher or lower is better."""
    if name in _NO_SIDE:
        return words.name("metric", name)
    return f"{words.name('metric', name)}\N{NO-BREAK SPACE}{'↓' if name in LOWER_IS_BETTER else '↑'}"


def _score(figures: Figures, place: tuple[str, ...], interval: tuple[str, ...]) -> str:
    return figures.number(*place) + figures.interval(*interval)


def judged_words(figures: Figures, words: Words, place: tuple[str, ...], verdict: tuple[str, ...]) -> str:
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
