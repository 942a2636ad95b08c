"""Errors with their texts, the most confident first."""

from collections.abc import Mapping
from typing import Any

from penstock.report.effects import coloured_text
from penstock.report.figures import Figures, escape
from penstock.report.page import measured_part, paragraph, section
from penstock.report.words import Words

__all__ = ["mistake_words", "mistakes_section"]


def mistakes_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if no error has a text."""
    items = [
        f'<li>{_quoted(mistake, index)}<span class="quiet">{mistake_words(figures, words, index)}</span></li>'
        for index, mistake in enumerate(figures.get("mistakes", default=[]))
        if "text" in mistake
    ]
    if not items:
        return ""
    note = words("mistakes.note", data=words.name("data", measured_part(figures.data)))
    if any("attribution" in mistake for mistake in figures.get("mistakes")):
        note += " " + words("mistakes.colours")
    return section(words("mistakes"), paragraph(note, "quiet"), f'<ul class="quotes">{"".join(items)}</ul>')


def _quoted(mistake: Mapping[str, Any], index: int) -> str:
    """Return the text, coloured by what mattered if that is known."""
    if "attribution" in mistake:
        return f'<blockquote dir="auto">{coloured_text(mistake["attribution"])}</blockquote>'
    return f'<blockquote dir="auto" data-metric="/mistakes/{index}/text">{escape(mistake["text"])}</blockquote>'


def mistake_words(figures: Figures, words: Words, index: int) -> str:
    """Return the prediction, its probability and the ground truth, as HTML."""
    return words(
        "mistakes.item",
        prediction=f'<strong class="bad">{figures.text("mistakes", index, "prediction")}</strong>',
        probability=figures.number("mistakes", index, "probability", form=".3f"),
        label=f'<strong class="good">{figures.text("mistakes", index, "label")}</strong>',
    )
