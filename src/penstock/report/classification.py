"""The report on a trained classifier, a pure function of its `metrics.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report.chart import Line, line_chart
from penstock.report.figures import Figures, escape
from penstock.report.page import page, scrolled, section, table

__all__ = ["measured_part", "render"]

_METRICS = {"accuracy": "accuracy", "f1_macro": "macro F1", "log_loss": "log loss"}
_LOWER_IS_BETTER = {"log_loss"}
_BASELINES = {"tfidf": "TF-IDF, logistic regression", "majority": "Commonest class"}
_EPOCH_COLUMNS = ("train_loss", "valid_loss", "valid_accuracy", "learning_rate", "seconds")
_PARTS = {"train": "Training", "valid": "Validation", "test": "Test"}


def render(metrics: Mapping[str, Any], *, title: str = "Text classifier") -> str:
    """The report as one HTML file.

    Every number on the page lies in `metrics`, and its element says where (`data-metric`, a JSON pointer).

    Args:
        metrics: what `metrics.json` holds: `labels`, `valid`, `test`, `baseline`, `curves`, `best_epoch`,
            `per_class`, `confusion`, `mistakes`, `data`, `configuration`, `seconds`, `peak_mb`. What lacks is left out.
        title: the page's heading, plain text.
    """
    figures = Figures(metrics)
    sections = [
        _scores(figures),
        _curves(figures),
        _classes(figures),
        _confusion(figures),
        _mistakes(figures),
        _data(figures),
        _configuration(figures),
    ]
    return page(title, _lead(figures), sections)


def measured_part(metrics: Mapping[str, Any]) -> str:
    """The part of the data that the model is judged by: the test part, else the validation part."""
    return "test" if metrics.get("test") else "valid"


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
    rows = [("This model", [figures.number(part, name) for name in _METRICS])]
    for baseline, words in _BASELINES.items():
        if figures.get("baseline", baseline, part):
            rows.append((words, [figures.number("baseline", baseline, part, name) for name in _METRICS]))
    caption = f"{_PARTS[part]} data"
    return table([caption, *_METRICS.values()], rows, ours="This model")


def _verdict(figures: Figures, part: str) -> str:
    model, baseline = figures.get(part), figures.get("baseline", "tfidf", part)
    if not baseline:
        return ""
    words = []
    for name, title in _METRICS.items():
        gain = (model[name] - baseline[name]) * (-1 if name in _LOWER_IS_BETTER else 1)
        tone, verdict = ("good", "better") if gain > 0 else ("bad", "worse") if gain < 0 else ("quiet", "equal")
        words.append(f'{title} <strong class="{tone}">{verdict}</strong>')
    return f"<p>Against TF-IDF with logistic regression: {', '.join(words)}.</p>"


def _curves(figures: Figures) -> str:
    epochs: Sequence[Mapping[str, Any]] = figures.get("curves", default=[])
    if not epochs:
        return ""
    best = figures.get("best_epoch")
    loss = [
        _curve(epochs, "train_loss", "training", 0),
        _curve(epochs, "valid_loss", "validation", 1),
    ]
    marks = [
        _curve(epochs, "valid_accuracy", "validation", 1),
        _curve(epochs, "valid_f1_macro", "validation F1", 2),
    ]
    charts = [
        line_chart([line for line in lines if line], title=title, x_label="epoch", y_label=label, marker=best)
        for lines, title, label in ((loss, "Loss", "loss"), (marks, "Validation accuracy", "accuracy"))
        if any(lines)
    ]
    kept = f"<p>The weights of epoch {figures.number('best_epoch')} were kept.{_why(figures)}</p>" if best else ""
    return section(
        "Learning curves", kept, f'<div class="charts">{"".join(charts)}</div>', _epoch_table(figures, epochs)
    )


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
    return (_EPOCH_COLUMNS.index(column) if column in _EPOCH_COLUMNS else len(_EPOCH_COLUMNS), column)


def _classes(figures: Figures) -> str:
    part = measured_part(figures.data)
    rows = [
        (
            str(found["label"]),
            [
                *(figures.number("per_class", part, index, name) for name in ("precision", "recall", "f1")),
                figures.number("per_class", part, index, "rows"),
            ],
        )
        for index, found in enumerate(figures.get("per_class", part, default=[]))
    ]
    columns = [f"{_PARTS[part]} data", "precision", "recall", "F1", "rows"]
    return section("Each class", table(columns, rows)) if rows else ""


def _confusion(figures: Figures) -> str:
    matrix, labels = figures.get("confusion", "matrix"), figures.get("labels", default=[])
    if not matrix:
        return ""
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = "".join(
        f'<tr><th scope="row">{escape(labels[truth])}</th>'
        + "".join(_cell(figures, truth, answer, sum(row)) for answer in range(len(row)))
        + "</tr>"
        for truth, row in enumerate(matrix)
    )
    part = _PARTS.get(figures.get("confusion", "part"), "").lower()
    return section(
        "Confusion matrix",
        f'<p class="quiet">Rows are the truth, columns the answers, on the {part} data; '
        "the shade is the row’s share.</p>",
        scrolled(
            '<table class="matrix"><thead><tr><th scope="col">truth ↓ answer →</th>'
            f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        ),
    )


def _cell(figures: Figures, truth: int, answer: int, total: int) -> str:
    share = figures.get("confusion", "matrix", truth, answer, default=0) / max(total, 1)
    right = " class=right" if truth == answer else ""
    return f'<td{right} style="--share:{share:.3f}">{figures.number("confusion", "matrix", truth, answer)}</td>'


def _mistakes(figures: Figures) -> str:
    items = []
    for index, mistake in enumerate(figures.get("mistakes", default=[])):
        items.append(
            f'<li><blockquote dir="auto" data-metric="/mistakes/{index}/text">'
            f"{escape(mistake['text'])}</blockquote>"
            f'<span class="quiet">answered <strong class="bad">{escape(mistake["prediction"])}</strong> at '
            f"{figures.number('mistakes', index, 'probability', form='.3f')}, "
            f'is <strong class="good">{escape(mistake["label"])}</strong></span></li>'
        )
    if not items:
        return ""
    return section(
        "Worst mistakes",
        '<p class="quiet">Wrong, and surest of it, first.</p>',
        f'<ul class="quotes">{"".join(items)}</ul>',
    )


def _data(figures: Figures) -> str:
    parts = [part for part in _PARTS if figures.get("data", part)]
    if not parts:
        return ""
    labels = figures.get("labels", default=[])
    rows = [(_PARTS[part], _counts(figures, part, labels)) for part in parts]
    dropped = [
        f"{escape(reason)}: {figures.number('data', 'dropped', reason)}"
        for reason in sorted(figures.get("data", "dropped", default={}))
    ]
    words = "Dropped: " + ", ".join(dropped) + "." if dropped else "Nothing was dropped."
    known = [
        f"{text} {figures.number('data', name)}."
        for name, text in (("vocabulary", "Tokens known:"), ("truncated", "Training texts cut at the longest length:"))
        if figures.get("data", name) is not None
    ]
    notes = f"<p>{' '.join([words, *known])}</p>"
    return section("Data", table(["", "Rows", "Tokens", *map(str, labels)], rows), notes)


def _counts(figures: Figures, part: str, labels: Sequence[Any]) -> list[str]:
    classes = [figures.number("data", part, "classes", str(label)) for label in labels]
    return [figures.number("data", part, "rows"), figures.number("data", part, "tokens"), *classes]


def _configuration(figures: Figures) -> str:
    settings = figures.get("configuration", default={})
    rows = [
        (name, [f'<code data-metric="/configuration/{escape(name)}">{escape(_plain(value))}</code>'])
        for name, value in sorted(settings.items())
    ]
    return section("Configuration", table(["Option", "Value"], rows)) if rows else ""


def _plain(value: object) -> str:
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
