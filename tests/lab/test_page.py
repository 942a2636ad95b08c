"""The page in Chromium, opened from its file: quiet, in both languages, for eyes, keyboards and screen readers."""

import json

import pytest

from penstock.lab import english
from penstock.lab.building import FIGURES

SLIDERS = "[...document.querySelectorAll('input[type=range]')]"
# What a figure shows: its drawings, its canvases and its sentences.
SHOWN = """(name) => {
  const live = document.querySelector(`#${name} .live`);
  const canvases = [...live.querySelectorAll("canvas.heat")].map((canvas) => canvas.toDataURL());
  return [...live.querySelectorAll("svg, .readout")].map((node) => node.outerHTML).join("") + canvases.join("");
}"""


def shown(tab, name):
    return tab.value(f"({SHOWN})({json.dumps(name)})")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_opens_in_either_language_and_switches(opened, language):
    other = {"en": "zh", "zh": "en"}[language]
    han = "/[\\u4e00-\\u9fff]/"
    with opened(language) as tab:
        for now in (language, other, language):
            tab.value(f"document.querySelector('[data-language={now}]').click()")
            assert tab.value("document.documentElement.lang").startswith(now)
            text = tab.value("[...document.querySelectorAll('main')].map((node) => node.innerText).join('')")
            text = text.split("S. Hochreiter")[0]
            if now == "en":
                assert not tab.value(f"{han}.test({json.dumps(text)})"), text
            else:
                for sentence in english.WORDS.values():
                    assert len(sentence) < 12 or sentence not in text
            for name in FIGURES:
                title = tab.text(f"#{name} h2")
                assert tab.value(f"{han}.test({json.dumps(title)})") == (now == "zh")


@pytest.mark.slow
def test_every_slider_changes_its_figure_by_keyboard(opened):
    with opened() as tab:
        count = tab.value(f"{SLIDERS}.length")
        assert count == 14
        for n in range(count):
            name = tab.value(f"{SLIDERS}[{n}].closest('section').id")
            tab.value(f"{SLIDERS}[{n}].focus()")
            before, told = shown(tab, name), tab.value(f"{SLIDERS}[{n}].getAttribute('aria-valuetext')")
            at_end = tab.value(f"{SLIDERS}[{n}].value === {SLIDERS}[{n}].max")
            tab.press("ArrowLeft" if at_end else "ArrowRight")
            assert shown(tab, name) != before, (name, n)
            assert tab.value(f"{SLIDERS}[{n}].getAttribute('aria-valuetext')") != told, (name, n)


@pytest.mark.slow
def test_every_choice_changes_its_figure(opened):
    with opened() as tab:
        for name in tab.value("[...document.querySelectorAll('input[type=radio]')].map((node) => node.name)"):
            figure = tab.value(f"document.querySelector('input[name=\"{name}\"]').closest('section').id")
            before = shown(tab, figure)
            tab.value(f"document.querySelector('input[name=\"{name}\"]:not(:checked)').click()")
            assert shown(tab, figure) != before, name


@pytest.mark.slow
def test_a_typed_text_is_read_at_once(opened):
    with opened() as tab:
        for name in ("unroll", "gates"):
            tab.value(f"document.querySelector('#{name} input[type=text]').select()")
            tab.write("a (b")
            assert tab.value(f"document.querySelector('#{name} input[type=text]').value") == "a (b"
            assert "of 4" in tab.text(f"#{name} .slider:has(label[data-say=step]) output")
        tab.value("document.querySelector('#unroll input[type=range]').focus()")
        tab.press("End")
        assert "“b”" in tab.text("#unroll .readout")
        open_now = int(tab.text("#unroll .readout").split("open: ")[1].rstrip("%."))
        assert open_now > 95


@pytest.mark.slow
def test_it_plays_and_pauses(opened):
    with opened() as tab:
        first = tab.text("#unroll output")
        tab.click("#unroll button.main")
        assert tab.text("#unroll button.main") == "Pause"
        tab.wait(f"document.querySelector('#unroll output').innerText !== {json.dumps(first)}")
        tab.click("#unroll button.main")
        assert tab.text("#unroll button.main") == "Play"


@pytest.mark.slow
def test_a_screen_reader_finds_names_for_everything(opened):
    with opened() as tab:
        nodes = tab.tree()
        for role in ("slider", "radiogroup", "radio", "textbox", "combobox", "button", "image", "application"):
            found = [node["name"] for node in nodes if node["role"].lower() == role]
            assert found, role
            assert all(found), (role, found)
        headings = [node["name"] for node in nodes if node["role"] == "heading"]
        assert len(headings) >= len(FIGURES) + 2


@pytest.mark.parametrize(("language", "width", "dark"), [("en", 1280, False), ("zh", 390, True)])
@pytest.mark.slow
def test_it_fits_the_width_and_can_be_looked_at(opened, picture, language, width, dark):
    with opened(language, width=width, dark=dark) as tab:
        for now in ("zh", "en", language):
            tab.value(f"document.querySelector('[data-language={now}]').click()")
            assert tab.value("document.documentElement.scrollWidth") <= width
        picture(tab, f"lab-{width}-{'dark' if dark else 'light'}")
