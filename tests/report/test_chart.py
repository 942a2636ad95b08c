"""Charts: where points land, and what can't be drawn."""

import re
from xml.etree import ElementTree

import pytest

from penstock.report import Line, chart


def draw(lines, **options):
    html = chart(lines, title="a < b", x_label="step", y_label="error", **options)
    return ElementTree.fromstring(html), html


def points(html: str) -> list[list[tuple[float, float]]]:
    return [
        [tuple(map(float, pair.split(","))) for pair in found.split()]
        for found in re.findall(r'<polyline points="([^"]*)"', html)
    ]


def test_a_chart_is_well_formed_and_says_what_it_shows():
    tree, _ = draw([Line("rnn", [0, 1, 2], [3.0, 2.0, 1.0])])
    assert tree.find("figcaption").text == "a < b"
    assert tree.find("svg").get("aria-label") == "a < b: rnn 3 → 1 (min 1, max 3)"
    assert tree.find("ul").find("li").find("svg").tail == "rnn"


def test_points_keep_their_order_and_proportion():
    _, html = draw([Line("rnn", [0, 1, 4], [0.0, 5.0, 10.0])])
    (a, b, c) = points(html)[0]
    assert (b[0] - a[0]) * 3 == pytest.approx(c[0] - b[0], abs=0.3)
    assert a[1] - b[1] == pytest.approx(b[1] - c[1], abs=0.2)
    assert a[1] > c[1]


@pytest.mark.parametrize("unit", [1e-90, 1e-12, 1e12, 1e90])
def test_the_unit_of_the_numbers_does_not_matter(unit):
    _, expected = draw([Line("rnn", [0, 1, 4], [-1.0, 5.0, 10.0])])
    tree, html = draw([Line("rnn", [0, 1, 4], [-unit, 5 * unit, 10 * unit])])
    assert points(html) == points(expected)
    labels = [text.text for text in tree.iter("text") if text.get("text-anchor") == "end"]
    assert [float(label.replace("−", "-")) for label in labels] == pytest.approx([-5 * unit, 0, 5 * unit, 10 * unit])
    assert max(map(len, labels)) <= 8  # what the left margin holds


def test_labels_of_an_axis_differ_however_far_from_0_it_is():
    tree, _ = draw([Line("rnn", [0, 1], [1.00e12, 1.10e12])])
    labels = [text.text for text in tree.iter("text") if text.get("text-anchor") == "end"]
    assert labels == ["1.00e12", "1.02e12", "1.04e12", "1.06e12", "1.08e12", "1.10e12"]


@pytest.mark.parametrize("values", [[1e12, 1e12 + 0.5], [1e17, 1e17], [1e17, 1e17 + 16], [0.0, 0.0], [0.1 + 0.2, 0.3]])
def test_numbers_close_to_each_other_are_drawn_too(values):
    tree, html = draw([Line("rnn", [0, 1], values)])
    assert len(points(html)[0]) == 2
    ticks = [text.get("y") for text in tree.iter("text") if text.get("text-anchor") == "end"]
    assert len(set(ticks)) == len(ticks) >= 2


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis():
    _, html = draw([Line("rnn", [0, 1, 2], [1e-8, 1e-4, 1.0])], log=True)
    (a, b, c) = points(html)[0]
    assert a[1] - b[1] == pytest.approx(b[1] - c[1], abs=0.2)


def test_what_has_no_place_is_left_out():
    _, html = draw([Line("rnn", [0, 1, 2, 3], [1.0, float("nan"), 0.0, 0.5])], log=True)
    assert [len(run) for run in points(html)] == [1, 1]
    assert "nan" not in html


def test_no_points_no_drawing():
    tree, html = draw([Line("rnn", [0], [float("inf")])])
    assert "svg" not in html
    assert tree.find("p").text == "–"


@pytest.mark.parametrize("y", [[0.25], [0.25, 0.25], [0.0, 0.0], [-1e-9, 1e9]], ids=str)
def test_flat_and_wide_lines_stay_on_the_drawing(y):
    _, html = draw([Line("rnn", list(range(len(y))), y)], marker=0)
    for x, height in points(html)[0]:
        assert 0 <= x <= 480
        assert 0 <= height <= 300


def test_lines_differ_by_more_than_colour():
    _, html = draw([Line(str(style), [0, 1], [0, 1], style) for style in range(4)])
    dashes = re.findall(r'<polyline points="[^"]*"( stroke-dasharray="[^"]*")?', html)
    assert len(set(dashes)) == 4


def test_a_line_has_a_gap_where_there_is_not_a_number():
    none = float("nan")
    _, html = draw([Line("rnn", list(range(100)), [none] + [1.0] * 40 + [none, 2.0, none] + [3.0] * 56)])
    assert [len(run) for run in points(html)] == [40, 1, 56]
    seen = [circle for circle in re.findall("<circle[^>]*>", html) if "touch" not in circle]
    assert len(seen) == 1  # the one between two gaps, of which no line is seen
