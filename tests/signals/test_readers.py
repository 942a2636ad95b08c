"""Signals from tables: a row a step or a row a signal, from files and from frames."""

import json

import numpy as np
import pandas
import polars
import pytest

from penstock.errors import ConfigError, DataError
from penstock.signals.readers import read_signal_rows, read_signals
from penstock.signals.tables import signal_table

LONG = """case,label,t,x,y
a,up,2,3,30
a,up,1,1,10
b,down,1,5,
b,down,2,6,60
b,down,3,7,70
"""


@pytest.fixture
def write(tmp_path):
    def file(text, name="signals.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return file


def read_long(path, **changed):
    return read_signals(path, **({"series": ["x", "y"], "label": "label", "id": "case", "time": "t"} | changed))


def test_rows_are_steps_of_the_signal_with_their_id(write):
    rows = read_long(write(LONG))
    assert rows.answers == ["up", "down"]
    np.testing.assert_array_equal(rows.inputs[0], [[1, 10], [3, 30]])
    np.testing.assert_array_equal(rows.inputs[1], [[5, np.nan], [6, 60], [7, 70]])


def test_without_a_time_steps_come_as_in_the_file(write):
    np.testing.assert_array_equal(read_long(write(LONG), time=None).inputs[0], [[3, 30], [1, 10]])


def test_without_an_answer_signals_alone(write):
    rows = read_long(write(LONG), label=None)
    assert (len(rows), rows.answers) == (2, None)


def test_a_pattern_means_columns_but_not_those_of_other_use(write):
    rows = read_signals(write(LONG.replace("label", "yes")), series=["?", "y*"], label="yes", id="case", time="t")
    assert rows.inputs[0].shape == (2, 2)
    marked = LONG.replace("x,y", "y1,y[1]")
    assert read_signals(write(marked), series=["y[1]"], id="case").inputs[0][:, 0].tolist() == [30, 10]  # a name first


def test_steps_with_labels_of_their_own(write):
    path = write("date,v,on\n2024-05-01 00:01,1,0\n2024-05-01T00:00,2,1\n2024-05-02,3,0\n")
    rows = read_signals(path, series=["v"], label="on", time="date")
    assert rows.answers == [["1", "0", "0"]]
    np.testing.assert_array_equal(rows.inputs[0], [[2], [1], [3]])


def test_numbers_to_predict(write):
    text = LONG.replace("up", "1.5").replace("down", "")
    assert read_long(write(text), label=None, target="label").answers == [1.5, None]


def test_a_row_is_a_signal_without_ids_and_times(write):
    rows = read_signals(write("v1,v2,v3,label\n1,2,3,a\n4,NA,,b\n"), series=["v*"], label="label")
    assert rows.answers == ["a", "b"]
    np.testing.assert_array_equal(rows.inputs[0], [[1], [2], [3]])
    np.testing.assert_array_equal(rows.inputs[1], [[4]])


def test_a_column_of_lists(write):
    lines = [{"s": [1, 2], "label": "a"}, {"s": [[1], [2], [3]], "label": "b"}]
    path = write("\n".join(map(json.dumps, lines)), "signals.jsonl")
    assert [each.shape for each in read_signals(path, series=["s"], label="label").inputs] == [(2, 1), (3, 1)]


@pytest.mark.parametrize("library", [pandas, polars], ids=["pandas", "polars"])
def test_frames(library, write):
    frame = library.read_csv(write(LONG))
    expected = read_long(write(LONG))
    rows = signal_table(frame, series=["x", "y"], answer="label", id="case", time="t")
    assert rows.answers == expected.answers
    for found, other in zip(rows.inputs, expected.inputs, strict=True):
        np.testing.assert_array_equal(found, other)
    with pytest.raises(DataError, match="has no column z; it has case, label"):
        signal_table(frame, series=["z"], id="case")


def test_dates_are_sorted_by_what_they_are_in_utc():
    table = {
        "t": ["2024-10-27T02:50+02:00", "2024-10-27T02:10+01:00", "2024-10-27T02:50+01:00", "2024-10-27T02:10+02:00"],
        "x": [2, 3, 4, 1],
    }
    np.testing.assert_array_equal(signal_table(table, series=["x"], time="t").inputs[0][:, 0], [1, 2, 3, 4])
    table["t"][1] = "2024-10-27T02:10"
    with pytest.raises(DataError, match=r"an offset from UTC in all rows or in none; .* row 2 '2024-10-27T02:10'"):
        signal_table(table, series=["x"], time="t")


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        ("x", [1], r"the column x must hold numbers; row 2 has \[1\]"),
        ("x", 10**400, "the column x must hold finite numbers; row 2 has 1000"),
        ("t", 10**400, "the column t must hold numbers.* row 2 has 1000"),
        ("case", [1], r"a signal id in each row; row 2 has \[1\]"),
        ("case", float("nan"), "a signal id in each row; row 2 has nothing"),
    ],
    ids=["list", "huge number", "huge time", "list of ids", "no id"],
)
def test_cells_of_another_kind_are_named(write, name, cell, message):
    rows = [{"case": "a", "t": 1, "x": 1}, {"case": "a", "t": 2, "x": 2} | {name: cell}]
    with pytest.raises(DataError, match=message):
        read_signals(write("\n".join(map(json.dumps, rows)), "a.jsonl"), series=["x"], id="case", time="t")
    for row in rows:
        row["x"] = [1.0]
    with pytest.raises(DataError, match="must hold numbers"):
        signal_table({key: [row[key] for row in rows] for key in ("t", "x")}, series=["x"], time="t")


def test_columns_of_unequal_lengths_are_refused():
    with pytest.raises(DataError, match="the same length; got 3 of x, 2 of case"):
        signal_table({"x": [1, 2, 3], "case": ["a", "a"]}, series=["x"], id="case")


def test_frames_say_in_their_own_way_what_is_missing():
    frame = pandas.DataFrame({"case": ["a", "a", "b"], "x": pandas.array([1.0, None, 3.0], "Float64")})
    np.testing.assert_array_equal(signal_table(frame, series=["x"], id="case").inputs[0][:, 0], [1, np.nan])
    frame["case"] = pandas.array(["a", None, "b"], "string")
    with pytest.raises(DataError, match="row 2 has nothing"):
        signal_table(frame, series=["x"], id="case")


@pytest.mark.parametrize(
    ("text", "changed", "error", "message"),
    [
        (LONG, {"series": None}, ConfigError, "name the columns of the series"),
        (LONG, {"series": ["z"]}, DataError, "has no column z; it has case"),
        (LONG.replace(",30", ",warm"), {}, DataError, "signals.csv: the column y must hold numbers; row 1 has 'warm'"),
        (LONG.replace(",30", ",inf"), {}, DataError, "the column y must hold finite numbers; row 1 has 'inf'"),
        (LONG.replace("b,down,2", ",down,2"), {}, DataError, "a signal id in each row; row 4 has nothing"),
        (
            LONG.replace("a,up,1", "a,up,2"),
            {},
            DataError,
            "a different time for each step of signal 'a'; 2 occurs 2 times",
        ),
        (
            LONG.replace("a,up,1", "a,up,soon"),
            {},
            DataError,
            r"the column t must hold numbers, or dates.*row 2 has 'soon'",
        ),
        (LONG.replace("a,up,1", "a,up,"), {}, DataError, "row 2 has None"),
        (LONG.replace("a,up,1", "a,up," + "9" * 400), {}, DataError, "must hold numbers, or dates.* row 2 has '999"),
        (
            LONG,
            {"id": None},
            DataError,
            "a different time for each step; 1 occurs 2 times. If there are several signals",
        ),
        (LONG, {"label": None, "target": "label"}, DataError, "the column label must hold numbers; row 1 has 'up'"),
        ("case,label,t,x,y\n", {}, DataError, "has columns, but no rows"),
        ("", {}, DataError, "is empty"),
    ],
)
def test_wrong_files_say_where(write, text, changed, error, message):
    with pytest.raises(error, match=message):
        read_long(write(text), **changed)


@pytest.mark.parametrize("other", [True, "1", "one"])
def test_labels_of_a_signals_steps_are_distinguished_by_their_kind(other):
    table = {"case": [0, 0, 1, 1], "x": [1.0, 2.0, 3.0, 4.0], "label": [1, other, 0, 0]}
    answers = signal_table(table, series=["x"], id="case", answer="label").answers
    assert [[type(each) for each in steps] for steps in answers] == [[int, type(other)], [int, int]]


def test_the_answers_that_nobody_named_are_the_only_column_left(write):
    table = "".join(f"{case},{step},{step + case / 2},{case / 4}\n" for case in range(4) for step in range(3))
    path = write("case,t,x,wear\n" + table)
    columns = {"series": ["x"], "id": "case", "time": "t", "target": None}
    rows = read_signal_rows(path, columns, True, answer="target", numbers=True)
    assert rows.answers == [0, 0.25, 0.5, 0.75]
    assert rows.columns == {"target": "wear", "series": ["x"]}
    with pytest.raises(ConfigError, match=r"name the columns of the series.*; numbers are in case, t, x, wear"):
        read_signal_rows(path, columns | {"series": None}, True, answer="target", numbers=True)
    with pytest.raises(DataError, match=r"numbers to predict may be 't' or 'wear'. Name it: --target COL"):
        read_signal_rows(path, columns | {"time": None}, True, answer="target", numbers=True)
