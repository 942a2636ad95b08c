"""The page of a search, made of its record and trials alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.report import Figures, Line, Points, Words, chart, escape, metric_names, page, section, table
from penstock.report.marks import Mark
from penstock.report.page import details, paragraph
from penstock.report.scores import metric_words_with_side
from penstock.tuning.parallel import parallel_coordinates

__all__ = ["render_search"]

Place = Callable[[float], float]
_WORDS = "penstock.tuning.report_words:TABLE"
_MOST_REASON = 200


def render_search(record: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """Return the page as one HTML file; numbers are marked with their place in `record`.

    Args:
        record: `Search.record_` with the trials, `Search.trials_`, as `trials`.
        title: the name of the model, plain text.
        language: "en" or "zh".

    Raises:
        ConfigError: an unknown language.
    """
    figures, words = Figures(record), Words(language, _WORDS)
    heading = words("search.title", name=title) if title else words("search.untitled")
    cards = (_scores, _options, _history, _importance, _parallel, _curves, _trials)
    return page(heading, _lead(figures, words), (card(figures, words) for card in cards), language)


def _lead(figures: Figures, words: Words) -> str:
    states = words("list.comma").join(
        words("search.count", count=figures.number("states", state), state=words.name("search.state", state))
        for state in figures.get("states")
    )
    return words(
        "search.lead",
        task=escape(words.spoken("task", figures.get("task"))),
        states=states,
        metric=escape(_metric(figures, words)),
        seconds=figures.number("seconds", form=",.0f"),
    )


def _metric(figures: Figures, words: Words) -> str:
    name = figures.get("metric")
    return words("curves.loss") if name == "loss" else words.name("metric", name)


def _scores(figures: Figures, words: Words) -> str:
    """Return the card with the best model beside the defaults and the baselines."""
    part = figures.get("part")
    baselines = figures.get("scores", "baselines", default={})
    names = [words("search.best"), words("search.defaults"), *(words.spoken("baseline", each) for each in baselines)]
    sides = [("scores", "best"), ("scores", "defaults"), *(("scores", "baselines", each) for each in baselines)]
    rows = [
        (
            metric_words_with_side(words, name),
            [figures.number(*at, "metrics", name) + figures.interval(*at, "interval", name) for at in sides],
        )
        for name in metric_names(figures.get("scores", "best", "metrics"))
    ]
    valid = words(
        "search.valid",
        metric=escape(_metric(figures, words)),
        best=figures.number("value"),
        number=figures.number("best"),
        defaults=figures.number("default_value"),
    )
    return section(
        words("search.scores"),
        paragraph(valid),
        table([words("scores.metric", part=words.name("part", part)), *names], rows, kind="scores"),
        paragraph(words("search.once" if part == "test" else "search.optimistic"), "quiet"),
    )


def _options(figures: Figures, words: Words) -> str:
    """Return the card with what was searched, and the options that were found."""
    rows = [
        (
            name,
            [
                _range(figures.get("space", name)),
                _value(figures, "defaults", name),
                f"<strong>{_value(figures, 'params', name)}</strong>",
            ],
        )
        for name in figures.get("space")
    ]
    heads = [words(f"search.{name}") for name in ("option", "range", "default", "found")]
    return section(words("search.options"), table(heads, rows))


def _range(about: Mapping[str, Any]) -> str:
    if "values" in about:
        return escape(", ".join(map(str, about["values"])))
    return escape(f"{about['low']:.4g} – {about['high']:.4g}{' (log)' if about['log'] else ''}")


def _value(figures: Figures, *keys: str) -> str:
    is_number = isinstance(figures.get(*keys), float)
    return figures.number(*keys, form=".4g") if is_number else figures.text(*keys)


def _history(figures: Figures, words: Words) -> str:
    """Return the card with the value of each trial, and the best one so far."""
    done = [trial for trial in figures.get("trials") if trial["value"] is not None]
    numbers, values = [trial["number"] for trial in done], [trial["value"] for trial in done]
    choose = max if figures.get("higher_is_better") else min
    so_far = [choose(values[: place + 1]) for place in range(len(values))]
    default = figures.get("default_value")
    drawn = chart(
        [
            Line(words("search.defaults"), [numbers[0], numbers[-1]], [default, default], quiet=True),
            Line(words("search.so_far"), numbers, so_far),
            Points(words("search.trials"), numbers, values, style=1),
        ],
        title=words("search.history"),
        x_label=words("search.trial"),
        y_label=_metric(figures, words),
    )
    return section(words("search.history"), drawn)


def _importance(figures: Figures, words: Words) -> str:
    found = figures.get("importance", default={})
    if not found:
        return ""
    rows = [
        (name, [figures.number("importance", name, form=".3f"), _bar(share / max(found.values()))])
        for name, share in found.items()
    ]
    heads = [words("search.option"), words("search.share"), ""]
    return section(words("search.importance"), paragraph(words("search.importance_note"), "quiet"), table(heads, rows))


def _bar(share: float) -> str:
    return (
        '<svg viewBox="0 0 200 12" style="width: 12rem" aria-hidden="true"><g class="bars s0">'
        f'<rect width="{200 * share:.1f}" height="12"/></g></svg>'
    )


def _parallel(figures: Figures, words: Words) -> str:
    drawn = parallel_coordinates(
        figures.get("space"),
        _metric(figures, words),
        figures.get("trials"),
        best=figures.get("best"),
        title=words("search.parallel"),
        legend=(words("search.best"), words("search.others")),
    )
    return section(words("search.parallel"), drawn)


@dataclass(frozen=True)
class _Others:
    """A mark of a chart: thin lines that share one name in the legend."""

    name: str
    lines: Sequence[Line]

    def extent(self, log: bool) -> list[tuple[float, float]]:
        return [point for line in self.lines for point in line.extent(log)]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        return "".join(line.drawn(across, up, log, told) for line in self.lines)

    def sample(self) -> str:
        return self.lines[0].sample()

    def spoken(self) -> str:
        return self.name


def _curves(figures: Figures, words: Words) -> str:
    """Return the card with the validation curve of each trial."""
    best, key = figures.get("best"), f"valid_{figures.get('metric')}"
    drawn = {trial["number"]: _curve(trial, key, words, best) for trial in figures.get("trials") if trial["epochs"]}
    others = [line for number, line in drawn.items() if number != best]
    marks: list[Mark] = [_Others(words("search.others"), others)] if others else []
    metric = _metric(figures, words)
    figure = chart([*marks, drawn[best]], title=words("search.curves"), x_label=words("curves.epoch"), y_label=metric)
    return section(words("search.curves"), paragraph(words("search.curves_note"), "quiet"), figure)


def _curve(trial: Mapping[str, Any], key: str, words: Words, best: int) -> Line:
    epochs = [epoch for epoch in trial["epochs"] if epoch.get(key) is not None]
    name = words("search.best") if trial["number"] == best else str(trial["number"])
    return Line(name, [e["epoch"] for e in epochs], [e[key] for e in epochs], quiet=trial["number"] != best)


def _trials(figures: Figures, words: Words) -> str:
    """Return the card with a row for each trial."""
    names = list(figures.get("space"))
    trials = figures.get("trials")
    rows = [
        (
            str(trial["number"]),
            [
                escape(words.name("search.state", trial["state"])),
                figures.number("trials", place, "value"),
                figures.number("trials", place, "seconds", form=",.0f"),
                *(_value(figures, "trials", place, "params", name) for name in names),  # type: ignore[arg-type]
            ],
        )
        for place, trial in enumerate(trials)
    ]
    heads = [words("search.trial"), words("search.state"), _metric(figures, words), words("search.seconds"), *names]
    failed = "".join(
        paragraph(f"{trial['number']}: {escape(trial['failure'][:_MOST_REASON])}")
        for trial in trials
        if "failure" in trial
    )
    return section(words("search.trials"), details(words("search.trials"), table(heads, rows)), failed)
