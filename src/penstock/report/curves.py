"""Learning curves: each metric on training and validation rows, and the training objective in a chart of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report.chart import chart
from penstock.report.figures import Figures, escape
from penstock.report.marks import Line
from penstock.report.page import details, paragraph, scrolled, section
from penstock.report.words import Words, metric_place

__all__ = ["curves_section"]

Epochs = Sequence[Mapping[str, Any]]


def curves_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if no epoch was recorded."""
    epochs: Epochs = figures.get("curves", default=[])
    if not epochs:
        return ""
    best = figures.get("best_epoch")
    kept = words("curves.kept", epoch=figures.number("best_epoch")) if best else ""
    stopped = figures.get("stopped")
    why = words(f"curves.{stopped}") if stopped in ("no improvement", "time", "interrupted", "diverged") else ""
    both = any(key.startswith("seen_") for key in epochs[0])
    charts = [*(_metric(epochs, words, name, best) for name in _names(epochs)), _minimised(epochs, words, best)]
    return section(
        words("curves"),
        paragraph(" ".join(filter(None, (kept, why)))),
        paragraph(words("curves.both") if both else "", "quiet"),
        f'<div class="charts">{"".join(charts)}</div>',
        paragraph(words("curves.minimised_note") if charts[-1] else "", "quiet"),
        details(words("curves.numbers"), _numbers(figures, epochs, words)),
    )


def _names(epochs: Epochs) -> list[str]:
    """Return the names of the validation metrics, the loss first."""
    names = [key.removeprefix("valid_") for key in epochs[0] if key.startswith("valid_")]
    return sorted(names, key=lambda name: (name != "loss", metric_place(name)))


def _metric(epochs: Epochs, words: Words, name: str, best: int | None) -> str:
    """Draw one metric: on training and validation rows if both were measured."""
    lines = [
        _curve(epochs, f"seen_{name}", words("curves.training"), 0),
        _curve(epochs, f"valid_{name}", words("curves.validation"), 1),
    ]
    return _chart([line for line in lines if line], _called(words, name), words, best)


def _minimised(epochs: Epochs, words: Words, best: int | None) -> str:
    line = _curve(epochs, "train_loss", words("curves.minimised"), 4)
    return _chart([line], words("curves.minimised"), words, best) if line else ""


def _chart(lines: Sequence[Line], title: str, words: Words, best: int | None) -> str:
    mark = words("curves.mark") if best else ""
    title = title[:1].upper() + title[1:]
    return chart(lines, title=title, x_label=words("curves.epoch"), y_label="", marker=best or None, marker_text=mark)


def _called(words: Words, name: str) -> str:
    return words("curves.loss") if name == "loss" else words.name("metric", name)


def _curve(epochs: Epochs, key: str, name: str, style: int) -> Line | None:
    points = [(epoch["epoch"], epoch[key]) for epoch in epochs if epoch.get(key) is not None]
    return Line(name, [x for x, _ in points], [y for _, y in points], style) if points else None


def _numbers(figures: Figures, epochs: Epochs, words: Words) -> str:
    names = _names(epochs)
    columns = [f"{part}_{name}" for name in names for part in ("seen", "valid") if f"{part}_{name}" in epochs[0]]
    columns = [*columns, *(name for name in ("train_loss", "learning_rate", "seconds") if name in epochs[0])]
    rows = "".join(
        f"<tr><th scope=row>{figures.number('curves', index, 'epoch')}</th>"
        + "".join(f"<td>{figures.number('curves', index, key, form='.4g')}</td>" for key in columns)
        + "</tr>"
        for index in range(len(epochs))
    )
    heads = [words("curves.epoch"), *(_column(words, key) for key in columns)]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return scrolled(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", wide=True)


def _column(words: Words, key: str) -> str:
    part, _, name = key.partition("_")
    if part in ("seen", "valid"):
        return words("epoch.train" if part == "seen" else "epoch.valid", metric=_called(words, name))
    return words(f"epoch.{key}")
