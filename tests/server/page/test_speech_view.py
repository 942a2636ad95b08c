"""The view of recognisers of speech: what it shows is what the model writes."""

import pytest
from language_models import save_recogniser

import penstock
from penstock.sounds.player import wav

WORDS = "[...document.querySelectorAll('.transcript [data-start]')]"
TEXT = "document.querySelector('.transcript').textContent.trim().replace(/\\s+/g, ' ')"


@pytest.mark.slow  # a server and a browser
def test_a_recording_is_written_down(running, opened, picture, spoken, tmp_path):
    save_recogniser(tmp_path / "speech", spoken[0])
    (tmp_path / "word.wav").write_bytes(wav(spoken[0][0].samples, 8000))
    model = penstock.load(tmp_path / "speech")
    (words,) = model.transcribe([tmp_path / "word.wav"])
    assert words
    with running(tmp_path / "speech") as server, opened(f"{server.url}/#speech") as tab:
        tab.wait("document.querySelector('.transcript')")
        assert tab.text("h1") == "Let it write"
        tab.choose_file("#file", tmp_path / "word.wav")
        tab.wait(f"{WORDS}.length > 0")
        assert tab.value(TEXT) == " ".join(word.text for word in words)
        starts = tab.value(
            "[...document.querySelectorAll('.transcript [data-start]')].map((e) => Number(e.dataset.start))"
        )
        assert starts == [round(word.start, 3) for word in words]
        assert tab.value("document.querySelector('audio').hidden") is False
        picture(tab, "speech")
