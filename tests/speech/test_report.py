"""The report of a recogniser: errors counted and marked, recordings to be heard."""

import json
import re

import numpy as np
import pytest

from penstock.runtime.probabilities import reliability_of
from penstock.speech.report import render_report
from penstock.speech.transcriber import SpokenWord
from penstock.speech.worst import worst_recordings


def test_the_worst_recordings_come_first_with_their_errors(spoken):
    words = [[SpokenWord("no", 0.1, 0.3, 0.9)], [SpokenWord("yes", 0.0, 0.2, 0.5)], []]
    worst, next_, *rest = worst_recordings(spoken[0][:3], ["no", "yes sir", "stop"], words, 8000)
    assert rest == []
    assert (worst["row"], worst["wer"], worst["edits"]) == (3, 1.0, [["deleted", "stop", None]])
    assert (next_["row"], next_["wer"]) == (2, 0.5)
    assert next_["edits"] == [["equal", "yes", "yes"], ["deleted", "sir", None]]
    assert max(next_["waveform"]) == pytest.approx(abs(spoken[0][1].samples).max(), abs=1e-3)
    assert json.loads(json.dumps(worst)) == worst


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_lets_hear_the_worst_recordings_and_marks_their_errors(recogniser, language):
    sounds = recogniser._sounds
    sure = {"part": "valid", "unit": "speech.words", **reliability_of(np.array([0.9, 0.2]), np.array([True, False]))}
    page = render_report(recogniser.metrics_ | {"reliability": sure}, sounds, language=language)
    assert '<th scope="col">words</th><th scope="col">mean probability' in page or language == "zh"
    assert 'data-metric="/reliability/ece" data-value="0.15' in page
    assert 0 < len(sounds) == page.count("<audio controls")
    assert page.count('aria-label="') >= len(sounds)
    assert '<mark class="bad"' in page
    counts = recogniser.metrics_["errors"]["words"]
    shown = dict(re.findall(r'data-metric="/errors/words/(\w+)" data-value="(\d+)"', page))
    assert {name: int(value) for name, value in shown.items()} == {
        name: counts[name] for name in ("reference", "substituted", "inserted", "deleted")
    }
    for place, one in enumerate(recogniser.metrics_["speakers"]):
        assert f">{one['speaker']}</th>" in page
        assert f'data-metric="/speakers/{place}/wer" data-value="{one["wer"]}"' in page
    assert not re.search(r"speech\.[a-z_]+", re.sub(r"<[^>]*>", "", page))
