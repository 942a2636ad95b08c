"""Columns of every kind become plain lists; classes are counted."""

import sys

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from penstock.datasets import Rows, as_labels, as_texts, text_table
from penstock.errors import DataError, MissingExtraError

COLUMNS = {
    "list": list,
    "tuple": tuple,
    "generator": iter,
    "numpy": lambda values: np.array(values, object),
    "pandas": pandas.Series,
    "pandas-string": lambda values: pandas.Series(values, dtype="string"),
    "pandas-category": lambda values: pandas.Series(values, dtype="category"),
    "polars": polars.Series,
    "arrow": pyarrow.array,
    "arrow-chunks": lambda values: pyarrow.chunked_array([values[:1], values[1:]]),
}


@pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)
def test_texts_of_every_kind_of_column(make):
    assert as_texts(make(["好", None, "b"])) == ["好", None, "b"]


@pytest.mark.parametrize("make", [list, np.array, pandas.Series, polars.Series, pyarrow.array])
@pytest.mark.parametrize("values", [["a", "b"], [3, 1], [True, False], [0.5, 1.0]])
def test_labels_keep_their_types(make, values):
    labels = as_labels(make(values))
    assert [(type(label), label) for label in labels] == [(type(label), label) for label in values]


def test_missing_labels_are_none():
    assert as_labels(["a", None, float("nan"), " ", np.int64(3), np.str_("b")]) == ["a", None, None, None, 3, "b"]
    assert as_labels(pandas.Series([1, None], dtype="Int64")) == [1, None]
    assert as_labels(polars.Series([1, None])) == [1, None]


def test_a_table_drops_and_counts():
    table = text_table(np.array(["a", "", "c", "d"]), pandas.Series([1, 2, 3, None], dtype="Int64"))
    assert table == Rows(["a", "c"], [1, 3], {"no text": 1, "no label": 1})
    assert table.kept.tolist() == [0, 2]
    assert text_table(["a", None]) == Rows(["a"], None, {"no text": 1})


def test_half_a_character_is_replaced():
    assert as_texts(["好\ud83d", "😀"]) == ["好\ufffd", "😀"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b"], ["x"], "the same length; got 2 texts and 1 labels"),
        ([], [], "no rows are left to use: there are no rows"),
        (["", None], ["x", "y"], "2 rows with no text"),
        ("a text", ["x"], "texts must be a list or a column; got a single str"),
        (["a", 3], ["x", "y"], r"number 1 is 3 \(int\)"),
        (["a"], [object], "labels must be words or numbers"),
        (5, None, "texts must be a list or a column; got int"),
        ({"a": 1}, None, "must be one column; got dict"),
        (np.array([["a"]]), None, "must be one column; got ndarray"),
        (pandas.DataFrame({"a": ["b"]}), None, "must be one column; got DataFrame"),
        (polars.DataFrame({"a": ["b"]}), None, "must be one column; got DataFrame"),
    ],
)
def test_what_is_not_a_column_is_refused(texts, labels, message):
    with pytest.raises(DataError, match=message):
        text_table(texts, labels)


def test_without_narwhals_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)
    assert as_texts(["a"]) == ["a"]
    assert as_texts(pandas.Series(["a", None])) == as_texts(polars.Series(["a", None])) == ["a", None]

    class OfAnotherPackage:
        dtype = "str"

        def to_list(self):
            return ["a"]

    with pytest.raises(MissingExtraError, match=r"pip install 'penstock\[data\]'"):
        as_texts(OfAnotherPackage())


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
@pytest.mark.parametrize(
    "kind", [np.array, list, lambda values: np.array(values, object)], ids=["array", "list", "object"]
)
def test_dates_are_not_labels_in_any_unit(kind, unit):
    # As plain values those of nanoseconds would be whole numbers.
    with pytest.raises(DataError, match="dates or durations like 2024-01-31"):
        as_labels(kind([np.datetime64("2024-01-31", unit)]))


def test_a_set_is_not_a_column():
    with pytest.raises(DataError, match="set, which has no order"):
        as_labels({"a", "b"})
    assert as_labels({"a": 1, "b": 2}.keys()) == ["a", "b"]


@pytest.mark.parametrize(
    "column",
    [
        pandas.Index(["a", "b"]),
        pandas.CategoricalIndex(["a", "b"]),
        pandas.Categorical(["a", "b"], categories=["b", "c", "a"]),
        polars.Series(["a", "b"], dtype=polars.Categorical),
        pyarrow.array(["a", "b"]).dictionary_encode(),
    ],
    ids=lambda column: type(column).__name__,
)
def test_labels_of_indices_and_categories_are_their_values(column):
    assert as_labels(column) == ["a", "b"]
