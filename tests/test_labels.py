"""The one rule for labels: what is one, which are the same class, how one is written."""

import enum
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DataError
from penstock.labels import LabelIndex, as_label, class_counts, label_key, label_texts, listed, near_equal


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def typed(labels):
    return [(type(label), label) for label in labels]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (np.str_("b"), "b"),
        (np.int8(3), 3),
        (np.uint64(2**63), 2**63),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (" good ", " good "),
        ("NaN", "NaN"),
        ("007", "007"),
        ("x" * 100_000, "x" * 100_000),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_a_label_is_a_plain_value_and_text_stays_as_it_is(value, label):
    assert typed([as_label(value)]) == typed([label])


@pytest.mark.parametrize(
    "value", [None, float("nan"), np.float32("nan"), "", " \t\n", "\u3000", pandas.NA, pandas.NaT], ids=repr
)
def test_none_nan_and_blanks_are_missing(value):
    assert as_label(value) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"good", "bytes.*decode it"),
        (date(2024, 1, 31), "date.*turn it into text"),
        (datetime(2024, 1, 31), "datetime"),
        (pandas.Timestamp("2024-01-31"), "Timestamp"),
        (np.datetime64("2024-01-31", "ns"), "datetime64"),
        (np.timedelta64(3, "ns"), "timedelta64"),
        (Decimal("1.5"), "Decimal"),
        (pandas.Interval(0, 1), "Interval"),
        (1j, "complex"),
        (("a", "b"), "tuple"),
        ({"a": 1}, "dict"),
        (float("inf"), "inf.*finite"),
        (10**5000, "beyond every float"),
        ("half \ud83d", "half a character"),
    ],
    ids=lambda value: "",
)
def test_what_is_not_a_label_is_refused_with_its_type(value, words):
    with pytest.raises(DataError, match=words):
        as_label(value)


def test_classes_are_counted_in_a_fixed_order():
    assert list(class_counts(["b", "a", "b"]).items()) == [("a", 1), ("b", 2)]
    assert list(class_counts(["11", 2, "9", 10, 2])) == [2, 10, "11", "9"]
    assert class_counts([True, False, True]) == {False: 1, True: 2}


@pytest.mark.parametrize("labels", [[1, 0, 1.0], [1.0, 0, 1]], ids=str)
def test_equal_numbers_are_one_class_whatever_comes_first(labels):
    counts = class_counts(labels)
    assert typed(counts) == typed([0, 1])
    assert list(counts.values()) == [1, 2]


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ([1, "1"], ["1", "'1'"]),
        (["1", 1], ["1", "'1'"]),
        ([1, "1.0"], ["1", "'1.0'"]),
        ([1.0, "1"], ["1.0", "'1'"]),
        ([0.5, "0.50"], ["0.5", "'0.50'"]),
        ([1e16, "1e+16"], ["1e+16", "'1e+16'"]),
        ([True, "True"], ["True", "'True'"]),
        ([True, "true"], ["True", "'true'"]),
        ([False, "FALSE"], ["False", "'FALSE'"]),
        ([True, 1], ["True", "1"]),
        ([1, True], ["True", "1"]),
        ([False, 0.0], ["False", "0.0"]),
    ],
    ids=str,
)
def test_two_ways_to_write_a_class_are_refused_and_both_named(labels, named):
    with pytest.raises(DataError) as caught:
        class_counts([*labels, "other"])
    for each in named:
        assert f" {each} (" in str(caught.value)


@pytest.mark.parametrize(
    "labels", [["1", "1.0"], ["007", 7], ["1_000", 1000], ["１", 1], [" 1", 1], ["yes", True], [True, 2]], ids=str
)
def test_labels_that_are_written_otherwise_are_classes_of_their_own(labels):
    assert len(class_counts(labels)) == 2


@pytest.mark.parametrize(
    ("labels", "message"), [(["x", "x"], "got only 'x'"), ([], "got none"), ([1, 1.0], "got only 1")]
)
def test_one_class_is_refused(labels, message):
    with pytest.raises(DataError, match=f"at least two classes; {message}"):
        class_counts(labels)


@pytest.mark.parametrize(
    ("classes", "given", "places"),
    [
        (["0", "1"], [1, 1.0, "1", np.int64(0), np.float64(0)], [1, 1, 1, 0, 0]),
        ([0, 1], ["1", "1.0", 1.0, "0"], [1, 1, 1, 0]),
        ([0.5, 2.0], ["0.5", "2", "2.0", 2], [0, 1, 1, 1]),
        (["1", "1.0"], [1, 1.0, "1"], [0, 1, 0]),
        ([False, True], ["true", "True", "FALSE", np.bool_(True)], [1, 1, 0, 1]),
        (["false", "true"], [True, False], [1, 0]),
        ([1, "1"], ["1", 1], [1, 0]),  # as early versions saved them
    ],
    ids=str,
)
def test_a_class_is_found_by_any_way_to_write_it(classes, given, places):
    assert LabelIndex(classes).places(given, "labels") == places


@pytest.mark.parametrize(
    ("classes", "label"),
    [
        ([False, True], 1),
        ([False, True], "1"),
        ([0, 1], True),
        (["007", "8"], 7),
        (["good", "bad"], "Good"),
        (["1.00", "1.000"], 1),  # which of the two is not said
        ([0, 1], "9" * 5000),
    ],
    ids=lambda value: f"{value!r:.30}",
)
def test_what_is_another_class_is_not_found(classes, label):
    assert LabelIndex(classes).find(label) is None


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("good ", "'good ' differs from 'good' only in blanks"),
        ("Good", "'Good' differs from 'good' only in case"),
        ("cafe\u0301", "differs from 'café' only in how it is written"),
        ("1.0", "'1.0' differs from '1' only in how it is written"),
        (None, "number 1 is missing"),
        (b"good", "number 1 is b'good'"),
        ("x" * 1000, "got also 'x{58}…"),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_unknown_labels_are_named_with_what_they_resemble(label, words):
    with pytest.raises(DataError, match=words) as caught:
        LabelIndex(["good", "café", "1"]).places(["good", label], "labels")
    assert len(str(caught.value)) < 300


def test_a_thousand_classes_make_a_short_message():
    with pytest.raises(DataError, match="and 992 more; got also 'x'") as caught:
        LabelIndex([f"class {number}" for number in range(1000)]).places(["x"], "labels")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("labels", "pairs"),
    [
        (["a", "b", "A"], [("a", "A")]),
        (["a", "a "], [("a", "a ")]),
        (["new york", "new  york", "new\u00a0york"], [("new york", "new  york"), ("new york", "new\u00a0york")]),
        (["é", "e\u0301"], [("é", "e\u0301")]),
        (["straße", "STRASSE"], [("straße", "STRASSE")]),
        (["ＡＢ", "ab"], [("ＡＢ", "ab")]),
        (["a", "a\u200b"], [("a", "a\u200b")]),
        (["1", "1.0"], [("1", "1.0")]),
        (["NaN", "nan"], [("NaN", "nan")]),
        ([True, "true "], [(True, "true ")]),
        (["a", "b", "ab", 1, 2, "v1", "1-1", "I", "l"], []),
    ],
    ids=str,
)
def test_labels_that_may_be_meant_to_be_one_are_found(labels, pairs):
    assert near_equal(labels) == pairs


LABELS = st.one_of(st.text(max_size=4), st.sampled_from(["1", "1.0", "true", "True"]), st.booleans(), st.integers())
LABELS |= st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(LABELS, min_size=2, max_size=8))
def test_whatever_can_be_trained_on_can_be_evaluated_typed_and_as_text(values):
    labels = [label for value in values if (label := as_label(value)) is not None]
    try:
        classes = list(class_counts(labels))
    except DataError:
        return
    texts = label_texts(classes)
    assert texts == [str(label) for label in classes]
    assert len(set(texts)) == len(classes)
    index = LabelIndex(classes)
    places = index.places(labels, "labels")
    assert [label_key(classes[place]) for place in places] == [label_key(label) for label in labels]
    assert index.places(texts, "labels") == list(range(len(classes)))  # as a CSV file would hold them


def test_texts_of_classes_that_an_early_version_saved_are_distinguished():
    assert label_texts([1, "1", "good"]) == ["1", "'1'", "good"]


def test_long_lists_and_values_are_cut():
    assert listed(list(range(12)), 3) == "0, 1, 2 and 9 more"
    assert len(listed(["x" * 1000])) == 60
