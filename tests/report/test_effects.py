"""Colours of attribution in reports."""

import re

from penstock.report.effects import Effects, coloured_text, strip
from penstock.report.figures import Figures
from penstock.report.mistakes import mistakes_section
from penstock.report.words import Words

MARKED = {"tokens": ["not", "<b>", "so"], "gaps": ["", " ", " & ", "!"], "scores": [-2.0, 0.7, 0.01]}


def test_a_text_is_coloured_as_it_is_written():
    page = coloured_text(MARKED)
    assert page == '<mark class="lo3">not</mark> <mark class="hi1">&lt;b&gt;</mark> &amp; so!'


def test_mistakes_are_coloured_where_that_is_known():
    known = {"text": "not <b> & so!", "label": "a", "prediction": "b", "probability": 0.9, "attribution": MARKED}
    plain = {"text": "fine", "label": "a", "prediction": "b", "probability": 0.8}
    page = mistakes_section(Figures({"mistakes": [known, plain]}), Words())
    assert '<mark class="lo3">not</mark>' in page
    assert '<blockquote dir="auto" data-metric="/mistakes/1/text">fine</blockquote>' in page
    assert "Blue parts raised" in page
    assert "Blue parts raised" not in mistakes_section(Figures({"mistakes": [plain]}), Words())


def test_a_strip_joins_frames_of_one_colour():
    drawn = strip([0.0, 3.0, 3.0, -1.0], "what <mattered>")
    assert re.findall(r'<rect class="(\w+)" x="(\d)" width="(\d)"', drawn) == [
        ("none", "0", "1"),
        ("hi3", "1", "2"),
        ("lo1", "3", "1"),
    ]
    assert 'aria-label="what &lt;mattered&gt;"' in drawn
    assert 'viewBox="0 0 4 1"' in drawn


def test_lines_are_coloured_relative_to_the_largest_score_of_all():
    mark = Effects(
        "effects", [([1, 2, 3], [0.0, 1.0, 2.0], [0.0, 4.0, 0.1]), ([1, 2], [float("nan"), 1.0], [1.4, 2.7])]
    )
    drawn = mark.drawn(lambda x: 10 * x, lambda y: 100 - y, False, str)
    assert re.findall(r'class="effect (\w+)" points="([^"]+)"', drawn) == [("hi3", "15.0,99.5 20.0,99.0 25.0,98.5")]
    assert mark.extent(False) == []
