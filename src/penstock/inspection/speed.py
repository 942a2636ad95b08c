"""The speed of several models, measured while they take turns, so that other load on the machine hits all alike."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from penstock import engine

__all__ = ["interleaved"]

_FEWEST_ROUNDS, _MOST_ROUNDS = 3, 200


def interleaved(runs: Mapping[str, Callable[[], int]], seconds: float) -> dict[str, Any]:
    """Measure predictions per second, in rounds in which the models take turns, in alternating order.

    Args:
        runs: for each of two models, a function that predicts and returns the number of predictions.
        seconds: the time for all rounds; there are at least three, after one that is not counted.

    Returns:
        `predictions` of a round, `rounds`, `threads`; for each model `per_second`, the median, and its `range` of the
        middle half of the rounds; `ratio`, how many times as fast the first is, with `value` and `range`.
    """
    counts = {name: run() for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    ends, rounds = time.perf_counter() + seconds, 0
    while rounds < _FEWEST_ROUNDS or (rounds < _MOST_ROUNDS and time.perf_counter() < ends):
        for name in list(runs) if rounds % 2 else reversed(list(runs)):
            begun = time.perf_counter()
            runs[name]()
            times[name].append(time.perf_counter() - begun)
        rounds += 1
    speeds = {name: counts[name] / np.maximum(each, 1e-9) for name, each in times.items()}
    first, second = speeds.values()
    return {
        "predictions": max(counts.values()),
        "rounds": rounds,
        "threads": engine.get_num_threads(),
        **{name: {"per_second": float(np.median(each)), "range": _range(each)} for name, each in speeds.items()},
        "ratio": {"value": float(np.median(first / second)), "range": _range(first / second)},
    }


def _range(values: Any) -> list[float]:
    return np.quantile(values, (0.25, 0.75)).tolist()
