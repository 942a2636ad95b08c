"""Series from frames and files: which columns are read, and what of them can't be."""

import logging

import numpy as np
import pandas
import polars
import pytest

from penstock.datasets.readers import read_table
from penstock.errors import DataError
from penstock.panels.readers import read_series

TIMES = pandas.date_range("2024-01-01", periods=3, freq="h")


@pytest.mark.parametrize(
    "values", [pandas.array([1.0, None, 3.0], "Float64"), pandas.array([1, None, 3], "Int64"), [1.0, np.nan, 3.0]]
)
def test_frames_say_in_their_own_way_what_is_missing(values):
    panel = read_series(pandas.DataFrame({"ds": TIMES, "y": values}))
    np.testing.assert_array_equal(panel.series[0].values[:, 0], [1, np.nan, 3])
    times = polars.Series([1, None, 3])
    with pytest.raises(DataError, match="the column ds must have no gaps; row 2 is empty"):
        read_series(polars.DataFrame({"ds": times, "y": [1, 2, 3]}))
    with pytest.raises(DataError, match="the column of series must have no gaps; row 2 is empty"):
        read_series(pandas.DataFrame({"unique_id": pandas.array(["a", None, "a"], "string"), "ds": TIMES, "y": 1.0}))


def test_columns_by_name_may_be_of_any_kind():
    for times in (TIMES.to_numpy(), TIMES.to_series(), list(TIMES), [str(time) for time in TIMES]):
        for values in ([1, pandas.NA, 3], pandas.array([1, None, 3], "Int64"), np.array([1, np.nan, 3])):
            panel = read_series({"ds": times, "y": values})
            np.testing.assert_array_equal(panel.series[0].values[:, 0], [1, np.nan, 3])
    for column in (5, None, "abc", np.zeros((3, 2))):
        with pytest.raises(DataError, match="the column y must be a column of values"):
            read_series({"ds": TIMES.to_numpy(), "y": column})
    for name in ("ds", "unique_id"):
        with pytest.raises(DataError, match="row 2 is empty"):
            read_series({"unique_id": ["a"] * 3, "ds": [1, 2, 3], "y": [1, 2, 3]} | {name: [1, pandas.NA, 3]})


@pytest.mark.parametrize("columns", [{"target": ["y", "y"]}, {"known": ["y"]}, {"past": ["x"], "known": ["x"]}])
def test_a_column_has_one_part_to_play(columns):
    with pytest.raises(DataError, match=r"a covariate, once; [xy] is named twice"):
        read_series({"ds": [1, 2, 3], "y": [1, 2, 3], "x": [1, 2, 3]}, **columns)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", r"a.csv: is empty; expected names of columns, and rows"),
        ("a.jsonl", b"\n", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\n", "is empty"),
        ("a.json", b'[{"y": 1}, 2]', r"a\.json, line 1: row 2 must be a JSON object; got 2"),
        ("a.json", b'\n{\n"y": 1,}', r"a\.json, line 3: row 1 must be an object on each line, .*: (Expecting|Illegal)"),
        ("a.xlsx", b"PK\x03\x04", r"must end in one of \.csv"),
    ],
)
def test_what_is_not_a_table_is_said(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_series(path)
    with pytest.raises(DataError, match=message.replace("names of columns, and rows", "rows with the columns y")):
        read_table(path, ["y"])


DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]


def chosen(columns, **named):
    found = read_series(columns, **named)
    return found.time, found.id, list(found.targets)


@pytest.mark.parametrize("kind", [dict, pandas.DataFrame, polars.DataFrame])
def test_times_and_values_that_nobody_named_are_found(kind, caplog):
    caplog.set_level(logging.INFO, "penstock")
    assert chosen(kind({"Month": DAYS, "Passengers": [1, 2, 3, 4]})) == ("Month", None, ["Passengers"])
    message = "reading times from 'Month', values from 'Passengers'"
    assert [record.message for record in caplog.records] == [message]
    assert chosen(kind({"DS": DAYS, "y": [1, 2, 3, 4]})) == ("DS", None, ["y"])


def test_series_are_distinguished_by_the_only_column_that_does():
    twice = {"day": [*DAYS[:2], *DAYS[:2]], "shop": ["a", "a", "b", "b"], "sold": [1, 2, 3, 4]}
    assert chosen(twice) == ("day", "shop", ["sold"])
    with pytest.raises(DataError, match="each time must stand once"):  # two columns could
        chosen(twice | {"town": ["x", "x", "y", "y"]})
    assert chosen(twice | {"town": ["x", "x", "y", "y"]}, id="town") == ("day", "town", ["sold"])
    with pytest.raises(DataError, match="each time must stand once"):
        chosen(twice, id="")


def test_without_dates_or_by_wish_rows_are_steps():
    assert chosen({"n": [1, 2, 3, 4]}) == (None, None, ["n"])
    assert chosen({"day": DAYS, "n": [1, 2, 3, 4]}, time="") == (None, None, ["n"])


def test_what_was_done_to_the_rows_is_said(caplog):
    caplog.set_level(logging.INFO, "penstock")
    read_series({"ds": [DAYS[3], DAYS[0], DAYS[1]], "y": [1, None, 3]})
    assert [record.message for record in caplog.records] == [
        "rows out of order, sorted by time: 1",
        "missing rows at the start of a series, left out: 1",
        "missing steps, filled in: 1",
    ]


def test_irregular_times_that_nobody_named_may_be_left_out():
    days = ["2024-01-01", "2024-01-02", "2024-01-04 03:00", "2024-01-09"]
    with pytest.raises(
        DataError, match=r"times must lie .* To take each row for a step, whatever 'day' says: --time ''"
    ):
        read_series({"day": days, "n": [1, 2, 3, 4]})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": DAYS, "b": DAYS, "n": [1, 2, 3, 4]}, "the column of times may be 'a' or 'b'. Name it: --time COL"),
        ({"a": DAYS, "n": [1, 2, 3, 4], "m": [1, 2, 3, 4]}, "numbers may be 'n' or 'm'. Name it: --target"),
        ({"a": ["31.01.24", "01.02.24"], "n": [1, 2]}, "a may hold dates with years of two digits, such as 31.01.24"),
        ({"a": ["Jan-24", "Feb-24"], "n": [1, 2]}, "--time a --time-format %d.%m.%y"),
        ({"a": [202401, 202402], "n": [1, 2]}, "202401 to 202402 may be either"),
        ({"a": DAYS, "n": ["x", "y", "z", "w"]}, "has no column y, and none that looks like numbers"),
    ],
)
def test_several_columns_are_named(columns, message):
    with pytest.raises(DataError, match=message):
        read_series(columns)


def test_a_column_that_is_not_there_is_no_matter_of_times():
    with pytest.raises(DataError, match=r"has no column price; it has time, n$"):
        read_series({"time": DAYS, "n": [1, 2, 3, 4]}, target="price")


def test_a_time_format_finds_its_column_and_an_index_is_none():
    columns = {"Unnamed: 0": [0, 1], "": [0, 1], "day": ["31.01.24", "01.02.24"], "n": [1, 2]}
    assert chosen(columns, time_format="%d.%m.%y") == ("day", None, ["n"])


def test_numbers_like_days_are_times_where_they_differ():
    assert chosen({"when": [20240130, 20240131, 20240201], "n": [1.5, 2, 3]}) == ("when", None, ["n"])


def test_other_files_are_read_as_training_read_its_own():
    found = read_series({"d": ["01/02/2024", "13/02/2024"], "n": [1, 2]})
    assert found.columns == {"time": "d", "target": ["n"], "past": [], "known": [], "time_format": "day-first"}
    later = read_series({"d": ["03/02/2024", "04/02/2024"], "n": [1, 2]}, **found.columns)
    assert later.frequency.times(np.array([later.series[0].start]))[0] == np.datetime64("2024-02-03")
