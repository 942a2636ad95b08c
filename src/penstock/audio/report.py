"""What the report lets hear: the recordings that were answered wrong, each with a player inside the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.report import Figures, Words, render, section
from penstock.report.effects import strip
from penstock.report.mistakes import mistake_words
from penstock.report.page import paragraph
from penstock.sounds.player import audio_player

__all__ = ["MOST_SOUNDS", "render_report"]

MOST_SOUNDS = 10
_MOST_SECONDS = 3.0  # of one sound, so that the page stays small

Sounds = Sequence[tuple[NDArray[np.float32], int]]


def render_report(metrics: Mapping[str, Any], sounds: Sounds = (), *, title: str = "", language: str = "en") -> str:
    """The report of a model of sounds.

    Args:
        metrics: what metrics.json holds; its `mistakes` have a `file` each.
        sounds: samples (time,) and their rate, for as many of the first mistakes as there are; without players if none.
        title, language: as for `report.render`.
    """
    return render(
        metrics, title=title, language=language, mistakes=lambda figures, words: _errors(figures, words, sounds)
    )


def _errors(figures: Figures, words: Words, sounds: Sounds) -> str:
    """The recordings that were classified wrong, the most confident error first; nothing where there is none."""
    items = [
        _item(figures, words, index, sounds)
        for index, mistake in enumerate(figures.get("mistakes", default=[])[:MOST_SOUNDS])
        if "file" in mistake
    ]
    if not items:
        return ""
    note = words("sounds.note", seconds=f"{_MOST_SECONDS:g}")
    if any("attribution" in mistake for mistake in figures.get("mistakes")):
        note += " " + words("mistakes.colours")
    return section(words("sounds"), paragraph(note, "quiet"), f'<ul class="quotes">{"".join(items)}</ul>')


def _item(figures: Figures, words: Words, index: int, sounds: Sounds) -> str:
    """Return the player of a recording, what mattered over time, and what was predicted."""
    player = audio_player(*sounds[index], _MOST_SECONDS) if index < len(sounds) else ""
    said = (
        f'{figures.text("mistakes", index, "file")} <span class="quiet">{mistake_words(figures, words, index)}</span>'
    )
    return f"<li>{player}{_strip(figures.get('mistakes', index), words)}{said}</li>"


def _strip(mistake: Mapping[str, Any], words: Words) -> str:
    """Return the colours of what mattered, over the seconds that the player has."""
    marked = mistake.get("attribution")
    if not marked:
        return ""
    return strip(marked["scores"][: round(_MOST_SECONDS / marked["frame_seconds"])], words("mistakes.over_time"))
