"""Examples: whole series are divided at random, windows of long series by time; labelled ones are not learned from."""

import numpy as np

from penstock import AnomalyDetector
from penstock.detect.building import array_timelines
from penstock.detect.reconstruct.data import prepare_examples, split_examples

EXAMPLES = array_timelines({str(n): np.arange(4.0) + n for n in range(10)})


def test_series_that_are_examples_stay_whole():
    parts = split_examples(EXAMPLES, (0.7, 0.3), None, 0)
    names = [[series.name for series in part] for part in parts]
    assert list(map(len, parts)) == [7, 3]
    assert sorted(names[0] + names[1]) == sorted(series.name for series in EXAMPLES)
    assert all(len(series) == 4 for part in parts for series in part)
    assert names == [[series.name for series in part] for part in split_examples(EXAMPLES, (0.7, 0.3), None, 0)]
    estimator = AnomalyDetector(kind="reconstruct")
    assert [[series.name for series in part] for part in estimator.split(EXAMPLES, (0.7, 0.3), 0)] == names


def test_windows_are_divided_by_time():
    train, valid = split_examples(EXAMPLES, (0.5, 0.5), 2, 0)
    assert all(len(series) == 2 for series in train)
    assert all((series.begin, len(series)) == (2, 4) for series in valid)


def test_labelled_examples_are_left_out_of_training_and_counted():
    data = EXAMPLES.labelled({"0": [(0, 3)], "1": [(1, 1)]})
    found = prepare_examples(data, EXAMPLES, None, 0.2, None, 0)
    assert [series.name for series in found.train.data] == [str(n) for n in range(1, 10)]
    np.testing.assert_array_equal(found.train.data.series[0].values[:, 0], [1, np.nan, 3, 4])
    assert found.dropped == {"examples of one row, or labelled as a whole": 1}
    assert found.changed == {"steps in labelled windows, left out of training": 5}
