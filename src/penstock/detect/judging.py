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
    return [scored(found.series, data, found.score / found.threshold, found.anomaly) for found in detections]


def baseline_scored(model: "DetectorModel", data: Timelines, name: str) -> list[Scored]:
    """Return a baseline's scores of each series."""
    baselines, features = model.baselines, model.features
    assert baselines is not None
    found = []
    for series in data:
        scores = baselines.scores(name, features.standardised(series), features.identity(series.name))
        found.append(scored(series, data, scores, baselines.flags(name, scores)))
    return found


def scored(series: Timeline, data: Timelines, scores: NDArray[np.float64], flags: NDArray[np.bool_]) -> Scored:
    """Return scores of a series beside its labelled windows."""
    windows = None if data.windows is None else _apart(series.places(data.windows.get(series.name, ())))
    return Scored(scores, windows, series.begin, flags, _weeks(series))


def judged(several: Sequence[Scored]) -> Judged:
    """Return the scores of series, judged together."""
    sums = detection_sums(several, best_thresholds(several))
    return Judged(detection_scores(several), sums, np.zeros(0), np.zeros(0), single=False)


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
