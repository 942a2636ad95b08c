"""Rows a second that a pool of anomaly detectors judges, scores included.

    python benchmarks/serving/detectors.py

10,000 series with a daily season of 96 points advance together, a row each and a call; the detector has its default
options but for the epochs, which do not change the time. The first day fills the profiles, and is not timed.
"""

import argparse
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from penstock import AnomalyDetector, engine

POINTS = 96
START, STEP = np.datetime64("2026-01-01", "s"), np.timedelta64(15, "m")


def main() -> None:
    """Print the rows a second, the median of the calls of a day."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    engine.set_num_threads(arguments.threads)
    draw = np.random.default_rng(0)
    days = np.arange(20 * POINTS)
    frame = pd.DataFrame({"unique_id": "flow", "ds": START + days * STEP, "y": _flow(draw, days)})
    detector = AnomalyDetector(epochs=1, baseline=False).fit(frame)
    pool = detector.model_.pool()
    ids, seconds = pool.open(arguments.series), []
    for step in range(2 * POINTS):
        values = _flow(draw, np.full(arguments.series, step))[:, None]
        times = np.full(arguments.series, START + (len(days) + step) * STEP)
        begin = perf_counter()
        pool.step(ids, values, times)
        seconds.append(perf_counter() - begin)
    rate = arguments.series / median(seconds[POINTS:])
    print(f"{arguments.series:,} series, {arguments.threads} threads: {rate:,.0f} rows a second")


def _flow(draw: np.random.Generator, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values at steps of a day, with noise."""
    return 50 + 10 * np.sin(2 * np.pi * steps / POINTS) + draw.normal(size=len(steps))


if __name__ == "__main__":
    main()
