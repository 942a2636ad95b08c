"""Tables of every package are known as such, and their columns found by name."""

import sys

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from penstock.datasets.frames import is_table, package_of, table_column, table_names, tabular
from penstock.errors import DataError, MissingExtraError

FRAME = pandas.DataFrame({"a": [1, 2], 7: ["x", "y"]})


class OfAnotherPackage:
    """An object with Arrow's stream, as DuckDB and others have it."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class DerivedFrame(pandas.DataFrame):
    pass


ARROW = pyarrow.table({"a": [1, 2], "7": ["x", "y"]})
TABLES = {
    "pandas": FRAME,
    "derived": DerivedFrame(FRAME),
    "polars": polars.DataFrame({"a": [1, 2], "7": ["x", "y"]}),
    "arrow": ARROW,
    "batch": ARROW.to_batches()[0],
    "stream": OfAnotherPackage(ARROW),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_have_names_and_columns(kind):
    assert is_table(TABLES[kind])
    table = tabular(TABLES[kind])
    assert table_names(table) == ["a", "7"]
    assert list(np.asarray(table_column(table, "7"))) == ["x", "y"]
    assert package_of(table) == {"derived": "pandas", "batch": "pyarrow", "stream": "pyarrow", "arrow": "pyarrow"}.get(
        kind, kind
    )


def test_a_stream_of_batches_is_read_once():
    assert tabular(ARROW.to_reader()).equals(ARROW)


@pytest.mark.parametrize(
    "other",
    [[1], {"a": [1]}, np.zeros((2, 2)), "a", FRAME["a"], FRAME.index, polars.Series([1]), pyarrow.array([1])],
    ids=lambda other: type(other).__name__,
)
def test_columns_and_other_data_are_no_tables(other):
    assert not is_table(other)


def test_what_is_wrong_with_a_table_is_said(monkeypatch):
    with pytest.raises(DataError, match=r"LazyFrame has no rows yet: call collect\(\)"):
        tabular(polars.LazyFrame({"a": [1]}))
    with pytest.raises(DataError, match=r"the table has no column A .did you mean 'a'..; it has a, 7"):
        table_column(FRAME, "A")
    for twice in (FRAME[["a", "a"]], pyarrow.Table.from_arrays([[1], [2]], ["a", "a"])):
        with pytest.raises(DataError, match="the table has the column a more than once: a, a"):
            table_column(twice, "a")
    with pytest.raises(DataError, match="OfAnotherPackage can't be read as a table of Arrow"):
        tabular(OfAnotherPackage(pyarrow.chunked_array([[1]])))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert tabular(FRAME) is FRAME
    with pytest.raises(MissingExtraError, match=r"pip install 'penstock\[data\]'"):
        tabular(TABLES["stream"])
