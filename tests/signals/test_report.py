"""Signals in a report: drawn, and every number tied to its place in metrics.json."""

import json
import re

import pytest

from penstock.report import render
from penstock.signals.report import signal_sections

CLASSES = {
    "task": "series-classification",
    "labels": [1, "<b>"],
    "data": {
        "class_means": [
            {"label": 1, "rows": 12, "mean": [[0.5, 1.5, None]]},
            {"label": "<b>", "rows": 7, "mean": [[0.0, 1.0], [2.0, 3.0]]},
        ]
    },
    "mistakes": [
        {"row": 3, "signal": [[1.0, None, 2.0]], "label": 1, "prediction": "<b>", "probability": 0.9871},
        {"row": 5, "signal": [[]], "label": 1, "prediction": "<b>", "probability": 0.75},
    ],
}
NUMBERS = {
    "task": "series-regression",
    "predicted": {"part": "test", "truth": [1.0, 2.0], "prediction": [1.5, 1.75]},
    "errors": [{"row": 4, "signal": [[1.0, 2.0]], "truth": 2.0, "prediction": 1.25}],
}


def at(data, pointer):
    for key in pointer.split("/")[1:]:
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


@pytest.mark.parametrize("metrics", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_each_number_is_that_of_the_metrics(metrics):
    page = "".join(signal_sections(metrics))
    marks = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)">([^<]+)<', page)
    assert len(marks) >= 3
    for place, value, text in marks:
        assert json.loads(value) == at(metrics, place)
        assert float(text) == pytest.approx(at(metrics, place), rel=1e-3)
    bare = re.sub(r"<svg.*?</svg>|<[^>]*data-metric[^>]*>[^<]*<|<[^>]*>", " ", page)
    assert not re.search(r"\d", bare), bare


def test_signals_are_drawn_with_gaps_and_labels_are_text():
    page = render(CLASSES, extra=signal_sections(CLASSES), mistakes=False)
    assert page.count("<polyline") == 5  # that of the first mistake in two parts
    assert "No values." in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("second channel") == 2  # in the legend and for those who don't see


def test_nothing_known_nothing_shown():
    assert signal_sections({}) == ["", "", "", ""]
