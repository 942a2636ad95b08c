"""What the report says of a language model: how tokens are counted, passages coloured by surprisal, samples."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report import Figures, Words, escape, measured_part, render, section
from penstock.report.page import paragraph

__all__ = ["render_report"]


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a language model; arguments as for `report.render`."""
    return render(metrics, title=title, language=language, extra=[_counted, _passages, _samples])


def _counted(figures: Figures, words: Words) -> str:
    """What the scores count, without which perplexities can't be compared."""
    level = figures.get("data", "level", default="")
    if not words.knows(f"language.counted.{level}"):
        return ""
    place = "baseline", "kneser_ney", "settings", "tokens"
    note = paragraph(words("language.sampled", tokens=figures.number(*place))) if figures.get(*place) else ""
    return section(words("language.counted"), paragraph(words(f"language.counted.{level}")), note)


def _passages(figures: Figures, words: Words) -> str:
    found, levels = figures.get("passages", default=[]), figures.get("surprisal_levels", default=[])
    items = "".join(f'<li><blockquote dir="auto">{_coloured(each, levels, words)}</blockquote></li>' for each in found)
    if not items:
        return ""
    note = words(
        "language.passages_note",
        data=words.name("data", measured_part(figures.data)),
        low=figures.number("surprisal_levels", 0, form=".2f"),
        middle=figures.number("surprisal_levels", 1, form=".2f"),
        high=figures.number("surprisal_levels", 2, form=".2f"),
    )
    return section(words("language.passages"), paragraph(note, "quiet"), f'<ul class="quotes">{items}</ul>')


def _coloured(passage: Mapping[str, Any], levels: Sequence[float], words: Words) -> str:
    """Return a text whose less expected tokens are coloured, as HTML, with their surprisal as tooltips."""
    parts = []
    for gap, token, surprisal in zip(passage["gaps"], passage["tokens"], passage["surprisal"], strict=False):
        level = bisect_right(levels, surprisal)
        said = escape(words("language.surprisal", nats=f"{surprisal:.2f}"))
        shown = f'<mark class="lo{level}" title="{said}">{escape(token)}</mark>' if level else escape(token)
        parts.append(escape(gap) + shown)
    return "".join(parts) + escape(passage["gaps"][-1])


def _samples(figures: Figures, words: Words) -> str:
    items = []
    for number, sample in enumerate(figures.get("samples", default=[])):
        temperature = figures.number("samples", number, "temperature", form="g")
        text = f'<span class="quiet">{escape(sample["prompt"])}</span>{figures.text("samples", number, "text")}'
        quiet = f'<span class="quiet">{words("language.temperature", temperature=temperature)}</span>'
        items.append(f'<li><blockquote dir="auto">{text}</blockquote>{quiet}</li>')
    if not items:
        return ""
    note = words("language.samples_note", data=words.name("data", measured_part(figures.data)))
    listed = f'<ul class="quotes">{"".join(items)}</ul>'
    return section(words("language.samples"), paragraph(note, "quiet"), listed)
