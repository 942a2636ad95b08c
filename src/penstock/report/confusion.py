"""The confusion matrix; with many classes, also the pairs that are confused most often."""

from penstock.report.figures import Figures, escape
from penstock.report.page import paragraph, scrolled, section, table
from penstock.report.words import Words

__all__ = ["confusion_section"]

_DRAWN_CLASSES = 30  # rows of the matrix: a larger one is not readable
_FEW_CLASSES = 6  # up to this number, the matrix needs no table of pairs


def confusion_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no matrix."""
    matrix = figures.get("confusion", "matrix")
    labels = figures.get("confusion", "labels") or figures.get("labels", default=[])
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
    note = words("confusion.note", data=words.name("data", figures.get("confusion", "part", default="")))
    some = words("confusion.some") if len(drawn) < len(matrix) else ""
    corner = f'<th scope="col">{escape(words("confusion.corner"))}</th>'
    return section(
        words("confusion"),
        paragraph(" ".join(filter(None, (note, some))), "quiet"),
        _pairs(figures, words) if len(matrix) > _FEW_CLASSES else "",
        scrolled(
            f'<table class="matrix"><thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>',
            wide=len(drawn) > 3,
        ),
    )


def _pairs(figures: Figures, words: Words) -> str:
    """Return a table of the pairs that are confused most often."""
    place = ("confusion", "pairs")
    rows = [
        (
            str(pair["label"]),
            [
                figures.text(*place, index, "prediction"),
                figures.number(*place, index, "rows"),
                figures.number(*place, index, "share", form=".3f"),
            ],
        )
        for index, pair in enumerate(figures.get(*place, default=[]))
    ]
    heads = [words(f"confusion.{name}") for name in ("true", "predicted", "count", "share")]
    return table(heads, rows, caption=words("confusion.pairs")) if rows else ""


def _most_confused(matrix: list[list[int]]) -> list[int]:
    """Return the classes to draw, in order: all of them, or those with the most errors (ground truth or prediction)."""
    if len(matrix) <= _DRAWN_CLASSES:
        return list(range(len(matrix)))
    columns = [sum(column) for column in zip(*matrix, strict=True)]
    errors = [sum(row) + columns[place] - 2 * row[place] for place, row in enumerate(matrix)]
    return sorted(sorted(range(len(matrix)), key=lambda place: -errors[place])[:_DRAWN_CLASSES])


def _cell(figures: Figures, truth: int, answer: int, total: int) -> str:
    share = figures.get("confusion", "matrix", truth, answer, default=0) / max(total, 1)
    right = " class=right" if truth == answer else ""
    return f'<td{right} style="--share:{share:.3f}">{figures.number("confusion", "matrix", truth, answer)}</td>'
