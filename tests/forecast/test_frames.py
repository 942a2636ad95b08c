"""Frames of pandas and Polars in, a frame of the same kind out, with the times, ids and quantiles of the forecast."""

import subprocess
import sys

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import penstock
from penstock.errors import DataError
from penstock.tasks import Forecaster

STEPS, HORIZON = 60, 3
DAYS = pandas.date_range("2024-01-01", periods=STEPS)
QUANTILES = ["quantile_0.1", "quantile_0.5", "quantile_0.9"]
NUMBERS = ["step", "prediction", *QUANTILES]


def fit(data):
    options = {"horizon": HORIZON, "context": 6, "hidden_size": 2, "epochs": 1, "batch_size": 64, "season": 7}
    return Forecaster(**options, baseline=False, random_state=0).fit(data)


def wave(steps=STEPS):
    return 5 + np.sin(np.arange(steps)) + np.arange(steps) / 50


def long(steps=STEPS):
    days = pandas.date_range("2024-01-01", periods=steps, freq="D")
    sold = np.concatenate([wave(steps), wave(steps) + 9])
    return pandas.DataFrame({"shop": np.repeat([7, 3], steps), "day": np.tile(days, 2), "sold": sold})


@pytest.fixture(scope="module")
def shops():
    """Fitted on two series; not to be changed."""
    return fit(penstock.read_series(long(), time="day", id="shop", target="sold"))


@pytest.fixture(scope="module")
def days():
    """Fitted on one series of days; not to be changed."""
    return fit(pandas.Series(wave(), pandas.date_range("2024-01-01", periods=STEPS)))


def test_a_forecast_is_a_frame_with_ids_times_and_quantiles(shops):
    found, panel = shops.predict(long()), penstock.read_series(long(), time="day", id="shop", target="sold")
    assert list(found.columns) == ["shop", "day", *NUMBERS]
    assert found["shop"].tolist() == [7] * HORIZON + [3] * HORIZON
    assert found["day"].tolist() == list(pandas.date_range("2024-03-01", periods=HORIZON)) * 2
    assert found["day"].dtype == long()["day"].dtype
    assert found["step"].tolist() == [1, 2, 3] * 2
    np.testing.assert_array_equal(found["prediction"], shops.predict(panel).ravel())
    np.testing.assert_array_equal(found[QUANTILES], shops.predict_quantiles(panel).reshape(-1, 3))
    np.testing.assert_array_equal(shops.predict_quantiles(long()), shops.predict_quantiles(panel))


def test_polars_in_is_polars_out(shops):
    found = shops.predict(polars.from_pandas(long()))
    assert isinstance(found, polars.DataFrame)
    assert found["day"].dtype == polars.from_pandas(long())["day"].dtype
    pandas.testing.assert_frame_equal(found.to_pandas(), shops.predict(long()))


class OfAnotherPackage:
    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "wrap", [pyarrow.Table.to_batches, pyarrow.Table.to_reader, OfAnotherPackage, lambda table: table]
)
def test_arrow_in_is_arrow_out(shops, wrap):
    table = pyarrow.Table.from_pandas(long(), preserve_index=False)
    given = wrap(table)
    found = shops.predict(given[0] if isinstance(given, list) else given)
    assert isinstance(found, pyarrow.Table)
    pandas.testing.assert_frame_equal(found.to_pandas(), shops.predict(long()), check_dtype=False)
    assert shops.model_.evaluate(table)["metrics"] == shops.model_.evaluate(long())["metrics"]
    assert list(shops.model_.answers(table)) == list(shops.model_.answers(long()))


@pytest.mark.parametrize(
    ("shop", "day"),
    [
        (pyarrow.int8(), pyarrow.timestamp("s")),
        (pyarrow.int64(), pyarrow.date32()),
        (pyarrow.uint16(), pyarrow.date64()),
        (pyarrow.string(), pyarrow.string()),
        (pyarrow.dictionary(pyarrow.int8(), pyarrow.string()), pyarrow.large_string()),
    ],
)
def test_columns_of_arrow_keep_their_types(shops, shop, day):
    frame = long()
    if not pyarrow.types.is_integer(shop):
        frame["shop"] = frame["shop"].astype(str)
    if pyarrow.types.is_string(day) or pyarrow.types.is_large_string(day):
        frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
    schema = pyarrow.schema([("shop", shop), ("day", day), ("sold", pyarrow.float32())])
    found = shops.predict(pyarrow.Table.from_pandas(frame, schema, preserve_index=False))
    assert [found.schema.field(name).type for name in ("shop", "day")] == [shop, day]
    assert found["shop"].to_pylist() == [frame["shop"].iloc[0]] * HORIZON + [frame["shop"].iloc[-1]] * HORIZON
    assert str(found["day"][0].as_py())[:10] == "2024-03-01"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "+05:30"])
@pytest.mark.parametrize("step", ["D", "h"])
def test_times_of_arrow_are_those_of_pandas(days, zone, step):
    start = "2024-02-01" if step == "D" else "2024-03-28 14:00"  # the forecast crosses a change of Berlin's clocks
    frame = pandas.DataFrame({"ds": pandas.date_range(start, periods=STEPS, freq=step, tz=zone), "y": wave()})
    model = fit(frame)
    found = model.predict(pyarrow.Table.from_pandas(frame, preserve_index=False))
    assert found.schema.field("ds").type.tz == zone
    assert found["ds"].to_pylist() == [each.to_pydatetime() for each in model.predict(frame)["ds"]]


def test_a_loaded_model_does_the_same_without_narwhals_and_pytorch(shops, tmp_path):
    shops.save(tmp_path / "model")
    long().to_parquet(tmp_path / "long.parquet")
    shops.predict(long()).to_parquet(tmp_path / "expected.parquet")
    program = f"""
import sys
sys.modules["narwhals"] = sys.modules["torch"] = None
import pandas, penstock
found = penstock.load({str(tmp_path / "model")!r}).predict(pandas.read_parquet({str(tmp_path / "long.parquet")!r}))
pandas.testing.assert_frame_equal(found, pandas.read_parquet({str(tmp_path / "expected.parquet")!r}))
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr == ""


def test_order_gaps_and_missing_series_change_no_forecast(shops):
    expected = shops.predict(long()).query("shop == 3").reset_index(drop=True)
    part = long().query("shop == 3").sample(frac=1, random_state=0)
    pandas.testing.assert_frame_equal(shops.predict(part), expected)
    gap = shops.predict(part[part["day"] != pandas.Timestamp("2024-01-02")])  # before the context
    assert gap["day"].tolist() == expected["day"].tolist()


def test_what_a_forecast_can_not_be_made_from_is_an_error(shops):
    with pytest.raises(DataError, match="no rows"):
        shops.predict(long().iloc[:0])
    with pytest.raises(DataError, match=r"columns of training, day, shop, sold; shop is not among day, sold"):
        shops.predict(long().drop(columns="shop"))
    with pytest.raises(DataError, match="stands twice"):
        shops.predict(pandas.concat([long(), long().iloc[:1]]))


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_times_of_days_keep_their_zone(days, zone):
    series = pandas.Series(wave(), pandas.date_range("2024-02-01", periods=STEPS, tz=zone, name="day"), name="sold")
    model = days if zone is None else fit(series)
    frame = series if zone is not None else series.rename("y").rename_axis("ds")
    expected = pandas.date_range("2024-04-01", periods=HORIZON, tz=zone)  # after Berlin's clocks went forward
    name = frame.index.name
    found = model.predict(frame)
    assert list(found.columns) == [name, *NUMBERS]
    assert found[name].tolist() == list(expected)
    other = model.predict(polars.from_pandas(frame.reset_index()))
    assert other[name].dtype.time_zone == zone
    assert other[name].to_list() == [each.to_pydatetime() for each in expected]


def test_hours_pass_over_the_hour_that_a_clock_leaves_out():
    index = pandas.date_range("2024-03-28 14:00", periods=STEPS, freq="h", tz="Europe/Berlin", name="ds")
    frame = pandas.DataFrame({"y": wave()}, index)
    model = fit(frame)
    expected = pandas.date_range(index[-1], periods=HORIZON + 1, freq="h")[1:]
    assert [str(each.time()) for each in expected] == ["03:00:00", "04:00:00", "05:00:00"]
    assert model.predict(frame)["ds"].tolist() == list(expected)
    other = model.predict(polars.from_pandas(frame.reset_index()))
    assert other["ds"].to_list() == [each.to_pydatetime() for each in expected]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pandas.period_range("2020-01", periods=STEPS, freq="M"), pandas.period_range("2025-01", periods=3, freq="M")),
        (
            pandas.bdate_range("2024-01-01", periods=STEPS) + pandas.Timedelta(hours=16),
            pandas.bdate_range("2024-03-25", periods=3) + pandas.Timedelta(hours=16),
        ),
        (pandas.RangeIndex(5, 5 + STEPS), [65, 66, 67]),
        ([f"{day:%Y-%m-%d}" for day in DAYS], ["2024-03-01", "2024-03-02", "2024-03-03"]),
        ([int(f"{day:%Y%m%d}") for day in DAYS], [20240301, 20240302, 20240303]),
        (DAYS.date, list(pandas.date_range("2024-03-01", periods=3).date)),
    ],
    ids=["periods", "business days", "numbers", "texts", "whole numbers", "dates"],
)
def test_times_come_back_as_what_they_came(times, expected):
    frame = pandas.DataFrame({"ds": times, "y": wave()})
    assert fit(frame).predict(frame)["ds"].tolist() == list(expected)


@pytest.mark.parametrize("kind", [pandas.Series, polars.Series])
def test_a_series_without_times_is_forecast_by_steps(kind):
    series = kind(wave())
    found = fit(series).predict(series)
    assert list(found.columns) == NUMBERS
    assert type(found).__module__.split(".")[0] == kind.__module__.split(".")[0]


def test_arrays_in_are_arrays_out(days):
    assert days.predict(wave()).shape == (1, HORIZON, 1)
    assert days.predict({"a": wave(), "b": wave()}).shape == (2, HORIZON, 1)


def test_series_by_name_and_an_index_of_ids_and_times(shops):
    index = pandas.date_range("2024-01-01", periods=STEPS, name="day")
    named = {"x": pandas.Series(wave(), index), "z": pandas.Series(wave() + 9, index)}
    found = fit(named).predict(named)
    assert list(found.columns) == ["unique_id", "day", *NUMBERS]
    assert found["unique_id"].tolist() == ["x"] * HORIZON + ["z"] * HORIZON
    pandas.testing.assert_frame_equal(shops.predict(long().set_index(["shop", "day"])), shops.predict(long()))


def test_several_targets_and_categories():
    wide = pandas.DataFrame({"ds": pandas.date_range("2024-01-01", periods=STEPS), "a": wave(), "b": wave() * 2})
    wide = wide.assign(unique_id=pandas.Categorical(["one"] * STEPS))
    model = fit(penstock.read_series(wide, target=["a", "b"]))
    for given in (wide, polars.from_pandas(wide)):
        found = model.predict(given)
        assert list(found.columns) == ["unique_id", "ds", "target", *NUMBERS]
        assert list(found["target"]) == ["a"] * HORIZON + ["b"] * HORIZON
        assert found["unique_id"].dtype == given["unique_id"].dtype
        np.testing.assert_array_equal(found["prediction"], model.predict_quantiles(given)[0, :, :, 1].T.ravel())


def test_a_name_that_the_forecast_needs_is_refused():
    frame = pandas.DataFrame({"step": np.arange(STEPS), "y": wave()})
    model = fit(penstock.read_series(frame, time="step"))
    with pytest.raises(DataError, match=r"column step .* Rename it"):
        model.predict(frame)
    frame = pandas.DataFrame({"ds": np.arange(STEPS), "y": wave()}, pandas.date_range("2024-01-01", periods=STEPS))
    with pytest.raises(DataError, match=r"ds is another column's too"):
        fit(frame)
