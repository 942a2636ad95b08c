"""A speech recogniser that was trained for a moment, for all tests of its room."""

from typing import Any

import pytest

from penstock import SpeechRecognizer

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
    """Trained for an epoch on synthetic words; its transcripts mean nothing."""
    return SpeechRecognizer(**TINY, lookahead=1).fit(*spoken)
