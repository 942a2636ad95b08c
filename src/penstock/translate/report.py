"""What the report says of a translator: how it was scored, alignments, scores by length, best and worst sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report import Figures, Line, Words, chart, escape, render, scrolled, section, table
from penstock.report.figures import Marked
from penstock.report.page import paragraph
from penstock.report.scores import metric_names

__all__ = ["render_report"]


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a translator; arguments as for `report.render`."""
    cards = [_signatures, _by_length, _alignments, _worst, _best]
    return render(metrics, title=title, language=language, extra=cards)


def _signatures(figures: Figures, words: Words) -> str:
    names = list(figures.get("signatures", default={}))
    shown = [
        paragraph(f"{words.name('metric', name)}: {figures.text('signatures', name, code=True)}") for name in names
    ]
    note = paragraph(words("translation.signatures_note"), "quiet") if names else ""
    return section(words("translation.signatures"), *shown, note)


def _by_length(figures: Figures, words: Words) -> str:
    place = ("by_length", "bins")
    bins = figures.get(*place, default=[])
    if len(bins) < 2:
        return ""
    names = metric_names(bins[0]["scores"])
    rows = []
    for number in range(len(bins)):
        low, high = (figures.number(*place, number, end) for end in ("shortest", "longest"))
        one = bins[number]["shortest"] == bins[number]["longest"]
        lengths = Marked(low if one else words("translation.to", low=low, high=high))
        scores = [figures.number(*place, number, "scores", name) for name in names]
        rows.append((lengths, [figures.number(*place, number, "rows"), *scores]))
    heads = [words("translation.tokens"), words("translation.rows"), *(words.name("metric", name) for name in names)]
    middles = [(each["shortest"] + each["longest"]) / 2 for each in bins]
    lines = [
        Line(words.name("metric", name), middles, [each["scores"][name] for each in bins], style)
        for style, name in enumerate(name for name in names if name != "exact_match")
    ]
    drawn = chart(
        lines,
        title=words("translation.by_length"),
        x_label=words("translation.tokens"),
        y_label="",
        within=(0.0, 0.0),
    )
    note = words("translation.by_length_note", data=words.name("data", figures.get("by_length", "part")))
    return section(words("translation.by_length"), paragraph(note, "quiet"), drawn, table(heads, rows))


def _alignments(figures: Figures, words: Words) -> str:
    several = figures.get("alignments", "sentences", default=[])
    maps = [_heat_map(each, words) for each in several]
    note = words("translation.alignments_note", data=words.name("data", figures.get("alignments", "part", default="")))
    return section(words("translation.alignments"), paragraph(note, "quiet"), *maps) if maps else ""


def _heat_map(aligned: Mapping[str, Any], words: Words) -> str:
    """Draw the attention of one translation: a row for each of its tokens, a column for each of the source's."""
    source = [_visible(token) for token in aligned["source"]]
    head = "".join(f'<th scope="col">{token}</th>' for token in source)
    rows = "".join(
        f'<tr><th scope="row">{_visible(token)}</th>{"".join(map(_shade, weights))}</tr>'
        for token, weights in zip(aligned["target"], aligned["weights"], strict=True)
    )
    corner = f'<th scope="col">{escape(words("translation.corner"))}</th>'
    return scrolled(
        f'<table class="matrix"><thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>',
        wide=len(source) > 4,
    )


def _shade(weight: float) -> str:
    return f'<td style="--share:{weight:.3f}" title="{weight:.3f}"></td>'


def _visible(token: str) -> str:
    return escape(token if token.strip() else "␣" * len(token))


def _worst(figures: Figures, words: Words) -> str:
    return _sentences(figures, words, "worst")


def _best(figures: Figures, words: Words) -> str:
    return _sentences(figures, words, "best")


def _sentences(figures: Figures, words: Words, which: str) -> str:
    """Return translations beside their sources and references."""
    rows: Sequence[Any] = figures.get("sentences", which, default=[])
    items = "".join(f"<li>{_sentence(figures, words, ('sentences', which, row))}</li>" for row in range(len(rows)))
    note = words(f"translation.{which}_note", data=words.name("data", figures.get("sentences", "part", default="")))
    quotes = f'<ul class="quotes">{items}</ul>'
    return section(words(f"translation.{which}"), paragraph(note, "quiet"), quotes) if items else ""


def _sentence(figures: Figures, words: Words, place: tuple[str | int, ...]) -> str:
    lines = "".join(
        f'<blockquote dir="auto"><span class="quiet">{escape(words(f"translation.{role}"))}</span> '
        f"{figures.text(*place, key)}</blockquote>"
        for role, key in (("source", "source"), ("prediction", "prediction"), ("reference", "target"))
    )
    return (
        f'{lines}<span class="quiet">{words.name("metric", "chrf")} {figures.number(*place, "chrf", form=".1f")}</span>'
    )
