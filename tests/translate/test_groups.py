"""Groups of translations by length, and the best and worst."""

import numpy as np

from penstock.translate.groups import best_and_worst, by_length
from penstock.translate.metrics import sentence_counts, translation_scores

REFERENCES = ["one"] * 4 + ["one two"] * 3 + ["one two three four five"] * 3
PREDICTED = ["one"] * 4 + ["two"] * 3 + ["one two three four six"] * 3


def test_groups_hold_each_sentence_once_and_one_length_stays_together() -> None:
    counts, lengths = sentence_counts(PREDICTED, REFERENCES), np.array([len(each.split()) for each in REFERENCES])

    found = by_length(lengths, counts)

    assert [(each["shortest"], each["longest"], each["rows"]) for each in found] == [(1, 1, 4), (2, 2, 3), (5, 5, 3)]
    assert found[1]["scores"] == translation_scores(counts[4:7].sum(axis=0))
    many = by_length(np.arange(100), np.repeat(counts, 10, axis=0))
    assert [each["rows"] for each in many] == [20] * 5
    assert many[-1]["longest"] == 99


def test_best_and_worst_show_each_source_once() -> None:
    sources = ["a", "a", "b", "longer", "c"]
    references = ["one", "one", "two", "three", "four"]
    predicted = ["one", "one", "owt", "three", "fourth"]

    found = best_and_worst(sources, predicted, references, sentence_counts(predicted, references))

    assert [each["source"] for each in found["worst"]] == ["b", "c"]
    assert [each["source"] for each in found["best"]] == ["longer", "a", "c", "b"]
    assert found["best"][0] == {"source": "longer", "target": "three", "prediction": "three", "chrf": 100.0}
