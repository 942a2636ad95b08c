"""Tables become series on one grid; what is wrong with them is found, counted or refused."""

import numpy as np
import pandas
import pytest

from penstock.errors import DataError
from penstock.panels.panel_columns import UNNAMED, arrays_panel, panel

HOURS = [f"2020-01-01 {hour:02d}:00" for hour in range(6)]


def one(values, times=HOURS, **more):
    return panel({"ds": times[: len(values)], "y": values}, targets=["y"], time="ds", **more)


def test_rows_are_sorted_and_counted():
    found = one([3, 1, 2], [HOURS[2], HOURS[0], HOURS[1]])
    np.testing.assert_array_equal(found.series[0].values[:, 0], [1, 2, 3])
    assert found.changed == {"rows out of order, sorted by time": 1}


def test_gaps_become_missing_values():
    found = one([1, 2, 5, 6, 7], [HOURS[0], HOURS[1], HOURS[3], HOURS[4], HOURS[5]])
    np.testing.assert_array_equal(found.series[0].values[:, 0], [1, 2, np.nan, 5, 6, 7])
    assert found.changed == {"missing steps, filled in": 1}


def test_missing_values_are_counted_and_those_at_the_start_left_out():
    found = one(["NA", "1", "", "3"])
    np.testing.assert_array_equal(found.series[0].values[:, 0], [1, np.nan, 3])
    assert found.series[0].start == 1
    assert found.changed == {
        "missing rows at the start of a series, left out": 1,
        "missing values, the last one before them taken instead": 1,
    }


def test_long_tables_hold_many_series():
    columns = {
        "id": ["a", "b", "a", "b", "a"],
        "ds": [*HOURS[:1] * 2, *HOURS[1:2] * 2, HOURS[2]],
        "y": [1, 10, 2, 20, 3],
    }
    found = panel(columns, targets=["y"], time="ds", id="id")
    assert found.names == ["a", "b"]
    assert [series.values[:, 0].tolist() for series in found] == [[1, 2, 3], [10, 20]]


def test_known_covariates_may_continue_beyond_the_values():
    columns = {
        "ds": HOURS,
        "y": [1, 2, 3, 4, None, None],
        "promo": [0, 1, 0, 1, 0, 1],
        "rain": [5, 5, 5, 5, None, None],
    }
    (series,) = panel(columns, targets=["y"], time="ds", past=["rain"], known=["promo"]).series
    assert (len(series), len(series.past), len(series.known)) == (4, 4, 6)
    np.testing.assert_array_equal(series.known[:, 0], [0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("values", "times", "message"),
    [
        ([1, 2, 3], [HOURS[0], HOURS[1], HOURS[1]], "2020-01-01 01:00:00 stands twice .* Are there several series"),
        ([1, "two", 3], HOURS, "the column y must hold numbers.* row 2 has 'two'"),
        ([1, np.inf, 3], HOURS, "finite numbers, 1e\\+100 at most; row 2 is inf"),
        ([1, 10**400, 3], HOURS, "the column y must be finite numbers.* row 2 is inf"),
        ([1, -1.797e308, 3], HOURS, "row 2 is -1.797e\\+308. Does it stand for a missing value"),
        ([[1], [2], [3]], HOURS, r"the column y must hold numbers.* row 1 has \[1\]"),
        ([1, 2, 3, 4], HOURS[:3], "columns must all be of one length; got 4 of y, 3 of ds"),
        (["", "", ""], HOURS, "must have values; all 3 are missing"),
        ([1, 2, 3], [HOURS[0], "", HOURS[1]], "row 2 is empty"),
    ],
)
def test_what_is_wrong_is_said(values, times, message):
    with pytest.raises(DataError, match=message):
        one(values, times)


def test_the_hour_that_a_clock_shows_twice_is_called_by_its_name():
    times = ["2016-10-30 01:00", "2016-10-30 02:00", "2016-10-30 02:00", "2016-10-30 03:00"]
    with pytest.raises(DataError, match="end of daylight saving time: write the times in UTC"):
        one([1, 2, 3, 4], times)


def test_the_hour_that_a_clock_leaves_out_is_a_gap():
    found = one([1, 2, 4, 5], ["2016-03-27 00:00", "2016-03-27 01:00", "2016-03-27 03:00", "2016-03-27 04:00"])
    assert found.changed == {"missing steps, filled in": 1}


def test_an_invalid_gap_is_refused():
    times = [str(time) for time in np.arange("2020-01-01", "2020-01-01T01", dtype="datetime64[s]")[:100]]
    with pytest.raises(DataError, match="more to fill the gaps"):
        one([1.0] * 101, [*times, "2021-01-01 00:00:00"])


def test_parts_continue_where_the_first_ended():
    first, later = one([1, 2, 3]), one([4, 5], HOURS[3:])
    (joined,) = later.after(first, "test").series
    np.testing.assert_array_equal(joined.values[:, 0], [1, 2, 3, 4, 5])
    assert joined.begin == 3


def test_rows_that_both_parts_have_are_history():
    (joined,) = one([2, 3, 4, 5], HOURS[1:]).after(one([1, 2, 3]), "test").series
    np.testing.assert_array_equal(joined.values[:, 0], [1, 2, 3, 4, 5])
    assert joined.begin == 3


def test_a_gap_between_parts_is_missing():
    (joined,) = one([5, 6], HOURS[4:]).after(one([1, 2, 3]), "test").series
    np.testing.assert_array_equal(joined.values[:, 0], [1, 2, 3, np.nan, 5, 6])
    assert joined.begin == 4


def test_a_part_may_be_a_single_row():
    (joined,) = one([4], HOURS[3:4]).after(one([1, 2, 3]), "test").series
    np.testing.assert_array_equal(joined.values[:, 0], [1, 2, 3, 4])
    with pytest.raises(DataError, match=r"steps of 1 hour apart; 2020-01-01 03:30:00 does not"):
        one([4], ["2020-01-01 03:30"]).after(one([1, 2, 3]), "test")
    with pytest.raises(DataError, match="times must be dates as in training; test has whole numbers"):
        one([4], [3]).after(one([1, 2, 3]), "test")


def test_a_part_that_begins_long_after_is_refused():
    with pytest.raises(DataError, match="must go on where the data before it ended; series 'series' begins 8781 steps"):
        one([4, 5], ["2021-01-01 00:00", "2021-01-01 01:00"]).after(one([1, 2, 3]), "test")


def test_without_times_a_part_follows_the_one_before():
    (joined,) = arrays_panel([4.0, 5.0]).after(arrays_panel([1.0, 2.0]), "test").series
    np.testing.assert_array_equal(joined.values[:, 0], [1, 2, 4, 5])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: one([1, 2]), "ends before it does"),
        (lambda: panel({"z": [1, 2]}, targets=["z"]), "target columns y, as in training; got z"),
        (
            lambda: one([1, 2, 3], ["2020-02-01", "2020-02-02", "2020-02-03"]),
            "steps of 1 hour, as in training; got 1 day",
        ),
    ],
)
def test_parts_that_do_not_continue_are_refused(other, message):
    with pytest.raises(DataError, match=message):
        other().after(one([1, 2, 3]), "test")


def test_arrays_come_alone_in_lists_and_by_name():
    assert arrays_panel(np.arange(3.0)).names == [UNNAMED]
    assert arrays_panel([[1.0, 2.0], [3.0]]).names == ["0", "1"]
    assert arrays_panel({"a": np.zeros((4, 2))}).targets == ("y1", "y2")
    with pytest.raises(DataError, match="same number of targets"):
        arrays_panel([np.zeros((3, 2)), np.zeros(3)])
    with pytest.raises(DataError, match="must be numbers"):
        arrays_panel(["one", "two"])
    with pytest.raises(DataError, match="must be numbers"):
        arrays_panel([1, 10**400])
    for values, message in (([1, 2j], "must be numbers"), ([1, np.inf], "row 2 is inf"), ([1e101, 2], "row 1 is 1e")):
        with pytest.raises(DataError, match=message):
            arrays_panel(np.array(values))


def two(first, second, **more):
    times = [*first, *second]
    ids = ["a"] * len(first) + ["b"] * len(second)
    return panel({"ds": times, "y": range(len(times)), "id": ids}, targets=["y"], time="ds", id="id", **more)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            ["2024-01-01", "2024-01-08"],
            ["2024-01-07", "2024-01-14"],
            "a has steps of 1 week from 2024-01-01 on, series b",
        ),
        (  # often enough for a week of two days, on which neither of them is
            pandas.date_range("2024-01-01", periods=30, freq="W-MON"),
            pandas.date_range("2024-01-01", periods=30, freq="W-SUN"),
            "a has steps of 1 week from 2024-01-01 on, series b of 1 week from 2024-01-07 on",
        ),
        (
            ["2024-01-01", "2024-01-02", "2024-01-03"],
            ["2024-01-01 06:00", "2024-01-02 06:00"],
            "b of 1 day from .* 06:00",
        ),
        (
            ["2024-01-01T00:00+00:00", "2024-01-01T01:00+00:00"],
            ["2024-01-01T00:00+05:30", "2024-01-01T01:00+05:30"],
            "b of 1 hour from 2023-12-31 18:30:00",
        ),
    ],
)
def test_series_on_different_grids_are_named(first, second, message):
    with pytest.raises(DataError, match=f"all series must share one grid of times; .*{message}") as caught:
        two(first, second)
    assert "esample" not in str(caught.value)


def test_days_of_several_zones_are_days_by_their_clocks():
    days = [f"2024-03-{day}T00:00" for day in range(10, 25)]
    found = two([day + "+05:30" for day in days], [day + "+00:00" for day in days])
    assert [series.start for series in found] == [found.series[0].start] * 2
    assert found.frequency.words == "1 day"


def test_dates_without_punctuation_are_counted():
    found = one([1, 2, 3], [202411, 202412, 202501])
    assert found.frequency.words == "1 month"
    assert found.changed == {"times without punctuation like 20240131, read as dates": 3}


def test_dates_do_not_continue_after_numbers():
    with pytest.raises(DataError, match=r"must be whole numbers as in training; test has dates\. Whole numbers of"):
        one([4, 5], [20240101, 20240102]).after(one([1, 2, 3], [202398, 202399, 202400]), "test")
    rows = panel({"ds": range(202395, 202412), "y": [1.0] * 17}, targets=["y"], time="ds")
    (joined,) = one([4, 5, 6], [202412, 202413, 202414]).after(rows, "test").series
    assert (len(joined), joined.begin) == (20, 17)


def test_a_model_of_all_days_reads_business_days_with_gaps():
    week = one([1, 2, 3], ["2024-01-01 16:00", "2024-01-02 16:00", "2024-01-03 16:00"])
    times = [f"2024-01-{day:02d} 16:00" for day in (4, 5, 8, 9)]
    columns = {"ds": [*times, "2024-01-10 16:00"], "y": [4, 5, 8, 9, None], "promo": range(5)}
    later = panel(columns, targets=["y"], time="ds", known=["promo"])
    assert (week.frequency.words, later.frequency.words) == ("1 day", "1 business day")
    later.check_like(later.targets, (), later.known, week.frequency, "test")
    (moved,) = later.on(week.frequency).series
    np.testing.assert_array_equal(moved.values[:, 0], [4, 5, np.nan, np.nan, 8, 9])
    np.testing.assert_array_equal(moved.known[:, 0], [0, 1, np.nan, np.nan, 2, 3, 4])


def test_a_clock_with_an_offset_continues_after_one_in_utc():
    """As training on bundles of before has it, which kept UTC alone."""
    utc = one([1, 2, 3], ["2024-01-01T18:30Z", "2024-01-02T18:30Z", "2024-01-03T18:30Z"])
    clock = one([4, 5], ["2024-01-05T00:00+05:30", "2024-01-06T00:00+05:30"])
    np.testing.assert_array_equal(clock.after(utc, "test").series[0].values[:, 0], [1, 2, 3, 4, 5])
    back = one([4, 5], ["2024-01-04T18:30Z", "2024-01-05T18:30Z"])
    before = one([1, 2], ["2024-01-03T00:00+05:30", "2024-01-04T00:00+05:30"])
    np.testing.assert_array_equal(back.after(before, "test").series[0].values[:, 0], [1, 2, 4, 5])
