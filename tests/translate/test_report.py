"""The report of a translator shows what metrics.json holds, in both languages."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from penstock.translate.report import render_report

SENTENCE = {"source": "Zwei <b>", "target": "Two & three", "prediction": "Two", "chrf": 41.25}
METRICS: dict[str, Any] = {
    "task": "translation",
    "valid": {"rows": 4, "bleu": 12.5, "chrf": 33.3, "exact_match": 0.25},
    "test": None,
    "baseline": {},
    "signatures": {"bleu": "nrefs:1|tok:13a|version:2", "chrf": "nrefs:1|nc:6|version:2"},
    "by_length": {
        "part": "valid",
        "bins": [
            {"shortest": 1, "longest": 3, "rows": 2, "scores": {"bleu": 20.5, "chrf": 40.5, "exact_match": 0.5}},
            {"shortest": 4, "longest": 9, "rows": 2, "scores": {"bleu": 10.5, "chrf": 30.5, "exact_match": 0.0}},
        ],
    },
    "alignments": {
        "part": "valid",
        "sentences": [
            {"source": ["Zwei", " ", "</s>"], "target": ["Two", "</s>"], "weights": [[0.75, 0.25, 0], [0, 0, 1]]}
        ],
    },
    "sentences": {"part": "valid", "worst": [SENTENCE], "best": [SENTENCE | {"chrf": 99.5}]},
}


class Marks(HTMLParser):
    """Collects the texts of elements with a place in the metrics."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open = dict(attributes).get("data-metric")
        if self.open:
            self.found[self.open] = ""

    def handle_data(self, data: str) -> None:
        if self.open:
            self.found[self.open] += data

    def handle_endtag(self, tag: str) -> None:
        self.open = None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_the_figures(language: str) -> None:
    page = render_report(json.loads(json.dumps(METRICS)), title="de-en", language=language)
    found = Marks(page).found

    assert found["/signatures/bleu"] == "nrefs:1|tok:13a|version:2"
    assert found["/by_length/bins/0/longest"] == "3"
    assert found["/by_length/bins/1/scores/chrf"] == "30.5000"
    assert found["/sentences/worst/0/source"] == "Zwei <b>"
    assert found["/sentences/worst/0/target"] == "Two & three"
    assert found["/sentences/best/0/chrf"] == "99.5"
    assert "<b>" not in page
    assert re.findall(r"--share:([\d.]+)", page) == ["0.750", "0.250", "0.000", "0.000", "0.000", "1.000"]
    assert "␣" in page
    assert ("参考译文" in page) == (language == "zh")


@pytest.mark.parametrize("key", ["signatures", "by_length", "alignments", "sentences"])
def test_what_was_not_measured_is_left_out(key: str) -> None:
    page = render_report({name: value for name, value in METRICS.items() if name != key})

    assert f'data-metric="/{key}' not in page
    assert "<h1>" in page
