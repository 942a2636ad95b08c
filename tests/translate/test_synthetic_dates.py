"""Dates in words and numbers, and their ISO form."""

import re
from datetime import date

import numpy as np

from penstock.translate.synthetic_dates import date_pairs


def test_each_pair_is_one_date() -> None:
    sources, targets = date_pairs(500, np.random.default_rng(0))

    assert len({re.sub(r"\d+", "9", source) for source in sources}) > 40  # months, weekdays, forms
    for source, target in zip(sources, targets, strict=True):
        day = date.fromisoformat(target)
        assert 1950 <= day.year < 2050
        assert str(day.year) in source
        assert str(day.day) in source
        assert (
            day.strftime("%b").lower() in source.lower() or f".{day.month:02}." in source or f"{day.month}月" in source
        )
        assert "day," not in source or day.strftime("%A") in source


def test_the_generator_draws_the_pairs() -> None:
    one, same, other = (date_pairs(5, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert one == same != other
