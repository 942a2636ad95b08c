"""The options that the training used."""

from penstock.report.figures import Figures, escape, pointer
from penstock.report.page import details, paragraph, section, table
from penstock.report.words import Words

__all__ = ["options_section"]


def options_section(figures: Figures, words: Words) -> str:
    """Return the card: all options as resolved, or as given if an older version wrote metrics.json."""
    key = "options" if figures.get("options") else "configuration"
    rows = [
        (name, [f'<code data-metric="{escape(pointer(key, name))}">{escape(_plain(value, words))}</code>'])
        for name, value in sorted(figures.get(key, default={}).items())
    ]
    if not rows:
        return ""
    note = words("options.note") if key == "options" else ""
    numbers = table([words("options.option"), words("options.value")], rows)
    return section(words("options"), paragraph(note, "quiet"), details(words("options"), numbers))


def _plain(value: object, words: Words) -> str:
    if value is None:
        return words("none")
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
