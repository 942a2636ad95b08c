"""The page of a comparison: its numbers are those of the figures, in both languages."""

import json
import re

import pytest

from penstock.report import render_comparison


@pytest.fixture
def figures(metrics):
    """A comparison with everything that a page can show."""
    model = {"name": "one <b>", "fingerprint": "ab" * 32, "network": metrics["network"], "parameters": 123456}
    line = {"row": 3, "text": "x" * 100 + "<script>", "truth": "positive", "prediction_a": "negative"}
    line |= {"probability_a": 0.875, "prediction_b": "positive", "probability_b": 0.625}
    scores = {"accuracy": 0.8375, "log_loss": 0.4127}
    ends = {"accuracy": [0.7412, 0.9021], "log_loss": None}
    return {
        "task": "text-classification",
        "models": {"a": model | {"bytes": 4321}, "b": model | {"name": "two", "bytes": 5432}},
        "rows": 80,
        "units": 20,
        "metrics": {"a": scores, "b": scores},
        "interval": {"a": ends, "b": ends},
        "difference": {name: {"value": 0.025, "interval": [0.0012, 0.0375], "p": 0.0437} for name in scores},
        "verdict": {"accuracy": "better", "log_loss": "no clear difference"},
        "mcnemar": {"both": 41, "only_a": 13, "only_b": 9, "neither": 17, "p": 0.5235},
        "calibration": dict.fromkeys("ab", metrics["reliability"]),
        "speed": {
            "predictions": 256,
            "rounds": 11,
            "threads": 2,
            "a": {"per_second": 1234.5, "range": [1111.0, 1333.0]},
            "b": {"per_second": 2345.6, "range": [2222.0, 2444.0]},
            "ratio": {"value": 0.53, "range": [0.51, 0.57]},
        },
        "disagreements": {"rows": 22, "share": 0.275, "shown": [line]},
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_number_is_that_of_the_figures(figures, language):
    page = render_comparison(figures, language=language)
    found = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)"', page)
    assert len(found) > 50
    for place, value in found:
        at = json.loads(json.dumps(figures))
        for key in place.split("/")[1:]:
            at = at[int(key)] if isinstance(at, list) else at[key]
        assert json.loads(value) == at, place
    places = {place for place, _ in found}
    for place in (
        "/metrics/b/accuracy", "/interval/a/accuracy/0", "/difference/accuracy/p", "/mcnemar/p", "/models/b/bytes",
        "/calibration/b/ece", "/speed/a/per_second", "/speed/ratio/value", "/disagreements/share",
        "/disagreements/shown/0/probability_b",
    ):  # fmt: skip
        assert place in places, place
    assert "<script>" not in page
    assert "one <b>" not in page


def test_what_was_not_measured_is_left_out(figures):
    figures |= {"mcnemar": None, "calibration": None, "disagreements": {"rows": 0, "share": 0.0, "shown": []}}
    page = render_comparison(figures)
    assert "McNemar" not in page
    assert "Calibration" not in page
    assert "The models agree on every row." in page
