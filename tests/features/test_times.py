"""Regular times are found and numbered; irregular ones are refused by name."""

import datetime

import numpy as np
import pytest

from penstock.errors import ConfigError, DataError
from penstock.features.times import Frequency, find_frequency, parse_times, words_of


def dates(*words):
    return parse_times(list(words))


@pytest.mark.parametrize(
    ("words", "unit", "steps", "expected"),
    [
        (["1749-01", "1749-02", "1749-03", "1749-05"], "month", [0, 1, 2, 4], "1 month"),
        (["2020-01-31", "2020-02-29", "2020-03-31"], "month", [0, 1, 2], "1 month"),
        (["2020-01-15", "2020-04-15", "2020-07-15"], "month", [0, 1, 2], "3 months"),
        (["2020-01-01", "2021-01-01", "2022-01-01"], "month", [0, 1, 2], "12 months"),
        (["2016-07-01 00:00:00", "2016-07-01 01:00:00", "2016-07-01 04:00:00"], "second", [0, 1, 4], "1 hour"),
        (["2016/07/01", "2016/07/02", "2016/07/03"], "second", [0, 1, 2], "1 day"),
        (["2016-07-04", "2016-07-11", "2016-07-25"], "second", [0, 1, 3], "1 week"),
        (["1700", "1701", "1703"], "number", [0, 1, 3], "1"),
        (["5", "10", "15"], "number", [0, 1, 2], "5"),
        (["20200101", "20200102", "20200103"], "number", [0, 1, 2], "1"),
        (["20200101", "20200102", "20200199"], "number", [0, 1, 98], "1"),
    ],
)
def test_steps_are_found_and_come_back(words, unit, steps, expected):
    times = parse_times(words)
    frequency = find_frequency([times])
    assert (frequency.unit, frequency.words) == (unit, expected)
    places = frequency.places(times)
    np.testing.assert_array_equal(places, steps)
    np.testing.assert_array_equal(frequency.times(places), times)
    assert Frequency.from_json(frequency.to_json()) == frequency


def test_business_days_leave_weekends_out():
    days = [str(day) for day in np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]") if np.is_busday(day)]
    frequency = find_frequency([parse_times(days)])
    assert frequency.unit == "business day"
    np.testing.assert_array_equal(frequency.places(parse_times(days)), range(len(days)))
    np.testing.assert_array_equal(frequency.times(np.arange(len(days))), parse_times(days))
    with pytest.raises(DataError, match="steps of 1 business day apart; 2024-02-03 does not"):
        frequency.places(dates("2024-02-02", "2024-02-03"))  # a Saturday


def test_times_with_an_offset_become_utc():
    found = parse_times(["2016-10-30T02:30:00+02:00", "2016-10-30T02:30:00+01:00", "2016-10-30T02:30:00Z"])
    assert [words_of(time) for time in found] == ["2016-10-30 00:30:00", "2016-10-30 01:30:00", "2016-10-30 02:30:00"]


def test_what_python_holds_is_taken():
    day = datetime.date(2020, 5, 17)
    assert words_of(parse_times([day])[0]) == "2020-05-17"
    assert words_of(parse_times([datetime.datetime(2020, 5, 17, 13)])[0]) == "2020-05-17 13:00:00"
    np.testing.assert_array_equal(parse_times(np.array(["2020-05-17"], "datetime64[ns]")), dates("2020-05-17"))
    np.testing.assert_array_equal(parse_times(np.array([3, 4])), [3, 4])


def test_a_week_of_business_days_tells_itself_by_its_gap():
    friday, monday = dates("2024-01-04", "2024-01-05"), dates("2024-01-08", "2024-01-09")
    assert find_frequency([np.concatenate([friday, monday])]).unit == "business day"
    assert find_frequency([monday]).words == "1 day"


def test_one_row_says_nothing_of_its_steps():
    assert find_frequency([dates("2020-01-01")]).words == "1 second"
    assert find_frequency([parse_times([5])]).words == "1"
    assert find_frequency([]) is None


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
        (["20200130", "20200131", "20200201"], "row 1 is 20200130, a date without its hyphens"),
        (np.array([201911, 201912, 202001]), "row 1 is 201911, a date without its hyphens"),
        (["2020-01-01", "20200102"], "row 2 is '20200102'"),
        (["1", "9" * 30], "row 1 is '1'"),
        (["2020-01-01 00:00", "2020-01-01 01:00+01:00"], r"in all rows or in none; row 1 is .*, row 2 .*\+01:00'"),
        (["2020-01-01 00:00:00", "2020-01-01 00:00:01.5"], "whole seconds apart; row 2 is 2020-01-01T00:00:01.5"),
        (np.arange(3).astype("datetime64[ms]"), "whole seconds apart; row 2 is 1970-01-01T00:00:00.001"),
    ],
)
def test_what_is_no_time_is_named(words, message):
    with pytest.raises(DataError, match=message):
        parse_times(words)


def test_irregular_times_are_refused_with_the_first_of_them():
    times = dates("2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00", "2020-01-01 02:17")
    with pytest.raises(DataError, match=r"steps of 1 hour apart; 2020-01-01 02:17:00 does not \(1 of 4 rows\)"):
        find_frequency([times]).places(times)


def test_days_by_a_clock_with_daylight_saving_time_are_called_by_their_name():
    times = dates(
        "2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00", "2024-04-02T00:00+02:00"
    )
    with pytest.raises(DataError, match=r"does not \(2 of 4 rows\)\. Are they days by a clock .* Write dates alone"):
        find_frequency([times]).places(times)


def test_damaged_descriptions_are_refused():
    with pytest.raises(ConfigError, match="must have unit"):
        Frequency.from_json({"unit": "second"})
    with pytest.raises(ConfigError, match="a known unit"):
        Frequency("fortnight", 1, 0)
