"""Stratified and random splits of labelled rows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError

__all__ = ["parse_proportions", "random_split", "stratified_split"]


def parse_proportions(text: str) -> tuple[float, ...]:
    """Parse proportions such as "0.8/0.1/0.1"."""
    try:
        proportions = tuple(float(part) for part in text.split("/"))
    except ValueError as error:
        raise ConfigError(f"a split must be proportions like 0.8/0.1/0.1; got {text!r}") from error
    _check(proportions)
    return proportions


def stratified_split(
    labels: Sequence[Any] | np.ndarray, proportions: Sequence[float], *, random_state: int = 0
) -> tuple[np.ndarray, ...]:
    """Return the rows of each part, in ascending order, stratified by class.

    Every class has a row in the first part, for training; a class with few rows may be missing from the others. The
    sizes of the parts are the rounded proportions.

    Args:
        labels: (rows,), hashable.
        proportions: proportion of each part, with the sum 1, such as (0.8, 0.1, 0.1).
        random_state: seed; the same seed gives the same parts on every machine.

    Raises:
        ConfigError: the proportions are invalid.
        DataError: a part would be empty.
    """
    _check(proportions)
    plain = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    rank = {label: number for number, label in enumerate(dict.fromkeys(plain))}
    classes = np.array([rank[label] for label in plain], np.int64)
    shuffled = np.random.default_rng(random_state).permutation(len(classes))
    # The rows of a class are spread evenly over [0, 1), the first at 0; cutting this interval stratifies the parts.
    places = np.empty(len(classes))
    for number in range(len(rank)):
        rows = shuffled[classes[shuffled] == number]
        places[rows] = np.arange(len(rows)) / len(rows)
    order = shuffled[np.argsort(places[shuffled], kind="stable")]
    cuts = np.rint(np.cumsum(proportions)[:-1] * len(order)).astype(np.int64)
    parts = tuple(np.sort(part) for part in np.split(order, cuts))
    if not all(map(len, parts)) or len(parts[0]) < len(rank):
        several = f"rows of {len(rank)} classes are" if len(rank) > 1 else "rows are"
        raise DataError(
            f"{'one sample is' if len(order) == 1 else f'{len(order)} {several}'} too few for a split of "
            f"{'/'.join(map(str, proportions))}: "
            f"its parts would have {', '.join(str(len(part)) for part in parts)} rows. Give more rows or fewer parts."
        )
    return parts


def random_split(rows: int, proportions: Sequence[float], *, random_state: int = 0) -> tuple[np.ndarray, ...]:
    """Return the rows of each part, in ascending order, drawn at random: for numeric targets.

    Raises:
        ConfigError: the proportions are invalid, or `rows` is not an integer from 0 on.
        DataError: a part would be empty.
    """
    return stratified_split([0] * check_whole("rows", rows, at_least=0), proportions, random_state=random_state)


def _check(proportions: Sequence[float]) -> None:
    given = "/".join(map(str, proportions))
    if len(proportions) < 2 or not all(math.isfinite(part) and part > 0 for part in proportions):
        raise ConfigError(f"a split must be two or more proportions above 0, like 0.8/0.1/0.1; got {given}")
    if not math.isclose(sum(proportions), 1, abs_tol=1e-6):
        raise ConfigError(
            f"the proportions of a split must have the sum 1; got {given}, whose sum is {sum(proportions):g}"
        )
