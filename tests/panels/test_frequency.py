"""Regular times are found and numbered, and go on as their calendar does; irregular ones are refused by name."""

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import read_series
from penstock.errors import ConfigError, DataError
from penstock.forecast.season import _usual
from penstock.panels.calendar import usual_calendar
from penstock.panels.frequency import Frequency
from penstock.panels.frequency_search import find_frequency
from penstock.panels.times import parse_times


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
        (["20200130", "20200131", "20200201"], "second", [0, 1, 2], "1 day"),
        (["202011", "202012", "202101"], "month", [0, 1, 2], "1 month"),
        (["2020Q3", "2020Q4", "2021Q1"], "month", [0, 1, 2], "3 months"),
        (["2020-W52", "2020-W53", "2021-W01"], "second", [0, 1, 2], "1 week"),
        (["2020-01-01", "2020-01-29", "2020-02-26", "2020-04-22"], "second", [0, 1, 2, 4], "4 weeks"),
        (["2024-02-04", "2024-03-03"], "second", [0, 1], "4 weeks"),  # first Sundays, but two are not enough to say so
        (["2024-02-04", "2024-03-03", "2024-04-07"], "month", [0, 1, 2], "1 month (first Sunday)"),
        (
            ["2024-01-15", "2024-01-31", "2024-02-15", "2024-02-29", "2024-04-15"],
            "month",
            [0, 1, 2, 3, 6],
            "1 time of the month (15th, last)",
        ),
    ],
)
def test_steps_are_found_and_come_back(words, unit, steps, expected):
    times = parse_times(words).moments
    frequency = find_frequency([parse_times(words)])
    assert (frequency.unit, frequency.words) == (unit, expected)
    places = frequency.places(times)
    np.testing.assert_array_equal(places, steps)
    np.testing.assert_array_equal(frequency.times(places), times)
    assert Frequency.from_json(frequency.to_json()) == frequency


def test_business_days_leave_weekends_out():
    days = [str(day) for day in np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]") if np.is_busday(day)]
    frequency = find_frequency([parse_times(days)])
    assert frequency.unit == "business day"
    np.testing.assert_array_equal(frequency.places(parse_times(days).moments), range(len(days)))
    np.testing.assert_array_equal(frequency.times(np.arange(len(days))), parse_times(days).moments)
    with pytest.raises(DataError, match="steps of 1 business day apart; 2024-02-03 does not"):
        frequency.places(dates("2024-02-02", "2024-02-03").moments)  # a Saturday


def test_a_week_of_business_days_tells_itself_by_its_gap():
    friday, monday = ("2024-01-04", "2024-01-05"), ("2024-01-08", "2024-01-09")
    assert find_frequency([dates(*friday, *monday)]).unit == "business day"
    assert find_frequency([dates(*monday)]).words == "1 day"


def test_one_row_says_nothing_of_its_steps():
    assert find_frequency([dates("2020-01-01")]).words == "1 second"
    assert find_frequency([parse_times([5])]).words == "1"
    assert find_frequency([]) is None


def test_irregular_times_are_refused_with_the_first_of_them():
    times = dates("2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00", "2020-01-01 02:17")
    with pytest.raises(DataError, match=r"steps of 1 hour apart; 2020-01-01 02:17:00 does not \(1 of 4 rows\)"):
        find_frequency([times]).places(times.moments)


def test_days_by_a_clock_with_daylight_saving_time_are_called_by_their_name():
    times = dates("2024-03-29 23:00", "2024-03-30 23:00", "2024-03-31 22:00", "2024-04-01 22:00")
    with pytest.raises(DataError, match=r"does not \(2 of 4 rows\)\. Are they days by a clock .* Write dates alone"):
        find_frequency([times]).places(times.moments)


def test_damaged_descriptions_are_refused():
    with pytest.raises(ConfigError, match="must have unit"):
        Frequency.from_json({"unit": "second"})
    for wrong in (
        {"unit": "fortnight"},
        {"step": 0},
        {"weekdays": [7]},
        {"weekdays": []},
        {"hours": [3600, 0]},
        {"day_rule": "x"},
        {"month_days": [31]},
        {"month_days": [14, 0]},
    ):
        with pytest.raises(ConfigError, match="a known unit"):
            Frequency.from_json({"unit": "business day", "step": 1, "anchor": 0, "remainder": 0} | wrong)


def coming(values, steps=4):
    """What the grid of these times says of the next ones, by their own clock."""
    times = parse_times(list(values))
    frequency = find_frequency([times])
    places = frequency.places(frequency.read(times))
    return frequency, frequency.times(places[-1] + 1 + np.arange(steps)).tolist()


WEEKS = {
    "Sun Mon Tue Wed Thu": "1 day (Sunday to Thursday)",
    "Mon Tue Wed Thu Fri Sat": "1 day (Monday to Saturday)",
    "Mon Wed Fri": "1 day (Monday, Wednesday, Friday)",
    "Sat Sun": "1 day (Saturday to Sunday)",
    "Mon Tue Wed Thu Fri": "1 business day",
}
CALENDARS = [
    "h",
    "D",
    "W-SUN",
    "MS",
    "ME",
    "QS",
    "QE",
    "QE-FEB",
    "YS",
    "YE",
    "BMS",
    "BME",
    "BQE",
    "QE-NOV",
    "SMS",
    "SME",
    "SMS-10",
    "WOM-3FRI",
    "LWOM-TUE",
    "4W-SUN",
    "2W-WED",
    "2h",
    "15min",
    *WEEKS,
]


@settings(deadline=None, max_examples=150)
@given(
    calendar=st.sampled_from(CALENDARS),
    start=st.dates(pandas.Timestamp("1960-01-01").date(), pandas.Timestamp("2090-01-01").date()),
    clock=st.sampled_from(["00:00", "16:00", "09:30", "23:59:30"]),
    ending=st.sampled_from(["", "+05:30", "-08:00", "+01", " UTC", "Z"]),
    rows=st.integers(30, 90),
)
def test_every_calendar_continues_as_its_own_offset_of_pandas_does(calendar, start, clock, ending, rows):
    offset = pandas.offsets.CustomBusinessDay(weekmask=calendar) if calendar in WEEKS else calendar
    times = pandas.date_range(f"{start} {clock}", periods=rows + 4, freq=offset)
    frequency, found = coming([f"{time}{ending}" for time in times[:-4]])
    assert frequency.words == WEEKS.get(calendar, frequency.words)
    ahead = times[-4:]
    if frequency.offset == 0 and ending[:1] in ("+", "-"):  # steps below a day are in UTC
        ahead = ahead - pandas.Timedelta(f"{ending}:00" if ":" in ending else f"{ending}:00:00")
    assert found == ahead.to_pydatetime().tolist()


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("calendar", ["D", "W-MON", "MS", "ME", "QE", "BME", "SME", "WOM-2MON", *WEEKS])
def test_steps_of_days_are_by_the_clock_of_a_zone_across_its_changes(zone, calendar):
    offset = pandas.offsets.CustomBusinessDay(weekmask=calendar) if calendar in WEEKS else calendar
    times = pandas.date_range("2023-01-01 16:00", periods=204, freq=offset)
    _, found = coming(times[:-4].tz_localize(zone))
    assert found == times[-4:].to_pydatetime().tolist()


def test_hours_of_a_zone_are_in_utc_across_its_change():
    times = pandas.date_range("2024-10-26", periods=52, freq="h", tz="Europe/Berlin")
    frequency, found = coming(times[:-4])
    assert (frequency.words, frequency.offset) == ("1 hour", 0)
    assert found == times[-4:].tz_convert("UTC").tz_localize(None).to_pydatetime().tolist()


def test_days_that_are_regular_in_utc_alone_are_read_so():
    times = pandas.date_range("2024-03-25 12:00", periods=14, freq="D", tz="UTC").tz_convert("Europe/Berlin")
    frequency, found = coming(times[:-4])
    assert (frequency.words, frequency.offset) == ("1 day", 0)
    assert found == times[-4:].tz_convert("UTC").tz_localize(None).to_pydatetime().tolist()


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_hours_of_business_skip_nights_and_weekends(zone):
    times = pandas.date_range("2024-01-01", periods=24 * 120, freq="h", tz=zone)
    times = times[(times.day_of_week < 5) & (times.hour >= 9) & (times.hour <= 17)]
    frequency, found = coming(times[:-20], 20)
    assert frequency.words == "1 hour (Monday to Friday, 09:00 to 17:00)"
    assert found == times[-20:].tz_localize(None).to_pydatetime().tolist()
    assert Frequency.from_json(frequency.to_json()) == frequency


def test_two_uneven_times_of_day_are_regular():
    times = pandas.date_range("2024-01-01", periods=24 * 10, freq="h")
    times = times[times.hour.isin([8, 18])]
    frequency, found = coming(times[:-4])
    assert frequency.words == "1 time of day (every day, 08:00, 18:00)"
    assert found == times[-4:].to_pydatetime().tolist()


def test_a_session_on_one_saturday_is_named():
    days = [*pandas.bdate_range("2024-01-01", periods=250), pandas.Timestamp("2024-03-02")]
    message = "they do on Monday to Friday, but for 1 of 251 days, such as 2024-03-02, a Saturday. Leave the rows"
    with pytest.raises(DataError, match=message):
        find_frequency([parse_times(sorted(days))])
    some = [*days, *pandas.date_range("2024-01-06", periods=25, freq="14D")]  # each second one is no exception
    assert find_frequency([parse_times(sorted(set(some)))]).words == "1 day (Monday to Saturday)"


def test_holidays_are_gaps_of_business_days():
    times = pandas.bdate_range("2024-01-01", periods=250) + pandas.Timedelta("16h")
    kept = times.delete([0, 10, 35, 64, 103, 200])
    frequency, found = coming(kept[:-4])
    assert frequency.words == "1 business day"
    assert found == kept[-4:].to_pydatetime().tolist()
    assert np.diff(frequency.places(parse_times(kept).moments)).max() == 2


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ([0, 1, 2, 3, 4, 5, 7, 8, 9], "1 day"),  # one missing day is no closed one
        ([0, 3, 4, 9, 12, 20, 24, 29], "1 day"),  # few days by chance: too empty for a timetable
        ([*range(5), *range(7, 12), 13], "1 day"),  # a Sunday among business days
    ],
)
def test_missing_days_make_no_timetable(kept, words):
    days = pandas.date_range("2024-01-01", periods=30)  # from a Monday on
    assert find_frequency([parse_times([*days[kept], days[-2], days[-1]])]).words == words


def test_the_30th_of_a_month_is_its_last_day_where_there_is_none():
    months = pandas.date_range("2024-01-01", periods=14, freq="MS")
    days = [month.replace(day=min(30, month.days_in_month)) for month in months]
    frequency, found = coming(days[:-4])
    assert (frequency.words, found) == ("1 month", [day.to_pydatetime() for day in days[-4:]])


def test_months_on_any_day_of_them_are_called_by_their_name():
    times = dates("2024-01-31", "2024-02-27", "2024-03-30", "2024-04-26", "2024-05-27")
    with pytest.raises(DataError, match="Are they months, on different days of each"):
        find_frequency([times]).places(times.moments)


def test_several_days_of_each_month_continue_so():
    """The 15th and 30th, or the last day of February; and dekads, as of weather services."""
    months = pandas.date_range("2023-01-01", periods=26, freq="MS")
    for days, words in (((15, 30), "15th, 30th"), ((1, 11, 21), "1st, 11th, 21st")):
        times = [month.replace(day=min(day, month.days_in_month)) for month in months for day in days]
        frequency, found = coming(times[:-4])
        assert (frequency.words, found) == (
            f"1 time of the month ({words})",
            [each.to_pydatetime() for each in times[-4:]],
        )
        assert Frequency.from_json(frequency.to_json()) == frequency
        assert set(_usual(frequency)) == {len(days), 12 * len(days)}
        assert usual_calendar(frequency) == ("yearday",)
        with pytest.raises(DataError, match=r"1 time of the month .* apart; 2024-02-03 does not"):
            frequency.places(dates("2024-02-03").moments)


RETAIL = np.cumsum([0, *[4, 4, 5] * 6])
PERIODS = np.cumsum([0, *([4] * 12 + [5]), *[4] * 13])
PAYDAYS = np.busday_offset(
    pandas.date_range("2023-01-01", periods=20, freq="SME").date.astype("datetime64[D]"), 0, "backward"
)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            np.datetime64("2022-01-30") + 7 * RETAIL,
            r"are 4 or 5 weeks apart \(\d+ and \d+ times\), like .*4-4-5.*--time ''",
        ),
        (
            np.datetime64("2022-01-30") + 7 * PERIODS,
            r"4 or 5 weeks apart \((25 and 1|50 and 2) times\), .* periods of 4 weeks",
        ),
        (np.datetime64("2022-01-30") + 7 * np.cumsum([13, 13, 13, 14]), "13 or 14 weeks apart .* quarters of a retail"),
        (np.datetime64("2022-01-30") + 7 * np.cumsum([52, 52, 53]), "52 or 53 weeks apart .*Number the steps"),
        (PAYDAYS, "come twice a month, but on different days of it, 13 to 18 days apart. Write the same two days"),
        (dates("2023-03-30", "2023-06-28", "2023-09-29", "2023-12-30").moments, "once a quarter, .* 2024Q1"),
        (dates("2020-03-30", "2021-03-28", "2022-04-02").moments, "once a year, .* such as 2024"),
    ],
)
def test_calendars_without_a_grid_are_named(times, message):
    days = [str(time)[:10] for time in times]
    with pytest.raises(DataError, match=message):
        read_series({"ds": days, "y": range(len(days))})
    several = {"unique_id": ["a"] * len(days) + ["b"] * len(days), "ds": days * 2, "y": range(2 * len(days))}
    with pytest.raises(DataError, match=message):
        read_series(several)


def test_bundles_of_before_keep_their_grid():
    old = {"unit": "business day", "step": 1, "anchor": 14090, "remainder": 0}
    frequency = Frequency.from_json(old)
    assert frequency.to_json() == old
    days = np.arange("1960-01-01", "2040-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    expected = np.busday_count(np.datetime64("1970-01-01"), days[days >= np.datetime64("1970-01-01")]) - 14090
    places = frequency.places(days.astype("datetime64[s]"))
    np.testing.assert_array_equal(places[-len(expected) :], expected)
    np.testing.assert_array_equal(np.diff(places), 1)
    np.testing.assert_array_equal(frequency.times(places), days)
    end = Frequency.from_json({"unit": "month", "step": 1, "anchor": 600, "remainder": 30 * 86400})
    assert [str(time)[:10] for time in end.times(np.array([0, 1, 2]))] == ["2020-01-31", "2020-02-29", "2020-03-31"]
