"""The demo's spoken words: made the same each time, and judged as they are said."""

import pytest

from penstock.audio.stream import Heard, Word
from penstock.cli import demo_words


def test_a_stream_says_each_word_as_often_and_always_the_same():
    samples, said = demo_words._stream()
    words = [each["word"] for each in said]
    assert sorted(words) == sorted(2 * ["yes", "no", "stop", "left", "wait", "computer"])
    ends = [each["seconds"] for each in said]
    assert ends == sorted(ends)
    assert ends[-1] < len(samples) / 8000
    assert demo_words._stream()[1] == said


@pytest.mark.parametrize(
    ("late", "more", "expected"), [(0.1, [], True), (0.2, [], False), (0.1, [Word("stop", 9.9, 0.9)], False)]
)
def test_words_count_as_found_near_their_end(late, more, expected, audio_model, monkeypatch):
    ends = [each["seconds"] for each in demo_words._stream()[1] if each["word"] == "stop"]
    spotter = type(audio_model).spotter

    class Spotter:
        def push(self, samples):
            heard = audio_model.spotter().push(samples)
            return Heard(heard.seconds, heard.scores, [])

        def finish(self):
            return Heard([], [], [Word("stop", end + late, 0.9) for end in ends] + more)

    monkeypatch.setattr(type(audio_model), "spotter", lambda self, words=None: Spotter() if words else spotter(self))
    found = demo_words.listen(audio_model)
    assert found["as_expected"] is expected
    assert len(found["heard"]) == len(ends) + len(more)
    assert len(found["seconds"]) == len(found["scores"]) > 250


@pytest.mark.parametrize("verdict", ["better", "no clear difference"])
def test_measured_beside_the_baselines(verdict, audio_model, monkeypatch):
    monkeypatch.setattr(demo_words, "_words", lambda part: ([], []))
    monkeypatch.setattr(
        type(audio_model),
        "evaluate",
        lambda self, inputs, answers: {"baseline_verdicts": {"majority": {"accuracy": verdict}}},
    )
    found = demo_words.measure(audio_model)
    assert found["as_expected"] is (verdict == "better")
    assert found["rows"] == {"train": 120, "test": 45}
    assert found["scores"]["baseline_verdicts"]["majority"]["accuracy"] == verdict
