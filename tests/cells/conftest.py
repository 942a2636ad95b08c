"""Every cell in every form, and random numbers of the right shapes for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from penstock.cells import VARIANTS, Cell, find

Draw = Callable[..., dict[str, np.ndarray]]


def _id(variant: tuple[str, dict[str, Any]]) -> str:
    name, options = variant
    return "-".join([name, *(f"{option}={value}" for option, value in options.items())])


@pytest.fixture(scope="session", params=VARIANTS, ids=_id)
def variant(request: pytest.FixtureRequest) -> Callable[[int], tuple[Cell, dict[str, Any]]]:
    """hidden_size -> the cell and its options, with a projection of half of that size where it has one."""
    name, options = request.param

    def of_size(hidden_size: int) -> tuple[Cell, dict[str, Any]]:
        half = max(1, hidden_size // 2)
        return find(name), {option: half if value is None else value for option, value in options.items()}

    return of_size


@pytest.fixture(scope="session")
def random_parameters() -> Draw:
    """(cell, input_size, hidden_size, seed=0, dtype=float64, bias=True, **options) -> arrays by name."""

    def draw(
        cell: Cell,
        input_size: int,
        hidden_size: int,
        seed: int = 0,
        dtype: type = np.float64,
        bias: bool = True,
        **options: Any,
    ) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        shapes = cell.parameter_shapes(input_size, hidden_size, bias, **options)
        return {name: rng.uniform(-1, 1, shape).astype(dtype) for name, shape in shapes.items()}

    return draw


@pytest.fixture(scope="session")
def random_sequences() -> Callable[..., tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """(cell, steps, batch, input_size, hidden_size, seed=0, dtype=float64, **options) -> x, states."""

    def draw(
        cell: Cell,
        steps: int,
        batch: int,
        input_size: int,
        hidden_size: int,
        seed: int = 0,
        dtype: type = np.float64,
        **options: Any,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        rng = np.random.default_rng([seed, 1])
        x = rng.standard_normal((steps, batch, input_size)).astype(dtype)
        sizes = cell.state_sizes(hidden_size, **options)
        return x, tuple(rng.uniform(-1, 1, (batch, size)).astype(dtype) for size in sizes)

    return draw
