"""Dates as people write them: every form, and one order of day and month in a column."""

import datetime
import logging

import numpy as np
import pytest

from penstock.datasets.date_forms import has_order, read_word
from penstock.datasets.dates import check_time_format, looks_dated, read_dates
from penstock.errors import ConfigError, DataError

DAY = datetime.datetime(2024, 1, 31)


def dates(*words, time_format=None):
    return read_dates(words, "the column ds", time_format)[0][0].astype("datetime64[m]").astype(str).tolist()


@pytest.mark.parametrize(
    "word",
    [
        *("2024-01-31", "2024/1/31", "2024.01.31", "2024年1月31日", "31/01/2024", "31.1.2024", "31-01-2024"),
        *("31 Jan 2024", "31-Jan-2024", "31. January 2024", "31jan 2024", "Jan 31, 2024", "JANUARY 31 2024"),
        "2024-W05-3",
    ],
)
@pytest.mark.parametrize(
    ("clock", "after"),
    [
        ("", 0),
        (" 00:00", 0),
        (", 9:05", 545),
        ("T13:00:00.000", 780),
        (" 1:00 PM", 780),
        (" 12:30 a.m.", 30),
        (" 12PM", 720),
        (" 24:00", 1440),
    ],
)
def test_every_form_of_a_day_and_a_time_of_day(word, clock, after):
    assert read_word(word + clock, "day-first") == (DAY + datetime.timedelta(minutes=after), None)


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("2024-10", "2024-10-01"),
        ("2024/7", "2024-07-01"),
        ("2024Q3", "2024-07-01"),
        ("2024-Q3", "2024-07-01"),
        ("Q3 2024", "2024-07-01"),
        ("2024-W05", "2024-01-29"),
        ("2024W05", "2024-01-29"),
        ("Sept 2024", "2024-09-01"),
        ("May-2024", "2024-05-01"),
        ("2024 Mar", "2024-03-01"),
        ("2024年7月", "2024-07-01"),
        ("20240131 00:00", "2024-01-31"),
    ],
)
def test_months_quarters_and_weeks_are_their_first_day(word, first):
    assert read_word(word, "day-first")[0] == datetime.datetime.fromisoformat(first)


@pytest.mark.parametrize(
    ("ending", "ahead"), [("Z", 0), (" UTC", 0), ("+00", 0), ("+0530", 19800), ("-08:00", -28800), (" +01", 3600)]
)
def test_an_offset_follows_a_time_of_day(ending, ahead):
    assert read_word(f"31.01.2024 00:00{ending}", "day-first") == (DAY, ahead)


NO_DATES = """
today|2024-02-30|2024-01-31 25:00|2024-01-31 24:01|2024-01-31 13:00 PM|2024-01-31 0:00 AM|2024-01-31 01+01|31.01.24
31/01-2024|Ju 2024|Jan 24|2024Q5|2024-W60|2024.5|20240131|2024-01-31 12:60|31.01.2024 1|12:00|31 Jan 24
2024-01-31 00:00+99|２０２４-01-31|31.31.2024
"""


@pytest.mark.parametrize("word", ["", *NO_DATES.strip().replace("\n", "|").split("|")])
def test_what_is_not_a_date_is_refused(word):
    with pytest.raises(ValueError, match=r".*"):
        read_word(word, "day-first")


def test_a_column_has_the_order_in_which_all_rows_are_dates(caplog):
    caplog.set_level(logging.INFO, "penstock")
    assert dates("01/02/2024", "13/02/2024") == ["2024-02-01T00:00", "2024-02-13T00:00"]
    assert dates("01.02.2024 10:00", "01.13.2024 10:00") == ["2024-01-02T10:00", "2024-01-13T10:00"]
    assert [record.message for record in caplog.records] == [
        "the column ds has the day first",
        "the column ds has the month first",
    ]
    assert dates("05/05/2024") == ["2024-05-05T00:00"]  # by either order


def test_even_steps_say_the_order_where_both_fit():
    months = [f"01/{month:02d}/{year}" for year in (2023, 2024) for month in range(1, 13)]
    assert dates(*months)[-1] == "2024-12-01T00:00"
    swapped = [f"{month:02d}/01/{year}" for year in (2023, 2024) for month in range(1, 13)]
    assert dates(*swapped)[-1] == "2024-12-01T00:00"


@pytest.mark.parametrize("days", [[1, 2], range(1, 13)])
def test_an_order_that_nothing_decides_is_asked(days):
    words = [f"{day:02d}/03/2024" for day in days]
    message = "row 1 is '01/03/2024', which is 2024-03-01 with the day first, 2024-01-03 .*--time-format day-first"
    with pytest.raises(DataError, match=message):
        dates(*words)
    assert dates(*words, time_format="day-first")[1] == "2024-03-02T00:00"
    assert dates(*words, time_format="month-first")[1] == "2024-02-03T00:00"
    assert dates(*words, time_format="%d/%m/%Y")[1] == "2024-03-02T00:00"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["13/01/2024", "01/13/2024"], "row 2 is '01/13/2024'"),
        (["2024-01-31", "soon"], "row 2 is 'soon'.* --time-format, such as"),
        (["2024-01-31 00:00", "2024-01-31 00:00Z"], "offset from UTC in all rows or in none; row 1 .* row 2"),
    ],
)
def test_what_a_column_cannot_hold_is_named(words, message):
    with pytest.raises(DataError, match=message):
        dates(*words)


def test_a_format_of_pythons_may_have_an_offset():
    (found, offsets), needed = read_dates(["1 24 13 +0200"], "ds", "%m %y %H %z")
    assert (found.astype(str).tolist(), offsets.tolist()) == (["2024-01-01T11:00:00.000000"], [7200])
    assert needed == "%m %y %H %z"


def test_quick_and_slow_reading_are_the_same():
    words = ["2024-02-29", "2024-03-01 13:00", "1999-12-31T23:59:59.25"]
    slow = np.array([read_word(word, "day-first")[0] for word in words], "datetime64[us]")
    np.testing.assert_array_equal(read_dates(words, "ds")[0][0], slow)


def test_what_looks_like_dates():
    assert looks_dated(["2024-01", None, "2024-02"])
    assert looks_dated(["01/13/2024"])
    assert not looks_dated(["2024", "2025"])
    assert not looks_dated([None])
    assert not looks_dated(["2024-01", "x"])
    assert has_order("01/02/2024 10:00")
    assert not has_order("2024-01-02")


@pytest.mark.parametrize("wrong", ["", "d.m.Y", "day", 5])
def test_what_is_not_a_time_format_is_refused(wrong):
    with pytest.raises(ConfigError, match="a time format must be one of day-first"):
        check_time_format(str(wrong))
