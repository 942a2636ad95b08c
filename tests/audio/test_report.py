"""Players in the report."""

import base64
import io
import re
import wave

import numpy as np

from penstock.audio.report import MOST_SOUNDS, render_report
from penstock.sounds.player import wav

MISTAKES = [{"file": f"<{n}>.wav", "label": "yes", "prediction": "no", "probability": 0.9 - n / 100} for n in range(12)]


def test_a_wav_file_holds_the_samples():
    samples = np.array([0, 0.5, -0.5, 1, -1, 2], np.float32)
    with wave.open(io.BytesIO(wav(samples, 8000))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        found = np.frombuffer(sound.readframes(9), "<i2")
    assert found.tolist() == [0, 16384, -16384, 32767, -32767, 32767]


def test_each_mistake_has_a_player_as_long_as_there_are_sounds():
    page = render_report({"mistakes": MISTAKES}, [(np.zeros(80_000, np.float32), 8000)] * 2)
    players = re.findall(r"base64,([^\"]+)", page)
    assert len(players) == 2
    with wave.open(io.BytesIO(base64.b64decode(players[0]))) as sound:
        assert sound.getnframes() == 24_000  # three seconds of ten
    assert page.count("<li>") == MOST_SOUNDS
    assert "&lt;0&gt;.wav" in page
    assert 'data-metric="/mistakes/1/probability"' in page


def test_no_mistake_no_section():
    for mistakes in ([], [{"text": "of another task"}]):
        assert "Most confident errors" not in render_report({"mistakes": mistakes})
