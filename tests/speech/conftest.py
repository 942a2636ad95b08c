"""A speech recogniser that was trained for a moment, for all tests of its room."""

from typing import Any

import pytest

from penstock import SpeechRecognizer
from penstock.speech.inputs import spoken_by

TINY: dict[str, Any] = {
    "hidden_size": 8,
    "num_layers": 1,
    "mel_bins": 8,
    "epochs": 1,
    "batch_size": 8,
    "random_state": 0,
}


@pytest.fixture(scope="session")
def recogniser(spoken) -> SpeechRecognizer:
    """Trained for an epoch on synthetic words of two speakers; its transcripts mean nothing."""
    sounds, texts = spoken
    return SpeechRecognizer(**TINY, lookahead=1).fit(spoken_by(sounds, ["ann", "ben"] * 12), texts)
