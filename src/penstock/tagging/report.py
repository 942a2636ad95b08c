"""What the report shows of a tagger: scores of each type of span, and the worst sentences with their spans marked."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock.report import Figures, Words, escape, measured_part, render, section
from penstock.report.classes import classes_section
from penstock.report.page import paragraph

__all__ = ["render_report"]

_SHOWN = 12  # more sentences would be scrolled past


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a tagger; arguments as for `report.render`."""
    return render(metrics, title=title, language=language, classes=_classes, mistakes=_worst)


def _classes(figures: Figures, words: Words) -> str:
    if figures.get("chunked"):
        return classes_section(figures, words, title=words("tags.types"), note=words("tags.types_note"))
    return classes_section(figures, words, title=words("tags.tags"))


def _worst(figures: Figures, words: Words) -> str:
    """The sentences with the most errors."""
    found = figures.get("sentences", default=[])[:_SHOWN]
    if not found:
        return ""
    data = words.name("data", measured_part(figures.data))
    spans = bool(figures.get("chunked"))
    note = words("tags.worst_spans", data=data) if spans else words("tags.worst_tags", data=data)
    show = partial(_spans, words) if spans else _tags
    items = []
    for index, sentence in enumerate(found):
        row, errors = (figures.number("sentences", index, name) for name in ("row", "errors"))
        said = words("tags.count", row=row, errors=errors)
        items.append(f'<li>{show(sentence)}<span class="quiet">{said}</span></li>')
    return section(words("tags.worst"), paragraph(note, "quiet"), f'<ul class="quotes tagged">{"".join(items)}</ul>')


def _spans(words: Words, sentence: Mapping[str, Any]) -> str:
    """The sentence twice: with its true spans, and with the predicted ones."""
    both = ((words("tags.true"), "truth", "predicted"), (words("tags.predicted"), "predicted", "truth"))
    return "".join(
        f'<blockquote dir="auto"><small>{escape(said)}</small> {_marked(sentence, own, other)}</blockquote>'
        for said, own, other in both
    )


def _marked(sentence: Mapping[str, Any], own: str, other: str) -> str:
    """The sentence with its spans; those that the other tags lack are bad."""
    tokens, at = sentence["tokens"], 0
    pieces: list[str] = []
    between = "" if all(len(token) == 1 for token in tokens) else " "
    for kind, start, stop in sentence[own]:
        pieces += map(escape, tokens[at:start])
        tone = "good" if [kind, start, stop] in sentence[other] else "bad"
        label = f"<small>{escape(kind)}</small>" if kind else ""
        pieces.append(f'<mark class="{tone}">{between.join(map(escape, tokens[start:stop]))}{label}</mark>')
        at = stop
    return between.join([*pieces, *map(escape, tokens[at:])])


def _tags(sentence: Mapping[str, Any]) -> str:
    """The sentence with its tags, the wrong ones marked."""
    pieces = []
    for token, true, said in zip(sentence["tokens"], sentence["truth"], sentence["predicted"], strict=True):
        if true == said:
            pieces.append(f"{escape(token)}<small>{escape(said)}</small>")
        else:
            label = f"<small>{escape(said)} ({escape(true)})</small>"
            pieces.append(f'<mark class="bad">{escape(token)}{label}</mark>')
    return f'<blockquote dir="auto">{" ".join(pieces)}</blockquote>'
