"""Signals as people hold them, and as they write them in lines."""

import numpy as np
import pandas
import polars
import pytest
from scipy.sparse import csr_array

from penstock.errors import DataError, ShapeError
from penstock.sequences import Sequences
from penstock.signals.arrays import signal_list
from penstock.signals.lines import parse_signal, parse_step

CUBE = np.arange(12.0).reshape(2, 3, 2)
FLAT = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])


def shapes(signals):
    return [each.shape for each in signals]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (CUBE, [(3, 2), (3, 2)]),
        (CUBE.astype(np.int32), [(3, 2), (3, 2)]),
        (FLAT, [(3, 1), (2, 1)]),
        (pandas.DataFrame(FLAT), [(3, 1), (2, 1)]),
        (polars.DataFrame(FLAT), [(3, 1), (2, 1)]),
        ([[1, 2, 3], [4, None]], [(3, 1), (2, 1)]),
        ([np.ones((3, 2)), np.ones((1, 2))], [(3, 2), (1, 2)]),
        ([pandas.DataFrame(np.ones((3, 2))), np.ones((0, 2))], [(3, 2), (0, 2)]),
        (pandas.Series([[1.0, 2.0], [3.0]]), [(2, 1), (1, 1)]),
        (Sequences.from_list([np.ones((2, 3))]), [(2, 3)]),
        ([], []),
    ],
)
def test_many_forms_are_taken(values, expected):
    assert shapes(signal_list(values)) == expected


def test_padding_at_the_end_is_cut_and_holes_stay():
    padded = np.full((1, 4, 2), np.nan)
    padded[0, :3, 0] = [1, np.nan, 3]
    (signal,) = signal_list(padded)
    assert signal.shape == (3, 2)
    assert np.isnan(signal[1]).all()


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ("warm", DataError, "an array or a list of arrays; got str"),
        ({"a": [1.0]}, DataError, "got dict"),
        (7, DataError, "got int"),
        ([1.0, 2.0], ShapeError, r"signal 0 is \(\)"),
        (np.ones(4), ShapeError, "put a single signal into a list"),
        ([np.ones((2, 2)), np.ones((2, 3))], ShapeError, r"channels=2\), as signal 0 has; signal 1 is \(2, 3\)"),
        ([[1.0], ["warm"]], DataError, "signal 1 must be numbers"),
        ([[1.0], [[1.0], [2.0, 3.0]]], DataError, "signal 1 must be numbers"),
        ([[1.0, 10**400]], DataError, "signal 0 must be numbers"),
        ([[1.0, np.inf]], DataError, "signal 0 must be finite numbers"),
        ([[1 + 2j]], DataError, "signal 0 must be real numbers. Complex data not supported"),
        (csr_array(np.eye(2)), DataError, "must be dense; got sparse csr_array"),
    ],
)
def test_what_is_not_a_signal_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        signal_list(values)


def test_the_channels_of_training_are_asked_for():
    with pytest.raises(ShapeError, match=r"channels=3\), as in training; signal 0 is \(3, 2\)"):
        signal_list(CUBE, channels=3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1, 2.5,?", [[1], [2.5], [np.nan]]),
        ("1\t2", [[1], [2]]),
        (" 1  2 ", [[1], [2]]),
        ("1,2:3,NA", [[1, 3], [2, np.nan]]),
        ("[1, null]", [[1], [np.nan]]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    ],
)
def test_a_line_is_a_signal(line, expected):
    np.testing.assert_array_equal(parse_signal(line), expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1,2", [1, 2]),
        ("1\t", [1, np.nan]),
        ("nan 2", [np.nan, 2]),
        ("[1, 2]", [1, 2]),
        ('{"b": 2, "a": 1}', [1, 2]),
        ('{"b": 2}', [np.nan, 2]),
    ],
)
def test_a_line_is_a_step(line, expected):
    np.testing.assert_array_equal(parse_step(line, 2, ["a", "b"]), expected)


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("1", ShapeError, "a step must be 2 numbers, one for each channel; got '1'"),
        ("1,warm", DataError, "expected a number; got 'warm'"),
        ("1,inf", DataError, "expected a finite number"),
        ('{"c": 2}', DataError, "a step has the channels a, b; got 'c'"),
        ("[1, 2", DataError, "expected numbers or JSON"),
        ("[" * 100_000, DataError, "expected numbers or JSON"),
        ("[[1, 2]]", ShapeError, "a step must be 2 numbers"),
        ('{"a": "warm"}', DataError, "a step must be numbers"),
    ],
)
def test_a_line_that_is_not_a_step_is_refused(line, error, message):
    with pytest.raises(error, match=message):
        parse_step(line, 2, ["a", "b"])


def test_lines_that_are_not_a_signal_are_refused():
    with pytest.raises(DataError, match="the same number of values; got 2, 1"):
        parse_signal("1,2:3")
    with pytest.raises(DataError, match="must be a list of numbers"):
        parse_signal("[[[1]]]")
    with pytest.raises(DataError, match="this model has no channel names"):
        parse_step('{"a": 1}', 1)
