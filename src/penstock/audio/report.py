"""What the report lets hear: the recordings that were answered wrong, each with a player inside the page."""

import base64
import io
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.report.figures import Figures, escape
from penstock.report.page import section

__all__ = ["MOST_SOUNDS", "sound_section"]

MOST_SOUNDS = 10
_MOST_SECONDS = 3.0  # of one sound, so that the page stays small
_FULL_SCALE = 32767


def sound_section(metrics: Mapping[str, Any], sounds: Sequence[tuple[NDArray[np.float32], int]]) -> str:
    """The worst recordings, the surest mistake first; nothing where there is no mistake.

    Args:
        metrics: what metrics.json holds; its `mistakes` bear a `file` each.
        sounds: samples (time,) and their rate, for as many of the first mistakes as there are; without players if none.
    """
    figures = Figures(metrics)
    items = [
        f"<li>{_player(*sounds[index]) if index < len(sounds) else ''}"
        f'<span data-metric="/mistakes/{index}/file">{escape(mistake["file"])}</span> '
        f'<span class="quiet">answered <strong class="bad">{escape(mistake["prediction"])}</strong> at '
        f"{figures.number('mistakes', index, 'probability', form='.3f')}, "
        f'is <strong class="good">{escape(mistake["label"])}</strong></span></li>'
        for index, mistake in enumerate(figures.get("mistakes", default=[])[:MOST_SOUNDS])
        if "file" in mistake
    ]
    if not items:
        return ""
    return section(
        "Worst recordings",
        f'<p class="quiet">Most confident errors first; at most {_MOST_SECONDS:g} seconds of each.</p>',
        f'<ul class="quotes">{"".join(items)}</ul>',
    )


def _player(samples: NDArray[np.float32], sample_rate_hz: int) -> str:
    data = base64.b64encode(wav(samples[: int(_MOST_SECONDS * sample_rate_hz)], sample_rate_hz)).decode()
    return f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio>'


def wav(samples: NDArray[np.float32], sample_rate_hz: int) -> bytes:
    """A WAV file, 16 bits, of samples (time,) from -1 to 1."""
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(sample_rate_hz)
        target.writeframes((np.clip(samples, -1, 1) * _FULL_SCALE).round().astype("<i2").tobytes())
    return file.getvalue()
