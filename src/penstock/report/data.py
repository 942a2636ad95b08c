"""The data: the number of rows in each part, and what the readers dropped, filled or changed."""

from penstock.report.figures import Figures, escape
from penstock.report.page import PARTS, paragraph, section, table
from penstock.report.words import Words

__all__ = ["data_section"]

# Figures that exist per part but are not a column of the table; the others are listed below the table.
_NOT_COLUMNS = ("classes", "columns", "rows")


def data_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no figures on the data."""
    parts = [part for part in PARTS if figures.get("data", part)]
    if not parts:
        return ""
    columns = ["rows", *sorted(set(figures.get("data", parts[0])).difference(_NOT_COLUMNS))]
    rows = [
        (words.name("part", part), [figures.number("data", part, name, form=",.4g") for name in columns])
        for part in parts
    ]
    names = [words.spoken("data", name) for name in columns]
    return section(
        words("data"),
        table(["", *names], rows),
        _classes(figures, parts, words),
        paragraph(_notes(figures, words)),
        _changes(figures, words),
    )


def _classes(figures: Figures, parts: list[str], words: Words) -> str:
    """Return a table with the number of rows of each class in each part; empty without classes."""
    classes = list(figures.get("data", parts[0], "classes", default={}))
    rows = [(name, [figures.number("data", part, "classes", name) for part in parts]) for name in sorted(classes)]
    return table([words("classes"), *(words.name("part", part) for part in parts)], rows) if rows else ""


def _changes(figures: Figures, words: Words) -> str:
    """Return a table of what readers changed, with the number of each; empty if nothing was changed."""
    name = "changed" if figures.get("data", "changed") else "found"  # its name in metrics of version 0.1.0
    rows = []
    for kind in sorted(figures.get("data", name, default={})):
        what, _, value = kind.partition(": ")
        said = words.name("change", what) + (f"{words('list.colon')}{value}" if value else "")
        rows.append((said, [figures.number("data", name, kind)]))
    return table([words("data.changed"), words("data.count")], rows) if rows else ""


def _notes(figures: Figures, words: Words) -> str:
    """Return the counts of dropped rows, and the task's other single figures on the data."""
    dropped = figures.get("data", "dropped", default={})
    reasons = words("list.comma").join(
        words(
            "data.reason",
            reason=escape(words.name("reason", reason)),
            count=figures.number("data", "dropped", reason),
        )
        for reason in sorted(dropped)
    )
    notes = [words("data.dropped", reasons=reasons) if reasons else words("data.nothing")]
    for name, value in sorted(figures.get("data").items()):
        if isinstance(value, int | float) and not isinstance(value, bool):
            shown = figures.number("data", name, form=",.4g")
            notes.append(words("data.note", name=escape(words.spoken("data", name)), value=shown))
    if any(figures.get("data", part, "missing") for part in PARTS):
        notes.append(words("data.filled"))
    if figures.get("input"):
        notes.append(words("data.waited", share=figures.number("input", "share", form=".1%")))
    return words("list.sentence").join(notes)
