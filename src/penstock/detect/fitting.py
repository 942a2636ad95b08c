"""What a detector learns without gradients: scales of the series, calendar features, and the first threshold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.columns import columns_of
from penstock.detect.features import DetectFeatures
from penstock.detect.memory import NEVER
from penstock.detect.season_search import empty_profiles, fitted_profiles, fitted_seasons, last_times, no_seasons
from penstock.detect.threshold import PEAKS, UNIT, fitted_peaks
from penstock.detect.timelines import Timeline, Timelines
from penstock.detect.units import log_gaps, moments, spread_of

if TYPE_CHECKING:
    from penstock.detect.model import DetectorModel

__all__ = ["calibrate", "fitted_features"]

_DAY = 86_400
_ONE_IN_TEN = 1.0
"""Values that the distribution itself finds as likely are no peaks, however regular the series is."""
_IRREGULAR, _UNUSUAL = 0.01, 0.05
"""The network reads the time between rows if more than this share of it differs by more than this, in its logarithm."""


def fitted_features(data: Timelines, calendar: Sequence[str] | None, **settings: Any) -> DetectFeatures:
    """Return the features of training series.

    Args:
        data: the training series.
        calendar: names of calendar features; None for those that suit the times.
        settings: of `DetectFeatures`.
    """
    columns = columns_of(data)
    gaps = [log_gaps(series.times, len(series))[1:] for series in data]
    usual = [float(np.median(each)) for each in gaps]
    late = np.concatenate([each - middle for each, middle in zip(gaps, usual, strict=True)])
    both = [moments(series.values) for series in data]
    scales = {
        "location": np.stack([location for location, _ in both]),
        "variance": np.stack([variance for _, variance in both]),
        "gap": np.array(usual),
        "gap_variance": np.array([_robust(each - middle) ** 2 for each, middle in zip(gaps, usual, strict=True)]),
    }
    scales |= no_seasons(len(data), len(data.targets))
    return DetectFeatures(
        **columns,
        calendar=tuple(_calendar(data.series) if calendar is None else calendar) if columns["dated"] else (),
        irregular=bool((np.abs(late) > _UNUSUAL).mean() > _IRREGULAR),
        names=tuple(series.name for series in data),
        scales=scales,
        covariate_scale=_covariate_scale(data),
        **settings,
    )


def calibrate(model: "DetectorModel", train: Timelines, valid: Timelines, contamination: float) -> None:
    """Set what is ordinary: the peaks of the evidence, and the profiles of the seasons, of a model's features.

    Args:
        model: the model.
        train, valid: the series; of those in both, `valid`, which has the steps before as history.
        contamination: the share of the highest evidence that is left out.
    """
    features = model.features
    latest = {series.name: series for series in (*train, *valid)}
    data = valid.with_series([latest[name] for name in features.names])
    ordinary = _ordinary(train, valid, features.names)
    spreads = spread_of(features.scales["variance"])
    features.scales |= fitted_seasons(ordinary, spreads) | {"until": np.full(len(data), float(NEVER))}
    # A profile is followed from its beginning, so that no value is judged by itself.
    features.profile = empty_profiles(ordinary, features.scales, spreads)
    features.peaks = _fitted_peaks(model, data, contamination)
    features.profile = fitted_profiles(ordinary, features.scales, spreads)
    features.scales["until"] = last_times(ordinary)


def _ordinary(train: Timelines, valid: Timelines, names: Sequence[str]) -> list[Timeline]:
    """The series without what is labelled, the longer ones of those in both parts."""
    found: dict[str, Timeline] = {}
    for part in (train, valid):
        for series, marked in zip(part, part.marked(), strict=True):
            if series.name not in found or len(series) > len(found[series.name]):
                found[series.name] = replace(series, values=np.where(marked[:, None], np.nan, series.values))
    return [found[name] for name in names]


def _fitted_peaks(model: "DetectorModel", data: Timelines, contamination: float) -> dict[str, NDArray[np.float64]]:
    """`DetectFeatures.peaks`, by what is said of series."""
    several = []
    for found, marked in zip(model.predict(data), data.marked(), strict=True):
        settled = np.arange(len(marked)) >= min(model.features.probation, len(marked) // 4)
        surprise, repeats = found.evidence[settled & ~marked, :2], found.evidence[~marked, 2:]
        several.append([*surprise.T, *map(_runs, repeats.T)])
    together = [np.concatenate(kind) for kind in zip(*several, strict=True)]
    units = [(UNIT, _ONE_IN_TEN)] * 2 + [(1.0, 0.0)] * (len(together) - 2)
    peaks = [
        [_peaks(*kinds, contamination) for kinds in zip(each, together, units, strict=True)]
        for each in (together, *several)
    ]
    return {name: np.array([[kind[name] for kind in each] for each in peaks]) for name in PEAKS}


def _runs(repeats: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often a value was repeated before another came, (runs,), by a count that goes on (steps,)."""
    there = repeats[~np.isnan(repeats)]
    return there[:-1][there[1:] == 0]


def _peaks(
    own: NDArray[np.float64], together: NDArray[np.float64], scale: tuple[float, float], contamination: float
) -> dict[str, float]:
    """The peaks of a series' evidence of one kind; those of all series together where it has none.

    `scale` has the unit and the least level, as `fitted_peaks` takes them.
    """
    scores = np.sort(own[~np.isnan(own)])
    if not len(scores):
        scores = np.sort(np.append(together[~np.isnan(together)], 0.0))
    return fitted_peaks(scores[: max(1, round(len(scores) * (1 - contamination)))], *scale)


def _robust(deviations: NDArray[np.float64]) -> float:
    """The standard deviation by the median of the deviations' sizes, as if they were normal."""
    return float(np.median(np.abs(deviations)) * 1.4826)


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
