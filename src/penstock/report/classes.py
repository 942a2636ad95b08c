"""Each class: precision, recall, F1, support."""

from penstock.report.figures import Figures
from penstock.report.page import measured_part, paragraph, section, table
from penstock.report.words import Words

__all__ = ["classes_section"]

_MOST_ROWS = 200  # with more classes, only those with the lowest F1 are shown


def classes_section(figures: Figures, words: Words, *, title: str = "", note: str = "") -> str:
    """Return the card; empty if metrics.json has no classes.

    Args:
        figures, words: as for every card.
        title: what it is called; empty for "Each class".
        note: what is said above the table, plain text.
    """
    part = measured_part(figures.data)
    found = figures.get("per_class", part, default=[])
    if not found:
        return ""
    shown = list(range(len(found)))
    if len(found) > _MOST_ROWS:
        shown = sorted(shown, key=lambda index: found[index]["f1"])[:_MOST_ROWS]
    rows = [
        (
            str(found[index]["label"]),
            [
                *(
                    figures.number("per_class", part, index, name)
                    + figures.interval("per_class", part, index, "interval", name, form=".3f")
                    for name in ("precision", "recall", "f1")
                ),
                figures.number("per_class", part, index, "rows"),
            ],
        )
        for index in shown
    ]
    columns = [words("scores.metric", part=words.name("part", part))]
    columns += [words(f"classes.{name}") for name in ("precision", "recall", "f1", "support")]
    return section(title or words("classes"), paragraph(note, "quiet"), table(columns, rows))
