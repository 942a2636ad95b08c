"""Times as people write them are read; what is no time is named."""

import datetime

import numpy as np
import pytest

from penstock.errors import DataError
from penstock.panels.times import parse_times, words_of


def dates(*words):
    return parse_times(list(words)).moments


def test_times_with_an_offset_become_utc():
    found = parse_times(["2016-10-30T02:30:00+02:00", "2016-10-30T02:30:00+01:00", "2016-10-30T02:30:00Z"])
    assert [words_of(time) for time in found.moments] == [
        "2016-10-30 00:30:00",
        "2016-10-30 01:30:00",
        "2016-10-30 02:30:00",
    ]


def test_what_python_holds_is_taken():
    day = datetime.date(2020, 5, 17)
    assert words_of(dates(day)[0]) == "2020-05-17"
    assert words_of(dates(datetime.datetime(2020, 5, 17, 13))[0]) == "2020-05-17 13:00:00"
    np.testing.assert_array_equal(parse_times(np.array(["2020-05-17"], "datetime64[ns]")).moments, dates("2020-05-17"))
    np.testing.assert_array_equal(parse_times(np.array([3, 4])).moments, [3, 4])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["2020-01-01", "yesterday"], "row 2 is 'yesterday'"),
        (["2020-01-01", None], "row 2 is empty"),
        (["2020-01-01", "2020-13-01"], "row 2 is '2020-13-01'"),
        (["2020-01-01", "now"], "row 2 is 'now'"),
        (["2020-01-01", "NaT"], "row 2 is 'NaT'"),
        (["2020-01-01 00", "2020-01-01 01+01"], r"row 2 is '2020-01-01 01\+01'"),
        (["2020-01-01 00:00", "2020-01-01 000"], "row 2 is '2020-01-01 000'"),
        (["20200130", "20200131", "20200201", "20200231"], "most are dates like 20200130, and row 4 is 20200231"),
        (np.array([201911, 201912, 202001, 202013]), "most are dates like 201911, and row 4 is 202013"),
        ([202351, 202352, 202401], "row 1 is 202351, which looks like a year and a week, as in 2024-W05"),
        ([20233, 20234, 20241], "a year and a quarter, as in 2024Q1"),
        ([2023364, 2023365, 2024001], "a year and a day of the year"),
        (["2020-01-01", "20200102"], "row 2 is '20200102'"),
        (["1", "9" * 30], "row 1 is '1'"),
        (["2020-01-01 00:00", "2020-01-01 01:00+01:00"], r"in all rows or in none; row 1 is .*, row 2 .*\+01:00'"),
        (["2020-01-01 00:00:00", "2020-01-01 00:00:01.5"], "whole seconds apart; row 2 is 2020-01-01T00:00:01.5"),
        (np.arange(3).astype("datetime64[ms]"), "whole seconds apart; row 2 is 1970-01-01T00:00:00.001"),
    ],
)
def test_what_is_not_a_time_is_named(words, message):
    with pytest.raises(DataError, match=message):
        parse_times(words)


@pytest.mark.parametrize(
    ("number", "date"),
    [
        (202401, "2024-01-01"),
        (20240229, "2024-02-29"),
        (2024022913, "2024-02-29 13:00:00"),
        (202402291305, "2024-02-29 13:05:00"),
        (20240229130509, "2024-02-29 13:05:09"),
    ],
)
@pytest.mark.parametrize("kind", [int, str, np.int32, np.uint64])
def test_whole_numbers_that_are_all_dates_are_dates(number, date, kind):
    if kind is np.int32 and number > 2**31 - 1:
        kind = np.int64
    for column in ([kind(number)] * 2, np.array([number] * 2, kind)):
        found = parse_times(column)
        assert found.compact
        assert [words_of(time) for time in found.moments] == [date, date]
    assert parse_times([kind(number)], time_format="numbers").moments.tolist() == [number]


@pytest.mark.parametrize(
    "start", [0, 1, 7, 1990, 2001, 20231, 199990, 202301, 2024001, 20231299, 1704067200, 17040672 * 10**5]
)
@pytest.mark.parametrize("step", [1, 3, 60])
def test_row_numbers_and_seconds_since_1970_stay_numbers(start, step):
    numbers = start + step * np.arange(100)
    for column in (numbers, numbers.tolist(), [str(number) for number in numbers], np.delete(numbers, [5, 40, 41])):
        found = parse_times(column)
        assert not found.are_dates
        np.testing.assert_array_equal(found.moments, np.array(column, np.int64))


@pytest.mark.parametrize("number", [0, -202401, 202400, 202413, 159912, 220001, 20230229, 20240431, 2024022924, 2024])
def test_numbers_that_are_not_dates_stay_numbers(number):
    assert parse_times([number]).moments.tolist() == [number]


def test_a_few_months_without_punctuation_may_be_numbers():
    months = list(range(200001, 200013))
    message = "200001 to 200012 may be either: months from 2000-01 on, or numbers. Say which with --time-format dates"
    with pytest.raises(DataError, match=message):
        parse_times(months)
    as_dates, as_numbers = (parse_times(months, time_format=word) for word in ("dates", "numbers"))
    assert words_of(as_dates.moments[-1]) == "2000-12-01"
    assert as_numbers.moments.tolist() == months
    assert (as_dates.time_format, as_numbers.time_format) == ("dates", "numbers")
    assert parse_times([*months, 200101]).are_dates
    assert not parse_times([*months, 200013]).are_dates
    assert parse_times(list(range(20240101, 20240132))).are_dates


@pytest.mark.parametrize(
    ("values", "time_format", "message"),
    [
        (["2024-01-01"], "numbers", "must hold whole numbers, as its time format says; row 1 is '2024-01-01'"),
        ([202401, 202413], "dates", "row 2 is 202413, which is none"),
        ([5], "dates", "row 1 is 5, which is none"),
        (["31.01.24", "1.2."], "%d.%m.%y", r"must hold times of the format '%d.%m.%y'; row 2 is '1.2.'"),
    ],
)
def test_what_a_time_format_does_not_fit_is_named(values, time_format, message):
    with pytest.raises(DataError, match=message):
        parse_times(values, time_format=time_format)


def test_dates_by_their_words_are_read_where_whole_numbers_were_dates():
    assert parse_times(["2024-01-31"], time_format="dates").are_dates


@pytest.mark.parametrize("ending", ["Z", "+00:00", "+0000", "+00", " UTC", " GMT", " +00:00", "-00:00"])
@pytest.mark.parametrize("between", [" ", "T"])
def test_every_way_to_write_utc_is_read(ending, between):
    found = parse_times([f"2024-01-01{between}13:00:00{ending}"])
    assert (words_of(found.moments[0]), found.offsets.tolist()) == ("2024-01-01 13:00:00", [0])


@pytest.mark.parametrize(("ending", "ahead"), [("+05:30", 330), ("+0530", 330), ("-08", -480), (" -0330", -210)])
def test_an_offset_is_kept_beside_the_time_in_utc(ending, ahead):
    found = parse_times([f"2024-01-01 13:00{ending}"])
    assert found.offsets.tolist() == [60 * ahead]
    assert words_of(found.by_clock[0]) == "2024-01-01 13:00:00"
    assert found.moments[0] == found.by_clock[0] - np.timedelta64(ahead, "m")
