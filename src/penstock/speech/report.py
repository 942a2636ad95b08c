"""What the report shows of a recogniser: kinds of errors, and the worst recordings, with what was said when."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.report import Figures, Words, escape, measured_part, render, section, table
from penstock.report.page import paragraph
from penstock.sounds.player import audio_player
from penstock.speech.scores import METRICS
from penstock.speech.worst import SHOWN_SECONDS

__all__ = ["render_report"]

_WIDTH, _HEIGHT = 720, 64
_MOST_SPEAKERS = 40
_KINDS = ("substituted", "inserted", "deleted")

Sounds = Sequence[tuple[NDArray[np.float32], int]]


def render_report(metrics: Mapping[str, Any], sounds: Sounds = (), *, title: str = "", language: str = "en") -> str:
    """The report of a recogniser of speech.

    Args:
        metrics: what metrics.json holds; its `worst` are the recordings that are shown.
        sounds: samples (time,) and their rate, for as many of the first of these as there are; no players without.
        title, language: as for `report.render`.
    """
    return render(
        metrics,
        title=title,
        language=language,
        extra=[_speakers, _errors],
        mistakes=lambda figures, words: _worst(figures, words, sounds),
    )


def _speakers(figures: Figures, words: Words) -> str:
    """The error rates of each speaker, where speakers are known; of many, those with the highest."""
    found = figures.get("speakers", default=[])
    if not found:
        return ""
    rows = [
        (
            one["speaker"] or "–",
            [
                figures.number("speakers", index, "rows"),
                *(
                    figures.number("speakers", index, name) + figures.interval("speakers", index, "interval", name)
                    for name in METRICS
                ),
            ],
        )
        for index, one in enumerate(found[:_MOST_SPEAKERS])
    ]
    heads = [words("speech.speaker"), words("speech.recordings"), *(words.name("metric", name) for name in METRICS)]
    data = words.name("data", measured_part(figures.data))
    note = words("speech.speakers_note", data=data, shown=f"{len(rows):,}", speakers=f"{len(found):,}")
    return section(words("speech.speakers"), paragraph(note, "quiet"), table(heads, rows))


def _errors(figures: Figures, words: Words) -> str:
    """How many words and characters were substituted, inserted and deleted."""
    rows = []
    for unit in ("words", "characters"):
        if figures.get("errors", unit) is not None:
            numbers = [figures.number("errors", unit, kind) for kind in ("reference", *_KINDS)]
            rows.append((words(f"speech.{unit}"), numbers))
    if not rows:
        return ""
    heads = ["", words("speech.reference"), *(words(f"speech.{kind}") for kind in _KINDS)]
    note = words("speech.errors_note", data=words.name("data", measured_part(figures.data)))
    return section(words("speech.errors"), paragraph(note, "quiet"), table(heads, rows))


def _worst(figures: Figures, words: Words, sounds: Sounds) -> str:
    """The recordings with the highest share of wrong words."""
    found = figures.get("worst", default=[])
    if not found:
        return ""
    items = "".join(f"<li>{_recording(figures, words, index, sounds)}</li>" for index in range(len(found)))
    data = words.name("data", measured_part(figures.data))
    note = words("speech.worst_note", data=data, seconds=f"{SHOWN_SECONDS:g}")
    return section(words("speech.worst"), paragraph(note, "quiet"), f'<ul class="quotes tagged">{items}</ul>')


def _recording(figures: Figures, words: Words, index: int, sounds: Sounds) -> str:
    one = figures.get("worst", index)
    player = audio_player(*sounds[index], SHOWN_SECONDS) if index < len(sounds) else ""
    said = words(
        "speech.item",
        row=figures.number("worst", index, "row"),
        wer=figures.number("worst", index, "wer", form=".0%"),
    )
    name = figures.text("worst", index, "file")
    return f'{player}{_drawn(one, words)}{_aligned(one["edits"], words)}<span class="quiet">{name} {said}</span>'


def _drawn(one: Mapping[str, Any], words: Words) -> str:
    """The waveform, and below it the predicted words at their times."""
    heights = one.get("waveform")
    if not heights:
        return ""
    seconds = min(one["seconds"], SHOWN_SECONDS) or 1.0
    middle, step = _HEIGHT / 2 - 8, _WIDTH / len(heights)
    top = max([*heights, 1e-3])
    bars = "".join(
        f"M{place * step:.1f} {middle - height / top * middle:.1f}V{middle + height / top * middle:.1f}"
        for place, height in enumerate(heights)
    )
    labels = "".join(
        f'<text x="{word["start"] / seconds * _WIDTH:.1f}" y="{_HEIGHT - 2}" font-size="12" fill="currentColor">'
        f"{escape(word['word'])}<title>{word['start']:.2f}–{word['end']:.2f} s, {word['confidence']:.2f}</title></text>"
        for word in one["words"]
        if word["start"] <= seconds
    )
    path = f'<path d="{bars}" stroke="currentColor" stroke-width="1" fill="none" opacity=".5"/>'
    label = escape(words("speech.waveform"))
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" aria-label="{label}">{path}{labels}</svg>'


def _aligned(edits: Sequence[Sequence[Any]], words: Words) -> str:
    """The transcript with its errors marked: what was said, and what is right beside it."""
    pieces = []
    for kind, true, said in edits:
        if kind == "equal":
            pieces.append(escape(said))
        else:
            shown = escape(said) if said is not None else "–"
            beside = escape(true) if true is not None else "–"
            label = escape(words(f"speech.{kind}"))
            pieces.append(f'<mark class="bad" title="{label}">{shown}<small>({beside})</small></mark>')
    return f'<blockquote dir="auto">{" ".join(pieces)}</blockquote>'
