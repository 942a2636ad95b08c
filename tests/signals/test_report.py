"""Signals in a report: drawn, and every number tied to its place in metrics.json."""

import json
import re

import pytest

from penstock.signals.report import render_report

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
    "residuals": {
        "part": "test",
        "mean": 0.125,
        "std": 0.375,
        "median_absolute": 0.25,
        "edges": [-1, 1],
        "counts": [2],
    },
    "errors": [{"row": 4, "signal": [[1.0, 2.0]], "truth": 2.0, "prediction": 1.25}],
}


def at(data, pointer):
    for key in pointer.split("/")[1:]:
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


@pytest.mark.parametrize("metrics", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_each_number_is_that_of_the_metrics(metrics):
    page = render_report(metrics).partition("</h1>")[2]
    marks = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)">([^<]+)<', page)
    assert len(marks) >= 3
    for place, value, text in marks:
        assert json.loads(value) == at(metrics, place)
        assert float(text) == pytest.approx(at(metrics, place), rel=1e-3)
    bare = re.sub(r'<svg.*?</svg>|<ul class="legend">.*?</ul>|<[^>]*data-metric[^>]*>[^<]*<|<[^>]*>', " ", page)
    assert not re.search(r"\d", bare), bare


def test_signals_are_drawn_with_gaps_and_labels_are_text():
    page = render_report(CLASSES)
    assert page.count("<polyline") == 5  # that of the first mistake in two parts
    assert "<p>–</p>" in page  # the signal without a step
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "channel 2 2 → 3 (min 2, max 3)" in page  # for those who don't see


def test_predictions_lie_beside_the_actual_values_with_their_residuals():
    page = render_report(NUMBERS)
    for title in ("Predicted against actual", "Residuals by predicted value", "How large residuals are"):
        assert f"<figcaption>{title}</figcaption>" in page
    assert page.count("<rect") == 2  # the histogram's only bar, and its sample


def test_filled_values_are_said():
    data = {"train": {"rows": 3, "missing": 0}, "valid": {"rows": 2, "missing": 0}}
    assert "A missing value is read as" not in render_report({"data": data})
    data["valid"]["missing"] = 1
    assert "A missing value is read as the one before it" in render_report({"data": data})


def test_nothing_known_nothing_shown():
    assert "<section>" not in render_report({})
