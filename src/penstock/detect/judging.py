"""Detections beside labelled windows: what the scores of a model and its baselines are counted from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.detect.nab import Scored
from penstock.detect.scores import best_thresholds, detection_scores, detection_sums
from penstock.detect.timelines import Timeline, Timelines
from penstock.runtime.judged import Judged

if TYPE_CHECKING:
    from penstock.detect.model import Detections, DetectorModel

__all__ = ["baseline_scored", "judged", "model_scored", "scored"]

_WEEK = 7 * 86_400


def model_scored(detections: "Sequence[Detections]", data: Timelines) -> list[Scored]:
    """Return the model's scores of each series, in units of their thresholds, so that series can be judged together."""
    return [
        scored(
            found.series,
            data,
            found.score / found.threshold,
            found.anomaly,
            None if found.examples is None else (found.examples.cuts, found.examples.score),
        )
        for found in detections
    ]


def baseline_scored(model: "DetectorModel", data: Timelines, name: str) -> list[Scored]:
    """Return a baseline's scores of each series."""
    baselines, features = model.baselines, model.features
    assert baselines is not None
    found = []
    for series in data:
        cuts = model.cuts(series)
        scores = baselines.scores(name, features.standardised(series), features.identity(series.name), cuts)
        examples = None if cuts is None else (cuts, _means(scores, cuts))
        found.append(scored(series, data, scores, baselines.flags(name, scores), examples))
    return found


def scored(
    series: Timeline,
    data: Timelines,
    scores: NDArray[np.float64],
    flags: NDArray[np.bool_],
    examples: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None,
) -> Scored:
    """Return scores of a series, and of its examples if there are some, beside its labelled windows."""
    windows = None if data.windows is None else _apart(series.places(data.windows.get(series.name, ())))
    return Scored(scores, windows, series.begin, flags, _weeks(series), examples)


def judged(several: Sequence[Scored]) -> Judged:
    """Return the scores of series, judged together."""
    sums = detection_sums(several, best_thresholds(several))
    return Judged(detection_scores(several), sums, np.zeros(0), np.zeros(0), single=False)


def _means(scores: NDArray[np.float64], cuts: NDArray[np.int64]) -> NDArray[np.float64]:
    """A baseline's score of each example: the mean of its rows' scores, NaN if no row has one."""
    there = ~np.isnan(scores)
    sums, counts = (np.add.reduceat(each, cuts[:-1]) for each in (np.where(there, scores, 0.0), there.astype(float)))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _apart(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending windows, those that overlap joined."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(windows):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def _weeks(series: Timeline) -> float:
    if series.times is None or series.times.dtype.kind != "M":
        return float("nan")
    return float((series.times[-1] - series.times[series.begin]).astype(np.int64)) / _WEEK
