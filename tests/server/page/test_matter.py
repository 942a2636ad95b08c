"""What mattered, on the page: the colours of channels, bands and look-backs are the scores of attribution."""

import io
import wave

import numpy as np
import pytest

from penstock.inspection import attribute

SIGNAL = np.random.default_rng(3).normal(3, 2, (30, 2)).round(2)
SERIES = (10 + 3 * np.cos(np.arange(30))).round(2)
SCORES = "[...document.querySelectorAll('.matter rect')].map((e) => Number(e.dataset.score))"


def enter(tab, values):
    tab.wait("document.querySelector('#numbers')")
    tab.click("#numbers")
    tab.write("\n".join(", ".join(map(str, np.atleast_1d(value).tolist())) for value in values))


def runs(found):
    """The scores of each column in runs of equal ones."""
    columns = found.values.T.tolist()
    return [value for column in columns for n, value in enumerate(column) if not n or column[n - 1] != value]


@pytest.mark.slow
def test_channels_are_coloured_for_any_class(server, opened, models, picture):
    with opened(f"{server.url}/#gestures") as tab:
        enter(tab, SIGNAL)
        tab.wait(f"{SCORES}.length > 2")
        assert tab.value(SCORES) == pytest.approx(runs(attribute(models["gestures"], SIGNAL, method="occlusion")))
        found = attribute(models["gestures"], SIGNAL, method="occlusion", target="b")
        tab.choose("[aria-labelledby=matter-title] select", "b")
        tab.wait(f"Math.abs({SCORES}[0] - {runs(found)[0]}) < 1e-9")
        assert tab.value(SCORES) == pytest.approx(runs(found))
        shown = tab.value("[...document.querySelectorAll('.effects li')].map((e) => e.textContent)")
        best = found.top(1)[0]
        assert f"channel {best['channel']}, step {best['time']}" in shown[0]
        picture(tab, "matter-signal")


@pytest.mark.slow
def test_a_step_of_its_own_is_explained(server, opened, models):
    found = attribute(models["each-step"], SIGNAL, method="occlusion")
    with opened(f"{server.url}/#each-step") as tab:
        enter(tab, SIGNAL)
        tab.wait(f"{SCORES}.length > 2")
        assert tab.value(SCORES) == pytest.approx(runs(found))


@pytest.mark.slow
def test_a_look_back_is_coloured_for_any_step_ahead(server, opened, models, picture):
    with opened(f"{server.url}/#sales") as tab:
        enter(tab, SERIES)
        tab.wait(f"{SCORES}.length > 2")
        assert tab.value(SCORES) == pytest.approx(runs(attribute(models["sales"], SERIES.tolist(), method="occlusion")))
        found = attribute(models["sales"], SERIES.tolist(), method="occlusion", at=3)
        tab.choose("[aria-labelledby=matter-title] select", "3")
        tab.wait(f"Math.abs({SCORES}[0] - {runs(found)[0]}) < 1e-9")
        assert tab.value(SCORES) == pytest.approx(runs(found))
        shown = tab.value("document.querySelector('.effects li').textContent")
        assert f"y, {int(found.top(1)[0]['time']) + 1}" in shown  # the page counts steps from 1
        picture(tab, "matter-forecast")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.slow
def test_a_sound_is_coloured_on_a_phone_in_chinese(server, opened, models, spoken, tmp_path, picture, dark):
    samples = np.round(spoken[0][0].samples * 32767).astype("<i2")
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    (tmp_path / "word.wav").write_bytes(data.getvalue())
    found = attribute(models["sounds"], samples.astype(np.int16), method="occlusion")
    with opened(f"{server.url}/#sounds", width=390, height=844, dark=dark, language="zh-CN") as tab:
        tab.wait("document.querySelector('#file')")
        tab.choose_file("#file", tmp_path / "word.wav")
        tab.wait("document.querySelector('.effect-map')")
        size = tab.value("(({width, height}) => [width, height])(document.querySelector('.effect-map'))")
        assert size == list(found.values.shape)
        assert f"“{found.target}”的对数几率" in tab.text("[aria-labelledby=matter-title] .quiet")
        assert tab.value("document.documentElement.scrollWidth") == 390
        assert len(tab.value("[...document.querySelectorAll('.effects li')].map((e) => e.textContent)")) == 5
        picture(tab, f"matter-sound-{'dark' if dark else 'light'}")


REFUSED = """const real = window.fetch;
window.fetch = (address, how) => String(address).includes("/attribute")
  ? Promise.resolve(new Response('{"error": {"type": "DataError", "message": "far too long"}}', { status: 422 }))
  : real(address, how); true"""


@pytest.mark.slow
def test_why_an_input_is_not_explained_is_said(server, opened):
    with opened(f"{server.url}/#level") as tab:
        assert tab.value(REFUSED)
        enter(tab, SIGNAL)
        tab.wait("document.querySelector('[aria-labelledby=matter-title] .note').textContent === 'far too long'")
