"""Errors with their texts, the most confident first."""

from penstock.report.figures import Figures, escape
from penstock.report.page import measured_part, paragraph, section
from penstock.report.words import Words

__all__ = ["mistake_words", "mistakes_section"]


def mistakes_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if no error has a text."""
    items = [
        f'<li><blockquote dir="auto" data-metric="/mistakes/{index}/text">{escape(mistake["text"])}</blockquote>'
        f'<span class="quiet">{mistake_words(figures, words, index)}</span></li>'
        for index, mistake in enumerate(figures.get("mistakes", default=[]))
        if "text" in mistake
    ]
    if not items:
        return ""
    note = words("mistakes.note", data=words.name("data", measured_part(figures.data)))
    return section(words("mistakes"), paragraph(note, "quiet"), f'<ul class="quotes">{"".join(items)}</ul>')


def mistake_words(figures: Figures, words: Words, index: int) -> str:
    """Return the prediction, its probability and the ground truth, as HTML."""
    return words(
        "mistakes.item",
        prediction=f'<strong class="bad">{figures.text("mistakes", index, "prediction")}</strong>',
        probability=figures.number("mistakes", index, "probability", form=".3f"),
        label=f'<strong class="good">{figures.text("mistakes", index, "label")}</strong>',
    )
