"""Parquet is read in batches, with texts as indices: the rows must be those that PyArrow reads at once."""

import json

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from penstock.datasets.parquet import parquet_head, parquet_rows, read_parquet

ROWS = 2500  # more than two batches


def words(count, seed):
    draw = np.random.default_rng(seed)
    return [None if draw.random() < 0.1 else f"w{draw.integers(40)}" for _ in range(count)]


def lists():
    draw = np.random.default_rng(0)
    return [None if draw.random() < 0.1 else words(draw.integers(0, 5), row) for row in range(ROWS)]


COLUMNS = {
    "texts": lambda: arrow.array(words(ROWS, 0)),
    "lists": lambda: arrow.array(lists()),
    "large lists": lambda: arrow.array(lists(), arrow.large_list(arrow.large_string())),
    "lists of one length": lambda: arrow.array([["a", None], ["b", "c"]] * (ROWS // 2), arrow.list_(arrow.string(), 2)),
    "lists of lists": lambda: arrow.array([[each, None, []] for each in lists()]),
    "structs": lambda: arrow.array([{"a": each, "b": 1.5} if each != "w3" else None for each in words(ROWS, 1)]),
    "lists of structs": lambda: arrow.array([[{"a": each}] * (row % 3) for row, each in enumerate(words(ROWS, 2))]),
    "maps": lambda: arrow.array(
        [[(f"k{row % 5}", each)] * (row % 3) for row, each in enumerate(words(ROWS, 3))],
        arrow.map_(arrow.string(), arrow.string()),
    ),
    "bytes": lambda: arrow.array([[b"a", None]] * ROWS),
    "dictionary": lambda: arrow.array(words(ROWS, 4)).dictionary_encode(),
    "numbers": lambda: arrow.array([[1, None, row] for row in range(ROWS)]),
    "JSON": lambda: arrow.array([json.dumps([row]) for row in range(ROWS)], arrow.json_()),
    "bytes of one length": lambda: arrow.array([b"ab", None] * (ROWS // 2), arrow.binary(2)),
    "decimals": lambda: arrow.array(list(range(ROWS))).cast(arrow.decimal128(25, 2)),
}


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"dictionary_pagesize_limit": 100}], ids=str)
@pytest.mark.parametrize("group", [700, ROWS])
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_read_as_by_pyarrow(tmp_path, name, group, options):
    column, path = COLUMNS[name](), tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"a.b": column, "n": range(ROWS)}), path, row_group_size=group, **options)
    assert read_parquet(path, ["a.b"]) == {"a.b": column.to_pylist()}
    assert parquet_head(path, 3) == {"a.b": column[:3].to_pylist(), "n": [0, 1, 2]}


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_differences_are_read_as_by_pyarrow(tmp_path, encoding):
    for column, leaf in ((arrow.array(words(ROWS, 0)), "a"), (arrow.array(lists()), "a.list.element")):
        table = arrow.table({"a": column})
        parquet.write_table(table, tmp_path / "a.parquet", use_dictionary=False, column_encoding={leaf: encoding})
        assert read_parquet(tmp_path / "a.parquet", ["a"]) == {"a": column.to_pylist()}


def test_a_table_without_rows(tmp_path):
    parquet.write_table(arrow.table({"a": arrow.array([], arrow.string())}), tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet", ["a"]) == {"a": []}
    assert parquet_rows(tmp_path / "a.parquet") == 0
