"""Sounds inside a page: a player that holds its recording, and the recording as a WAV file."""

import base64
import io
import wave

import numpy as np
from numpy.typing import NDArray

__all__ = ["audio_player", "wav"]

_FULL_SCALE = 32767


def audio_player(samples: NDArray[np.float32], sample_rate_hz: int, most_seconds: float) -> str:
    """Return the HTML of a player for samples (time,), at most their first seconds, which the page itself holds."""
    data = base64.b64encode(wav(samples[: int(most_seconds * sample_rate_hz)], sample_rate_hz)).decode()
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
