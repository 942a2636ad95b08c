"""Numbers as people write them are read where a table leaves one reading; else it is asked."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.datasets.numbers import number_columns, plain_number
from penstock.errors import DataError

NAN = float("nan")


def read(values, decimal=None):
    return number_columns({"y": values}, decimal)["y"].tolist()


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "-2", "+3", "007"], [1, -2, 3, 7]),
        (["1.5", ".5", "2.", "1e3", " 4 "], [1.5, 0.5, 2, 1000, 4]),
        (["1,5", "2", ",5"], [1.5, 2, 0.5]),
        (["1.234,5", "1.234"], [1234.5, 1234]),
        (["1,234.5", "1,234"], [1234.5, 1234]),
        (["1,234,567", "1"], [1_234_567, 1]),
        (["0,123", "1,234"], [0.123, 1.234]),  # thousands never begin with 0
        (["0.123", "1.234"], [0.123, 1.234]),
        (["1.234.567", "1"], [1_234_567, 1]),
        (["1.234", "5.678"], [1.234, 5.678]),  # points alone
        (["12 345,6", "12\u202f345", "1\u00a0234"], [12345.6, 12345, 1234]),
        (["1'234.5", "1’234"], [1234.5, 1234]),
        (["−1,5"], [-1.5]),
        ([None, "NA", "#N/A", "?", " ", "1"], [NAN, NAN, NAN, NAN, NAN, 1]),
        ([1, "2,5", 3.5, True], [1, 2.5, 3.5, 1]),
        (np.array([1, 2], np.float32), [1, 2]),
    ],
)
def test_a_column_with_one_reading(cells, numbers):
    np.testing.assert_array_equal(read(cells), numbers)


@pytest.mark.parametrize("decimal", [".", ","])
@given(numbers=st.lists(st.decimals(-10_000_000, 10_000_000, places=2).map(float), min_size=1))
def test_numbers_written_with_groups_come_back(decimal, numbers):
    swapped = str.maketrans(",.", ".," if decimal == "," else ",.")
    assert read([f"{number:,.2f}".translate(swapped) for number in numbers]) == numbers


@pytest.mark.parametrize(("beside", "number"), [("0.5", 1234), ("0,5", 1.234)])
def test_other_columns_say_what_a_comma_is(beside, number):
    found = number_columns({"x": [beside], "y": ["1,234"], "n": ["7"]})
    assert found["y"].tolist() == [number]


def test_points_between_thousands_where_other_columns_have_decimal_commas():
    assert number_columns({"x": ["0,5"], "y": ["1.234"]})["y"].tolist() == [1234]


def test_what_could_be_two_numbers_is_asked():
    message = r"column y .* row 2 has '1,234', which is 1.234 with a decimal comma, 1234 .*--decimal ','"
    with pytest.raises(DataError, match=message):
        read(["5", "1,234"])
    assert read(["5", "1,234"], ",") == [5, 1.234]
    assert read(["5", "1,234"], ".") == [5, 1234]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "1_000"], "row 2 has '1_000'. Digits are 0 to 9, without underscores: write 1000"),
        (["１２"], "write 12"),
        (["1", "two"], "the column y must hold numbers; row 2 has 'two'. A missing value is empty"),
        (["1,5", "1.5"], "must have one decimal mark; row 1 has '1,5' and row 2 has '1.5'"),
        (["12,34,567"], "must hold numbers; row 1 has '12,34,567'"),
        (["1e"], "must hold numbers"),
        (["0x1f"], "must hold numbers"),
        ([[1]], r"row 1 has \[1\]"),
    ],
)
def test_what_is_not_a_number_is_named(cells, message):
    with pytest.raises(DataError, match=message):
        read(cells)


def test_commas_are_said_in_a_line(caplog):
    caplog.set_level(logging.INFO, "penstock")
    number_columns({"x": ["1,5"], "y": ["1.000"], "z": ["7"]})
    assert [record.message for record in caplog.records] == [
        "the column x has decimal commas",
        "the column y has points between thousands",
    ]


@pytest.mark.parametrize("text", ["1_0", "１", "1,5", "", "x"])
def test_a_number_alone_is_plain(text):
    with pytest.raises(ValueError, match="could not convert"):
        plain_number(text)
    assert plain_number(" -1.5e3 ") == -1500
