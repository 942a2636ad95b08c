"""What the report says of a classifier: each class, the confusion matrix, the worst mistakes."""

from penstock.report.figures import Figures, escape
from penstock.report.page import PARTS, measured_part, scrolled, section, table

__all__ = ["class_sections"]

_DRAWN_CLASSES = (
    100  # of the confusion matrix: a cell takes a hundred bytes, and a thousand classes are a million cells
)


def class_sections(figures: Figures, mistakes: bool = True) -> list[str]:
    """The sections, each empty where metrics.json holds nothing for it.

    Args:
        figures: what metrics.json holds.
        mistakes: with the mistakes as texts; False where a task shows them in its own way.
    """
    return [_classes(figures), _confusion(figures), _mistakes(figures) if mistakes else ""]


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
    columns = [f"{PARTS[part]} data", "precision", "recall", "F1", "rows"]
    return section("Each class", table(columns, rows)) if rows else ""


def _confusion(figures: Figures) -> str:
    matrix, labels = figures.get("confusion", "matrix"), figures.get("labels", default=[])
    if not matrix:
        return ""
    drawn = _most_confused(matrix)
    head = "".join(f'<th scope="col">{escape(labels[answer])}</th>' for answer in drawn)
    rows = "".join(
        f'<tr><th scope="row">{escape(labels[truth])}</th>'
        + "".join(_cell(figures, truth, answer, sum(matrix[truth])) for answer in drawn)
        + "</tr>"
        for truth in drawn
    )
    part = PARTS.get(figures.get("confusion", "part"), "").lower()
    fewer = "" if len(drawn) == len(matrix) else " Only the classes with the most errors; all are in metrics.json."
    return section(
        "Confusion matrix",
        f'<p class="quiet">Rows are the truth, columns the answers, on the {part} data; '
        f"the shade is the row’s share.{fewer}</p>",
        scrolled(
            '<table class="matrix"><thead><tr><th scope="col">truth ↓ answer →</th>'
            f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        ),
    )


def _most_confused(matrix: list[list[int]]) -> list[int]:
    """The classes to draw, in order: all, or of many those with the most errors, as truth or as answer."""
    if len(matrix) <= _DRAWN_CLASSES:
        return list(range(len(matrix)))
    columns = [sum(column) for column in zip(*matrix, strict=True)]
    errors = [sum(row) + columns[place] - 2 * row[place] for place, row in enumerate(matrix)]
    return sorted(sorted(range(len(matrix)), key=lambda place: -errors[place])[:_DRAWN_CLASSES])


def _cell(figures: Figures, truth: int, answer: int, total: int) -> str:
    share = figures.get("confusion", "matrix", truth, answer, default=0) / max(total, 1)
    right = " class=right" if truth == answer else ""
    return f'<td{right} style="--share:{share:.3f}">{figures.number("confusion", "matrix", truth, answer)}</td>'


def _mistakes(figures: Figures) -> str:
    items = []
    for index, mistake in enumerate(figures.get("mistakes", default=[])):
        if "text" not in mistake:
            continue
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
        '<p class="quiet">Most confident errors first.</p>',
        f'<ul class="quotes">{"".join(items)}</ul>',
    )
