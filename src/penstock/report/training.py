"""The report on a training, a pure function of its `metrics.json`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.report.chart import Line, line_chart
from penstock.report.classification import class_sections
from penstock.report.figures import Figures, escape
from penstock.report.page import PARTS, page, scrolled, section, table
from penstock.report.words import baseline_words, metric_place, metric_words, task_words

__all__ = ["metric_names", "render"]

_EPOCH_COLUMNS = ("train_loss", "valid_loss")
_LAST_EPOCH_COLUMNS = ("learning_rate", "seconds")
_NOTES = {"vocabulary": "Tokens known", "truncated": "Training texts cut at the longest length"}
# What of the data is told part by part; the rest is told below.
_NOT_COLUMNS = ("classes", "columns")


def render(metrics: Mapping[str, Any], *, title: str = "", extra: Iterable[str] = (), mistakes: bool = True) -> str:
    """The report as one HTML file.

    Every number on the page lies in `metrics`, and its element says where (`data-metric`, a JSON pointer).

    Args:
        metrics: what `metrics.json` holds, see `tasks.measures`. What lacks is left out.
        title: the page's heading, plain text; by default what the task is called.
        extra: sections of the task's own, as HTML, shown after the curves.
        mistakes: with the mistakes that have a text; False where `extra` shows them.
    """
    figures = Figures(metrics)
    sections = [
        _scores(figures),
        _curves(figures),
        *extra,
        *class_sections(figures, mistakes),
        _data(figures),
        _configuration(figures),
    ]
    return page(title or task_words(metrics.get("task", "model")), _lead(figures), sections)


def metric_names(scores: Mapping[str, Any]) -> list[str]:
    """The names of the metrics among a part's figures, which also say how many rows there were."""
    found = [name for name, value in scores.items() if name != "rows" and isinstance(value, int | float)]
    return sorted(found, key=metric_place)  # whatever the order of keys in the file


def _lead(figures: Figures) -> str:
    words = []
    if figures.get("seconds") is not None:
        words.append(f"Trained in {figures.number('seconds', form=',.1f', unit=' s')}")
    if figures.get("peak_mb") is not None:
        words.append(f"peak memory {figures.number('peak_mb', form=',.0f', unit=' MB')}")
    if figures.get("penstock"):
        words.append(f'Penstock <span data-metric="/penstock">{escape(figures.get("penstock"))}</span>')
    return ", ".join(words)


def _scores(figures: Figures) -> str:
    parts = [part for part in ("test", "valid") if figures.get(part)]
    return section(
        "Scores beside the baselines",
        *(_verdict(figures, part) for part in parts[:1]),
        *(_score_table(figures, part) for part in parts),
    )


def _score_table(figures: Figures, part: str) -> str:
    names = metric_names(figures.get(part))
    rows = [("This model", [figures.number(part, name) for name in names])]
    main = figures.get("main_baseline")
    for baseline in sorted(figures.get("baseline", default={}), key=lambda name: (name != main, name)):
        if figures.get("baseline", baseline, part):
            cells = [figures.number("baseline", baseline, part, name) for name in names]
            rows.append((baseline_words(baseline), cells))
    return table([f"{PARTS[part]} data", *map(metric_words, names)], rows, ours="This model")


def _verdict(figures: Figures, part: str) -> str:
    main = figures.get("main_baseline")
    verdicts = figures.get("verdict", part)
    if not verdicts:
        return ""
    words = []
    for name in sorted(verdicts, key=metric_place):
        tone = {"better": "good", "worse": "bad"}.get(verdicts[name], "quiet")
        words.append(f'{escape(metric_words(name))} <strong class="{tone}">{escape(verdicts[name])}</strong>')
    return f"<p>Against the baseline “{escape(baseline_words(main))}”: {', '.join(words)}.</p>"


def _curves(figures: Figures) -> str:
    epochs: Sequence[Mapping[str, Any]] = figures.get("curves", default=[])
    if not epochs:
        return ""
    best = figures.get("best_epoch")
    loss = [_curve(epochs, "train_loss", "training", 0), _curve(epochs, "valid_loss", "validation", 1)]
    charts = [
        line_chart([line for line in lines if line], title=title, x_label="epoch", y_label=label, marker=best)
        for lines, title, label in ((loss, "Loss", "loss"), *_validation(epochs))
        if any(lines)
    ]
    kept = f"<p>The weights of epoch {figures.number('best_epoch')} were kept.{_why(figures)}</p>" if best else ""
    return section(
        "Learning curves", kept, f'<div class="charts">{"".join(charts)}</div>', _epoch_table(figures, epochs)
    )


def _validation(epochs: Sequence[Mapping[str, Any]]) -> list[tuple[list[Line | None], str, str]]:
    """The lines, the title and the axis of a chart for each validation metric."""
    names = [key.removeprefix("valid_") for key in epochs[0] if key.startswith("valid_") and key != "valid_loss"]
    return [
        ([_curve(epochs, f"valid_{name}", "validation", 1)], f"Validation {metric_words(name)}", metric_words(name))
        for name in names
    ]


def _why(figures: Figures) -> str:
    """Why training ended, where it ended early."""
    stopped = figures.get("stopped")
    return f" Training ended early: {escape(stopped)}." if stopped in ("no improvement", "interrupted") else ""


def _curve(epochs: Sequence[Mapping[str, Any]], key: str, name: str, style: int) -> Line | None:
    points = [(epoch["epoch"], epoch[key]) for epoch in epochs if epoch.get(key) is not None]
    return Line(name, [x for x, _ in points], [y for _, y in points], style) if points else None


def _epoch_table(figures: Figures, epochs: Sequence[Mapping[str, Any]]) -> str:
    columns = sorted((key for key in epochs[0] if key != "epoch"), key=_epoch_place)
    rows = "".join(
        f"<tr><th scope=row>{figures.number('curves', index, 'epoch')}</th>"
        + "".join(f"<td>{figures.number('curves', index, key, form='.4g')}</td>" for key in columns)
        + "</tr>"
        for index in range(len(epochs))
    )
    head = "".join(f'<th scope="col">{escape(key.replace("_", " "))}</th>' for key in ("epoch", *columns))
    return (
        "<details><summary>Each epoch in numbers</summary>"
        + scrolled(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        + "</details>"
    )


def _epoch_place(column: str) -> tuple[int, str]:
    """The same order of columns, whatever the order of keys in the file."""
    for place, known in ((0, _EPOCH_COLUMNS), (2, _LAST_EPOCH_COLUMNS)):
        if column in known:
            return (place, str(known.index(column)))
    return (1, column)


def _data(figures: Figures) -> str:
    parts = [part for part in PARTS if figures.get("data", part)]
    if not parts:
        return ""
    classes = sorted(figures.get("data", parts[0], "classes", default={}))
    columns = sorted(set(figures.get("data", parts[0])) - {*_NOT_COLUMNS, "rows"})
    columns.insert(0, "rows")
    rows = [
        (
            PARTS[part],
            [
                *(figures.number("data", part, name, form=",.4g") for name in columns),
                *(figures.number("data", part, "classes", label) for label in classes),
            ],
        )
        for part in parts
    ]
    names = [name.replace("_", " ").capitalize() for name in columns]
    return section("Data", table(["", *names, *classes], rows), f"<p>{' '.join(_notes(figures))}</p>")


def _notes(figures: Figures) -> list[str]:
    """What was dropped, and the task's other single figures on the data."""
    dropped = [
        f"{escape(reason)}: {figures.number('data', 'dropped', reason)}"
        for reason in sorted(figures.get("data", "dropped", default={}))
    ]
    words = [f"Dropped: {', '.join(dropped)}." if dropped else "Nothing was dropped."]
    for name, value in sorted(figures.get("data").items()):
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = _NOTES.get(name, name.replace("_", " ").capitalize())
            words.append(f"{escape(text)}: {figures.number('data', name, form=',.4g')}.")
    return words


def _configuration(figures: Figures) -> str:
    settings = figures.get("configuration", default={})
    rows = [
        (name, [f'<code data-metric="/configuration/{escape(name)}">{escape(_plain(value))}</code>'])
        for name, value in sorted(settings.items())
    ]
    return section("Configuration", table(["Option", "Value"], rows)) if rows else ""


def _plain(value: object) -> str:
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
