"""Baselines of forecasters, from arrays alone: last value, value a season ago, ridge regression on lags."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.errors import BundleError
from penstock.forecast.features import Encoded, ForecastFeatures, filled
from penstock.panels.panel import Series

__all__ = ["BASELINES", "ForecastBaselines", "Origins"]

BASELINES = ("ridge", "seasonal_naive", "naive")


class Origins(NamedTuple):
    """Origins of forecasts of a series: steps (origins,), each the number of steps before it."""

    series: Series
    encoded: Encoded
    steps: NDArray[np.int64]


class ForecastBaselines:
    """The baselines saved with a forecaster, the best on the validation data first.

    Args:
        arrays: `order` int64, places in `BASELINES`; where ridge regression is among them, `ridge` float32
            (horizon, lags): from the last values, in units of their series and relative to the last of them.
        features: the forecaster's features.

    Raises:
        BundleError: arrays are missing or do not fit.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], features: ForecastFeatures) -> None:
        try:
            self.names = tuple(BASELINES[place] for place in arrays["order"])
            self._ridge = engine.Linear(arrays["ridge"].astype(np.float32)) if "ridge" in self.names else None
        except (KeyError, IndexError) as error:
            raise BundleError(f"the baselines of the forecaster are damaged: {error}") from error
        if self._ridge is not None and self._ridge.outputs != features.horizon:
            raise BundleError(f"ridge must forecast {features.horizon} steps; got {self._ridge.outputs}")
        self.features = features

    def answers(self, name: str, origins: Origins) -> NDArray[np.float64]:
        """Return a baseline's forecasts (origins, horizon, targets)."""
        if name == "ridge":
            return self._by_ridge(origins)
        values, ahead = filled(origins.series.values), np.arange(self.features.horizon)
        season = self.features.season if name == "seasonal_naive" else 1
        # The previous season; for later seasons of a long horizon, the last known one.
        back = season - ahead % season
        return values[np.maximum(origins.steps[:, None] - back, 0)]

    def _by_ridge(self, origins: Origins) -> NDArray[np.float64]:
        assert self._ridge is not None
        lags, targets = self._ridge.inputs, origins.encoded.values.shape[1]
        windows = lag_windows(origins.encoded.values, origins.steps, lags)
        last = windows[..., -1:]
        flat = (windows - last).reshape(-1, lags)
        found = self._ridge(flat).reshape(len(windows), targets, -1) + last
        return self.features.restore(found.swapaxes(1, 2)[..., None], origins.encoded.scale)[..., 0]


def lag_windows(values: NDArray[np.float32], steps: NDArray[np.int64], lags: int) -> NDArray[np.float32]:
    """Return the last values before each origin, (origins, targets, lags), padded with the first value."""
    padded = np.concatenate([np.repeat(values[:1], lags, axis=0), values])
    return np.lib.stride_tricks.sliding_window_view(padded, lags, axis=0)[steps]
