"""The demo's page: its numbers are demo.json's, and what came out otherwise than expected is said."""

import json
import re

import pytest

from penstock.report import render_demo


def evaluated(metrics, baselines):
    """A result of `Model.evaluate`."""
    ends = {name: [0.9 * value, 1.1 * value] for name, value in metrics.items()}
    difference = {name: {"value": -0.0625, "interval": [-0.125, -0.03125], "p": 0.0312} for name in metrics}
    return {
        "metrics": metrics,
        "baselines": baselines,
        "units": 92,
        "interval": ends,
        "baseline_intervals": dict.fromkeys(baselines, ends),
        "baseline_verdicts": dict.fromkeys(baselines, dict.fromkeys(metrics, "better")),
        "baseline_differences": dict.fromkeys(baselines, difference),
    }


@pytest.fixture
def results() -> dict:
    metrics = {"accuracy": 0.8369, "f1_macro": 0.8366, "log_loss": 0.4406}
    cell = {
        "path": "native",
        "updates": 100,
        "curve": [[0, 1.2], [50, 0.17], [100, 0.004]],
        "error": 0.0036,
        "gradient_before": [1.0, 1e-3, 1e-9],
        "gradient_after": [1.0, 0.5, 0.0],
        "seconds": 12.5,
    }
    return {
        "seconds": 78.2,
        "reviews": {
            "rows": {"train": 360, "test": 92},
            "scores": evaluated(metrics, {"tfidf": metrics, "majority": metrics}),
            "languages": {"en": 0.85, "zh": 0.82},
            "as_expected": True,
            "streams": [
                {"language": "zh", "pieces": [{"piece": "很", "positive": 0.5}, {"piece": "<b>", "positive": 0.25}]}
            ],
        },
        "sunspots": {
            "rows": {"train": 243, "test": 66},
            "horizon": 11,
            "origins": 56,
            "scores": evaluated(
                {"mae": 20.5, "mse": 800.25},
                {"naive": {"mae": 45.5, "mse": 3000.0}, "ridge": {"mae": 21.0, "mse": 810.0}},
            ),
            "fan": {
                "history_years": [1998, 1999],
                "history": [64.3, 93.3],
                "years": [2000, 2001],
                "actual": [119.6, 111.0],
                "forecast": [110.0, 105.0],
                "low": [90.0, 80.0],
                "high": [130.0, 135.0],
            },
            "as_expected": True,
        },
        "words": {
            "rows": {"train": 240, "test": 90},
            "scores": evaluated(metrics, {"statistics": metrics, "majority": metrics}),
            "as_expected": True,
            "stream": {
                "keyword": "stop",
                "said": [{"word": "go", "seconds": 0.9}, {"word": "stop", "seconds": 1.75}],
                "heard": [{"word": "stop", "seconds": 1.8, "score": 0.9}],
                "seconds": [0.5, 1.0, 1.5, 2.0],
                "scores": [0.0, 0.1, 0.4, 0.9],
                "as_expected": True,
            },
        },
        "adding": {
            "settings": {"steps": 100, "solved": 0.01, "unsolved": 0.1},
            "cells": {"rnn": cell | {"error": 0.2}, "lstm": cell, "gru": cell},
            "as_expected": {"rnn": True, "lstm": True, "gru": True},
        },
    }


def test_each_number_on_the_page_is_that_of_the_results(results):
    found = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)">([^<]+)<', render_demo(results))
    assert len(found) > 30
    for place, value, text in found:
        at = results
        for key in place.split("/")[1:]:
            at = at[int(key)] if isinstance(at, list) else at[key]
        assert json.loads(value) == at
        assert float(text.removesuffix(" s").replace(",", "")) == pytest.approx(at, rel=0.05, abs=0.5)
    places = {place for place, _, _ in found}
    for place in (
        "/adding/cells/rnn/error",
        "/adding/cells/gru/gradient_before/2",
        "/reviews/scores/baselines/tfidf/accuracy",
        "/reviews/scores/interval/accuracy/0",
        "/words/scores/baseline_intervals/majority/log_loss/1",
        "/sunspots/scores/baselines/ridge/mae",
        "/sunspots/scores/baseline_differences/naive/mae/p",
        "/words/stream/heard/0/seconds",
    ):
        assert place in places


def test_pieces_are_shown_and_escaped(results):
    page = render_demo(results)
    assert "很<small>" in page
    assert "&lt;b&gt;<small>" in page


def test_both_gradient_charts_and_the_curves_are_drawn(results):
    page = render_demo(results)
    for title in ("Validation error", "Before training", "After training", "A forecast and actual values"):
        assert f"<figcaption>{title}</figcaption>" in page
    assert page.count('class="line s2"><polyline') == 3  # the GRU's


def test_differing_results_are_reported(results):
    assert ">no</strong>" not in render_demo(results)
    results["adding"]["as_expected"]["gru"] = False
    for key in ("reviews", "sunspots", "words"):
        results[key]["as_expected"] = False
    results["words"]["stream"]["as_expected"] = False
    assert render_demo(results).count('<strong class="bad">no</strong>') == 5
