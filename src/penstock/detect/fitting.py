"""What a detector learns without gradients: scales of the series, calendar features, and the first threshold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.features import DetectFeatures, log_gaps, moments
from penstock.detect.threshold import PEAKS, fitted_peaks
from penstock.detect.timelines import Timeline, Timelines

if TYPE_CHECKING:
    from penstock.detect.model import DetectorModel

__all__ = ["fitted_features", "fitted_scores"]

_DAY = 86_400
_IRREGULAR, _UNUSUAL = 0.01, 0.05
"""The network reads the time between rows if more than this share of it differs by more than this, in its logarithm."""


def fitted_features(data: Timelines, calendar: Sequence[str] | None, **settings: Any) -> DetectFeatures:
    """Return the features of training series.

    Args:
        data: the training series.
        calendar: names of calendar features; None for those that suit the times.
        settings: of `DetectFeatures`.
    """
    dated = None if data.time is None else data.series[0].times.dtype.kind == "M"  # type: ignore[union-attr]
    gaps = [log_gaps(series.times, len(series))[1:] for series in data]
    usual = [float(np.median(each)) for each in gaps]
    late = np.concatenate([each - middle for each, middle in zip(gaps, usual, strict=True)])
    both = [moments(series.values) for series in data]
    scales = {
        "location": np.stack([location for location, _ in both]),
        "variance": np.stack([variance for _, variance in both]),
        "gap": np.array(usual),
        "gap_variance": np.array([_robust(each - middle) ** 2 for each, middle in zip(gaps, usual, strict=True)]),
        "longest": np.stack([_longest(series.values) for series in data]),
    }
    return DetectFeatures(
        targets=data.targets,
        covariates=data.covariates,
        time=data.time,
        id=data.id,
        time_format=data.time_format,
        dated=dated,
        calendar=tuple(_calendar(data.series) if calendar is None else calendar) if dated else (),
        irregular=bool((np.abs(late) > _UNUSUAL).mean() > _IRREGULAR),
        names=tuple(series.name for series in data),
        scales=scales,
        covariate_scale=_covariate_scale(data),
        **settings,
    )


def fitted_scores(
    model: "DetectorModel", train: Timelines, valid: Timelines, contamination: float
) -> dict[str, NDArray[np.float64]]:
    """Return the peaks of ordinary scores, of all series together and of each: `DetectFeatures.peaks`.

    Args:
        model: the model, without peaks.
        train, valid: the series; of those in both, `valid`, which has the steps before as history.
        contamination: the share of the highest scores that is left out.
    """
    latest = {series.name: series for series in (*train, *valid)}
    data = valid.with_series([latest[name] for name in model.features.names])
    several = []
    for found, marked in zip(model.predict(data), data.marked(), strict=True):
        settled = np.arange(len(marked)) >= min(model.features.probation, len(marked) // 4)
        scores = np.sort(found.score[settled & ~marked & ~np.isnan(found.score)])
        several.append(scores[: max(1, round(len(scores) * (1 - contamination)))])
    together = np.concatenate(several)
    peaks = [fitted_peaks(each if len(each) else together) for each in (together, *several)]
    return {name: np.array([each[name] for each in peaks]) for name in PEAKS}


def _robust(deviations: NDArray[np.float64]) -> float:
    """The standard deviation by the median of the deviations' sizes, as if they were normal."""
    return float(np.median(np.abs(deviations)) * 1.4826)


def _longest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most steps in a row at which each column (steps, targets) repeats the value before."""
    same = np.diff(values, axis=0) == 0
    steps = np.arange(1, len(same) + 1)[:, None]
    broken = np.maximum.accumulate(np.where(same, 0, steps), axis=0)
    return np.max(steps - broken, axis=0, initial=0).astype(np.float64)


def _calendar(several: Sequence[Timeline]) -> list[str]:
    """The circles that the series went round often enough: of a few days, the hour is learned by heart."""
    spans = [int((each.times[-1] - each.times[0]).astype(np.int64)) for each in several if each.times is not None]
    steps = [int(np.median(np.diff(each.times.astype(np.int64)))) for each in several if each.times is not None]
    span, step = float(np.median(spans)), float(np.median(steps))
    circles = (("hour", _DAY, 14), ("weekday", 7 * _DAY, 8), ("yearday", 365 * _DAY, 3))
    return [name for name, circle, rounds in circles if step < circle and span >= rounds * circle]


def _covariate_scale(data: Timelines) -> NDArray[np.float64]:
    values = np.concatenate([series.covariates for series in data])
    if not values.shape[1]:
        return np.zeros((2, 0))
    location, variance = moments(values)
    return np.stack([location, np.where(variance > 0, np.sqrt(variance), 1.0)])
