"""What is measured of a tagger, and its report."""

import html
import re

import numpy as np
import pytest

import penstock
from penstock.errors import DataError
from penstock.report import Words
from penstock.tagging.judging import tag_places
from penstock.tagging.report import render_report


def test_chunks_are_counted_beside_both_baselines(tagger) -> None:
    metrics = tagger.metrics_
    assert list(metrics["baseline"]) == ["crf", "most_frequent_tag"]
    assert metrics["main_baseline"] == "crf"
    assert metrics["test"]["rows"] == metrics["units"]["test"] == 12
    assert set(metrics["test"]) == {"rows", "f1", "precision", "recall", "accuracy", "accuracy_unknown"}
    assert metrics["verdict"]["test"].keys() == metrics["test"].keys() - {"rows"}
    types = {row["label"]: row["rows"] for row in metrics["per_class"]["test"]}
    assert types == {"GOD": 1, "LOC": 12, "PER": 11}
    assert metrics["data"]["changed"] == {"broken tags, repaired": 1, "tags unseen in training, counted as errors": 1}


def test_an_unseen_tag_is_an_error_of_any_prediction(tagger, test_sentences) -> None:
    found = tagger.model_.evaluate(*test_sentences)
    assert found["metrics"] == {name: tagger.metrics_["test"][name] for name in found["metrics"]}
    assert found["metrics"]["recall"] <= 23 / 24
    assert found["baselines"]["crf"]["recall"] <= 23 / 24
    assert tagger.score(*test_sentences) == found["metrics"]["f1"]


def test_confusions_are_of_types_without_places(tagger) -> None:
    found = tagger.metrics_["confusion"]
    assert found["labels"] == ["O", "LOC", "PER"]
    truth = np.array(found["matrix"]).sum(axis=1)
    assert truth.tolist() == [36, truth[1], 11]


def test_worst_sentences_come_first_with_their_spans(tagger) -> None:
    worst = tagger.metrics_["sentences"]
    assert [each["errors"] for each in worst] == sorted((each["errors"] for each in worst), reverse=True)
    first = next(each for each in worst if each["row"] == 0)
    assert first["tokens"][0] == "Mars"
    assert first["truth"][0] == ["GOD", 0, 1]


def test_places_of_unseen_tags_count_back_from_the_end() -> None:
    unseen = ["X"]
    places = tag_places(["B", "Y", "A", "X", "Y"], ["A", "B"], unseen)
    assert places.tolist() == [1, -2, 0, -1, -2]
    names = ["A", "B", *reversed(unseen)]
    assert [names[place] for place in places] == ["B", "Y", "A", "X", "Y"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_marks_spans_and_names_what_was_repaired(tagger, language: str) -> None:
    page = render_report(tagger.metrics_, language=language)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    words = Words(language)
    for key in ("tags.types", "tags.worst", "metric.f1", "baseline.crf", "change.broken tags, repaired"):
        assert words(key) in text
    assert re.search(r'<mark class="bad">Mars<small>GOD</small></mark>', page)
    assert "<script" not in page


def test_tags_that_are_no_chunks_are_counted_by_tag(tagger) -> None:
    """The same network, whose tags are taken as they are."""
    from copy import copy

    model = copy(tagger.model_)
    model.features = copy(model.features)
    model.features.scheme = None
    found = model.evaluate([["Ada", "sings"]], [["S-PER", "B-PER"]])
    assert set(found["metrics"]) == {"accuracy"}


def test_tags_must_be_as_many_as_tokens_and_of_the_scheme(tagger) -> None:
    with pytest.raises(DataError, match="input 0 has 2 steps and 1 labels"):
        tagger.model_.evaluate([["Ada", "sings"]], [["O"]])
    with pytest.raises(DataError, match="a tag of the scheme BIO must be O, or one of B, I"):
        tagger.model_.evaluate([["Ada", "sings"]], [["NOUN", "VERB"]])


def test_two_taggers_are_compared_sentence_by_sentence(tagger, saved_tagger, test_sentences) -> None:
    ours, theirs = tagger.model_.pair(penstock.load(saved_tagger), *test_sentences)
    assert ours.metrics == theirs.metrics
    np.testing.assert_array_equal(ours.predicted, theirs.predicted)
    assert ours.labels[ours.truth[0]] == "S-GOD"
