"""Detections beside what is known of the series: scores of a model."""

from collections.abc import Sequence

import numpy as np

from penstock.detect.timelines import Timeline
from penstock.runtime.judged import Judged
from penstock.runtime.resampling import Sums

__all__ = ["alarm_scores"]

_WEEK = 7 * 86_400


def alarm_scores(flags: Sequence[np.ndarray], several: Sequence[Timeline]) -> Judged:
    """Return `alarms_per_week`, or `alarms_per_1000` steps without times; flagged steps in a row are one alarm.

    Args:
        flags: the flagged steps of each series, (steps,) bool.
        several: the series.
    """
    counts = [np.diff(each[series.begin :].astype(int), prepend=0) for each, series in zip(flags, several, strict=True)]
    dated = all(series.times is not None and series.times.dtype.kind == "M" for series in several)
    lengths = [_weeks(series) if dated else (len(series) - series.begin) / 1000 for series in several]
    values = np.array([[(count > 0).sum(), length] for count, length in zip(counts, lengths, strict=True)], np.float64)
    name = "alarms_per_week" if dated else "alarms_per_1000"
    sums = Sums(values, lambda each: {name: each[..., 0] / each[..., 1]}, len(values))
    totals = values.sum(axis=0)
    return Judged({name: float(totals[0] / totals[1])}, sums, np.zeros(0), np.zeros(0), single=False)


def _weeks(series: Timeline) -> float:
    assert series.times is not None
    return float((series.times[-1] - series.times[series.begin]).astype(np.int64)) / _WEEK
