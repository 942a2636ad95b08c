import numpy as np
import pytest

from penstock.checks import check_number, check_one_of, check_whole
from penstock.errors import ConfigError


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_come_back_as_int(value):
    assert type(check_whole("steps", value, at_least=1, at_most=3)) is int


@pytest.mark.parametrize("value", [0, 4, True, np.True_, 3.0, "3", None])
def test_other_values_are_no_whole_number(value):
    with pytest.raises(ConfigError, match="steps must be a whole number from 1 to 3; got "):
        check_whole("steps", value, at_least=1, at_most=3)


def test_without_a_highest_value_the_lowest_is_named():
    assert check_whole("steps", 10**30, at_least=1) == 10**30
    with pytest.raises(ConfigError, match=r"steps must be a whole number, at least 1; got -2$"):
        check_whole("steps", -2, at_least=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, "1", 2.0])
def test_numbers_have_bounds_and_are_finite(value):
    with pytest.raises(ConfigError, match="share must be a number, at least 0 and below 2; got "):
        check_number("share", value, at_least=0, below=2)


@pytest.mark.parametrize("value", ["c", ["a"], None])
def test_choices_are_named(value):
    check_one_of("kind", "a", ("a", "b"))
    with pytest.raises(ConfigError, match="kind must be one of a, b; got "):
        check_one_of("kind", value, ("a", "b"))
