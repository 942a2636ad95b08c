"""The sentence about a model's memory, in both languages, and its card."""

import pytest

from penstock.report import render
from penstock.report.figures import Figures
from penstock.report.memory import memory_section, memory_sentence
from penstock.report.words import LANGUAGES, Words

FIGURES = {"unit": "word", "reach": "within", "horizon": 40.0, "length": 120.0, "around": False}


@pytest.mark.parametrize(
    ("more", "english", "chinese"),
    [
        ({}, "depends on about the last 40 words of its input.", "大约取决于输入的最后 40 个词。"),
        ({"horizon": 1.0}, "about the last 1 word of its input.", "最后 1 个词。"),
        ({"unit": "second", "horizon": 0.52}, "the last 0.52 seconds of", "最后 0.52 秒。"),
        ({"around": True}, "about 40 words on either side of its step.", "前后各 40 个词。"),
        ({"reach": "whole"}, "depends on the whole input, which is about 120 words long here.", "约为 120 个词）。"),
        ({"reach": "beyond"}, "more than the last 40 words", "超过输入的最后 40 个词。"),
        ({"reach": "nothing", "horizon": None}, "do not depend on its input", "与输入无关"),
        ({"unit": "frame", "horizon": 17.0}, "the last 17 frames of", "最后 17 帧。"),
        ({"unit": "token"}, "the last 40 tokens of", "最后 40 个词元。"),
        ({"unit": "byte", "horizon": 1.0}, "the last 1 byte of", "最后 1 个字节。"),
        ({"unit": "furlong"}, "the last 40 furlong of its input.", "最后 40 furlong。"),
    ],
)
def test_the_sentence(more, english, chinese):
    assert english in memory_sentence(FIGURES | more)
    assert chinese in memory_sentence(FIGURES | more, "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_how_fast_layers_forget(metrics, language):
    page = render(metrics, language=language)
    words = Words(language)
    assert words("memory") in page
    assert words("memory.never") in page
    assert words("direction.backward") in page


@pytest.mark.parametrize(
    ("verdict", "words"), [("vanishes", "Gradients vanished"), ("explodes", "Gradients exploded"), ("fine", "")]
)
def test_the_card_warns_of_gradients(metrics, verdict, words):
    metrics["gradients"] = {"verdict": verdict, "ratio": 1e-9, "reach": 17, "steps": 90}
    page = render(metrics)
    assert ("class=callout" in page.split("How far back it remembers")[1].split("</section>")[0]) == bool(words)
    assert words in page


def test_models_of_earlier_versions_have_no_card(metrics):
    del metrics["memory"]
    assert memory_section(Figures(metrics), Words()) == ""
    assert memory_section(Figures({"memory": {}}), Words()) == ""
