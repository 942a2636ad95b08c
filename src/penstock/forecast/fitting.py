"""What a forecaster takes from its training series without gradients: features, and the network for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.forecast.features import ForecastFeatures, Scale, measured_scale, unit
from penstock.forecast.season import find_season
from penstock.forecast.spec import ForecastHead, Normalization, SegmentForecastHead, Segments
from penstock.network import Network, Recurrent
from penstock.panels.calendar import calendar_names, usual_calendar
from penstock.panels.panel import Panel, Series

__all__ = ["carried_network", "fitted_features", "has_identities", "window_network", "with_series"]

_LONGEST_SEGMENT, _SHORTEST_SEGMENT = 48, 12
_LONGEST_HIGHWAY = 336
_MOST_IDENTITIES = 64
"""Maximum number of series that have their own vectors by default: with more, each is seen too rarely."""


def fitted_features(
    panel: Panel,
    *,
    horizon: int,
    context: int | None,
    season: int | None,
    calendar: Any,
    **settings: Any,
) -> ForecastFeatures:
    """Return the features of training series.

    Args:
        panel: the training series.
        horizon: number of steps to forecast.
        context, season: see `ForecastFeatures`; None for what suits the series.
        calendar: as `Forecaster` takes it.
        settings: of `ForecastFeatures`.

    Raises:
        DataError: a column without values, too short series, or a calendar without dates.
    """
    for column, target in enumerate(panel.targets):
        if all(np.isnan(series.values[:, column]).all() for series in panel):
            raise DataError(f"the target {target} must have values to learn from; all are missing")
    season = season or find_season(panel.series, horizon, panel.frequency)
    features = ForecastFeatures(
        horizon=horizon,
        context=_context(panel, context, horizon, season),
        targets=panel.targets,
        past=panel.past,
        known=panel.known,
        calendar=_calendar(panel, calendar),
        season=season,
        frequency=panel.frequency,
        time=panel.time,
        id=panel.id,
        time_format=panel.time_format,
        names=tuple(panel.names),
        scales={},
        covariate_scale=_covariate_scale(panel),
        **settings,
    )
    features.scales = _scales(panel.series, features)
    return features


def with_series(features: ForecastFeatures, new: Sequence[Series]) -> ForecastFeatures:
    """Return the features with further series after those that they know."""
    if not new:
        return features
    scales = {name: np.concatenate([features.scales[name], found]) for name, found in _scales(new, features).items()}
    return replace(features, names=(*features.names, *(series.name for series in new)), scales=scales)


def has_identities(features: ForecastFeatures) -> bool:
    """Whether each series has a trained vector of its own, if nothing else is said."""
    return 1 < _rows(features) <= _MOST_IDENTITIES


def carried_network(features: ForecastFeatures, recurrent: Recurrent, *, identities: bool) -> Network:
    """Return the network that carries its state over a whole series.

    Args:
        features: of the series.
        recurrent: the layers, whose inputs have the size of their states.
        identities: whether each series has a trained vector of its own.
    """
    targets, covariates, about = _sizes(features)
    inputs = Segments(1, 2 * targets + covariates, recurrent.hidden_size, _rows(features) if identities else 0)
    return Network(inputs, recurrent, ForecastHead(**about))


def window_network(
    features: ForecastFeatures, recurrent: Recurrent, *, identities: bool, segment: int | None, highway: int | None
) -> Network:
    """Return the network that reads a look-back window in segments.

    Args:
        features, recurrent, identities: as for `carried_network`.
        segment, highway: as `Forecaster` takes them; None for what suits the horizon and the context.
    """
    targets, covariates, about = _sizes(features)
    usual = min(_LONGEST_SEGMENT, max(features.horizon, _SHORTEST_SEGMENT), features.context)
    length, size = min(segment or usual, features.context), recurrent.hidden_size
    head = SegmentForecastHead(
        length=length,
        size=size,
        context=features.context,
        highway=min(_LONGEST_HIGHWAY if highway is None else highway, features.context),
        normalization=cast("Normalization", features.normalization),
        **about,
    )
    inputs = Segments(length, targets + covariates, size, _rows(features) if identities else 0)
    return Network(inputs, recurrent, head)


def _rows(features: ForecastFeatures) -> int:
    """Number of rows that a network sees: series, or targets of series."""
    return len(features.names) * (1 if features.joint else len(features.targets))


def _sizes(features: ForecastFeatures) -> tuple[int, int, dict[str, int]]:
    """Return the numbers of targets and of covariates of a row, and what both kinds of heads need."""
    targets = len(features.targets) if features.joint else 1
    known = len(features.known) + 2 * len(features.calendar)
    about = {"horizon": features.horizon, "targets": targets, "quantiles": len(features.quantiles), "known": known}
    return targets, len(features.past) + known, about


def _context(panel: Panel, context: int | None, horizon: int, season: int) -> int:
    """Return the number of past steps for a forecast; DataError if the series are too short."""
    longest = max(map(len, panel)) - horizon
    shortest = min(map(len, panel)) - horizon
    found = context or max(1, min(max(4 * horizon, 3 * season, 24), shortest))
    if found > longest:
        raise DataError(
            f"the series to learn from must have at least context + horizon = {found} + {horizon} steps; "
            f"the longest has {longest + horizon}. Give more data, or a shorter context or horizon."
        )
    return found


def _calendar(panel: Panel, calendar: Any) -> tuple[str, ...]:
    names = calendar_names(calendar)
    if names == ():
        return ()
    if panel.frequency is None or panel.frequency.unit == "number":
        raise DataError("calendar features need a column of dates. Name it, or leave calendar out.")
    return usual_calendar(panel.frequency) if names is None else names


def _scales(several: Sequence[Series], features: ForecastFeatures) -> dict[str, NDArray[np.float64]]:
    """Return the scales of series, each (series, targets)."""
    found = [measured_scale(series.values, features) for series in several]
    return {name: np.stack([getattr(each, name) for each in found]) for name in Scale._fields}


def _covariate_scale(panel: Panel) -> NDArray[np.float64]:
    """Mean and spread of each covariate over all series, (2, covariates); a constant's spread is 1."""
    steps = [np.concatenate([series.past, series.known[: len(series)]], 1) for series in panel]
    values = np.concatenate(steps)
    if not values.shape[1]:
        return np.zeros((2, 0))
    if empty := [name for name, gone in zip((*panel.past, *panel.known), np.isnan(values).all(0), strict=True) if gone]:
        raise DataError(f"the covariate {empty[0]} must have values; all are missing")
    return np.stack([np.nanmean(values, axis=0), [unit(column[~np.isnan(column)]) for column in values.T]])
