"""Signals from the files of the UCR and UEA archives."""

import gzip

import numpy as np
import pytest

from penstock.errors import DataError
from penstock.signals.file_formats import is_ucr, read_ts, read_ucr
from penstock.signals.readers import read_signals

TS = """# a comment
@problemName Two
@timeStamps false
@classLabel true up down

@data
1,2,?:4,5,6:up
7:8:down
"""


@pytest.fixture
def write(tmp_path):
    def file(text, name):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return file


@pytest.mark.parametrize("name", ["two.ts", "TWO.TS.gz"])
def test_a_ts_file(write, name):
    rows = read_signals(write(TS, name), label="label")
    assert rows.answers == ["up", "down"]
    np.testing.assert_array_equal(rows.inputs[0], [[1, 4], [2, 5], [np.nan, 6]])
    np.testing.assert_array_equal(rows.inputs[1], [[7, 8]])


def test_a_ts_file_with_numbers_to_foretell_and_one_without_answers(write):
    text = TS.replace("@classLabel true up down", "@targetLabel true").replace("up", "1.5").replace("down", "?")
    with pytest.raises(DataError, match="line 8: must have a number to predict; got '\\?'"):
        read_ts(write(text, "a.ts"), numbers=True)
    assert read_ts(write(text.replace("8:?", "8:nan"), "b.ts"), numbers=True).answers == [1.5, None]
    alone = TS.replace("true up down", "false").replace(":up", "").replace(":down", "")
    assert read_ts(write(alone, "c.ts"), answers=False).answers is None


def test_labels_that_only_look_like_numbers_stay_words(write):
    text = TS.replace("up", "1_0").replace("down", "10.0")
    assert read_ts(write(text, "a.ts")).answers == ["1_0", "10"]
    with pytest.raises(DataError, match="must have a number to predict; got '1_0'"):
        read_ts(write(text, "a.ts"), numbers=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TS.replace("@data\n", ""), "line 6: expected lines like '@problemName Name', then '@data'"),
        (TS.split("1,2")[0], "has no signals"),
        ("@problemName Two\n", "has no line '@data'"),
        (TS.replace("@classLabel true up down\n", ""), "line 5: there are no labels"),
        (TS.replace("4,5,6", "4,5"), "line 7: all channels of a signal must have the same number of values; got 3, 2"),
        (TS + "1,2,3\n", "line 9: expected values, a colon and a label or number, as the header says; got '1,2,3'"),
        (TS.replace("4,5,6", "4,warm,6"), "line 7: a signal must be numbers"),
        (TS.replace("4,5,6", "4,inf,6"), "line 7: a signal must be finite"),
        (TS.replace("7:8:", "7:"), "the first has 2, signal 2 1"),
        (TS.replace("timeStamps false", "timeStamps true"), "line 7: has a time with each value"),
    ],
)
def test_a_wrong_ts_file_says_where(write, text, message):
    with pytest.raises(DataError, match=message):
        read_ts(write(text, "wrong.ts"))


def test_a_table_of_the_ucr_archive(write):
    path = write("1.0000000e+00\t0.5\t1.5\tNaN\n-1\tNaN\t2\t3\n\n", "two_TRAIN.tsv")
    assert is_ucr(path)
    rows = read_signals(path, label="label")
    assert rows.answers == ["1", "-1"]
    np.testing.assert_array_equal(rows.inputs[0], [[0.5], [1.5]])
    np.testing.assert_array_equal(rows.inputs[1], [[np.nan], [2], [3]])


def test_a_table_with_a_header_is_not_from_the_archive(write):
    assert not is_ucr(write("label\ttext\nspam\t1 2 3\n", "texts.tsv"))
    assert not is_ucr(write("", "empty.tsv"))


def test_a_wrong_line_is_named(write):
    with pytest.raises(DataError, match="line 2: a signal must be numbers"):
        read_ucr(write("1\t2\t3\n1\tx\t3\n", "wrong.tsv"))


def test_the_sets_are_as_published(data_dir):
    folder = data_dir / "ucr" / "GunPoint"
    rows = read_signals(folder / "GunPoint_TRAIN.tsv", label="label")
    assert (len(rows), rows.inputs[0].shape, sorted(set(rows.answers))) == (50, (150, 1), ["1", "2"])
    path = data_dir / "uea" / "JapaneseVowels_TRAIN.csv.gz"
    rows = read_signals(path, series=["c*"], label="label", id="case", time="t")
    lengths = [len(each) for each in rows.inputs]
    assert (len(rows), rows.inputs[0].shape[1], min(lengths), max(lengths)) == (270, 12, 7, 26)
