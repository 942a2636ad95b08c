"""Series with irregular times, and labelled windows beside them, from files."""

import json

import numpy as np
import pytest

from penstock.detect.features import DetectFeatures
from penstock.detect.fitting import fitted_features
from penstock.detect.readers import read_timelines, read_windows
from penstock.errors import DataError

TIMES = ["2024-01-01 00:00", "2024-01-01 02:00", "2024-01-01 01:00", "2024-01-01 01:00", "2024-01-05 00:00"]


@pytest.fixture
def irregular():
    return read_timelines({"at": TIMES, "v": [1.0, 2.0, 3.0, 4.0, 5.0]}, time="at", target="v")


def test_rows_are_sorted_by_time_and_double_times_are_kept_and_counted(irregular):
    (series,) = irregular
    assert series.rows.tolist() == [0, 2, 3, 1, 4]
    assert series.values[:, 0].tolist() == [1.0, 3.0, 4.0, 2.0, 5.0]
    assert irregular.changed["rows out of order, sorted by time"] == 1
    assert irregular.changed["rows at the time of the row before them, kept"] == 1


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_windows_are_those_of_the_series_by_its_name_or_its_file(irregular, tmp_path, suffix):
    path, pair = tmp_path / f"windows{suffix}", ["2024-01-01 00:30:00.000000", "2024-01-01 01:00:00"]
    if suffix == ".json":
        path.write_text(json.dumps({"other.csv": [], "folder/pump.csv": [pair]}))
    else:
        path.write_text("series,start,end\n" + f"folder/pump.csv,{pair[0]},{pair[1]}\n")
    found = read_windows(path, irregular, "data/pump.csv")
    assert irregular.series[0].places(found["series"]) == [(1, 2)]
    assert irregular.labelled(found).marked()[0].tolist() == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "labelled windows must be JSON"),
        ('{"pump": [["2024-01-01"]]}', "labelled windows must be JSON"),
        (
            '{"valve": [["2024-01-01", "2024-01-02"]]}',
            "there must be windows for these series, series",
        ),
        ('{"series": [["2025-01-01", "2025-01-02"]]}', "must lie within their series"),
    ],
)
def test_windows_that_do_not_fit_are_refused(irregular, tmp_path, text, message):
    (tmp_path / "windows.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_windows(tmp_path / "windows.json", irregular, "pump.csv")


def test_a_line_of_windows_that_ends_too_early_is_named(irregular, tmp_path):
    (tmp_path / "windows.csv").write_text("start,end,series\n2024-01-01,2024-01-02,series\n2024-01-01\n")
    with pytest.raises(DataError, match=r"labelled windows must be JSON.*line 3 has fewer values than columns"):
        read_windows(tmp_path / "windows.csv", irregular, "pump.csv")


def test_features_come_back_as_they_were(irregular):
    features = fitted_features(irregular, ["hour"], probation=3)
    assert features.irregular
    again = DetectFeatures.from_json(json.loads(json.dumps(features.to_json())))
    assert again.to_json() == features.to_json()
    np.testing.assert_array_equal(again.encode(irregular.series[0]).x, features.encode(irregular.series[0]).x)
