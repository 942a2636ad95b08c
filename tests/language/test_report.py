"""The report of a language model."""

import json
import re

import pytest

from penstock.language.report import render_report

METRICS = {
    "task": "language-model",
    "data": {"level": "word"},
    "test": {"rows": 9, "nats": 2.0, "perplexity": 7.389, "bits_per_character": 1.2},
    "passages": [
        {"tokens": ["the", "<cat>", "sat", "↵"], "gaps": ["", " ", " ", " ", "\n"], "surprisal": [0.5, 5.0, 1.5, 9.0]}
    ],
    "surprisal_levels": [1.0, 2.0, 6.0],
    "samples": [{"temperature": 0.5, "prompt": "the dog", "text": "sat <on> it"}],
}


def test_the_least_expected_tokens_are_coloured():
    page = render_report(METRICS)
    marks = re.findall(r'<mark class="(lo\d)" title="surprisal ([\d.]+) nats">([^<]*)</mark>', page)
    assert marks == [("lo2", "5.00", "&lt;cat&gt;"), ("lo1", "1.50", "sat"), ("lo3", "9.00", "↵")]


def test_samples_have_their_temperature():
    page = render_report(METRICS)
    assert 'data-metric="/samples/0/temperature" data-value="0.5">0.5<' in page
    assert "the dog" in page
    assert "sat &lt;on&gt; it" in page


@pytest.mark.parametrize("level", ["char", "byte", "word", "bpe", "notes"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_counted_is_said(level, language):
    said = {each: render_report(METRICS | {"data": {"level": each}}, language=language) for each in (level, "other")}
    title = {"en": "What is counted", "zh": "计数方式"}[language]
    assert title in said[level]
    assert title not in said["other"]


def test_a_sample_from_which_ngrams_were_made_is_named():
    sampled = {"baseline": {"kneser_ney": {"settings": {"order": 5, "tokens": 2_097_152}}}}
    place = 'data-metric="/baseline/kneser_ney/settings/tokens" data-value="2097152">2,097,152<'
    assert place in render_report(METRICS | sampled)
    assert "n-grams were made of" not in render_report(METRICS)


def test_a_fitted_model_has_all_cards(fitted):
    metrics = json.loads(json.dumps(fitted.metrics_))
    page = render_report(metrics, title="cat")
    for heading in ("What surprised the model", "What the model writes", "What is counted"):
        assert heading in page
    assert len(metrics["samples"]) == 3
