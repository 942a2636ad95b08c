"""Fits the baselines of forecasters: tuned ridge regression on lags, and the ranking of the three baselines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.forecast.baselines import BASELINES
from penstock.forecast.examples import Examples
from penstock.forecast.features import ForecastFeatures

__all__ = ["PENALTIES", "fit_baselines"]

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""Regularisation strengths that are tried, for examples scaled by series."""
_MOST_LAGS = 336
_EXAMPLES, _TRIALS = 20_000, 4096


def fit_baselines(
    train: Examples, valid: Examples, features: ForecastFeatures
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `forecast.baselines.ForecastBaselines`, and the settings for reports.

    Ridge regression predicts each step ahead from the last values, all relative to the last one and in units of their
    series, the same for all series. The penalty, and the order of the baselines, are chosen by the mean absolute error
    on the validation data.
    """
    lags, horizon = min(features.context, _MOST_LAGS), features.horizon
    x, y, _ = _table(train, lags, horizon, _EXAMPLES)
    tried, truth, observed = _table(valid, lags, horizon, _TRIALS)
    gram, products = x.T @ x, x.T @ y
    best, penalty, weights = np.inf, 0.0, np.zeros((horizon, lags))
    for candidate in PENALTIES:
        found = np.linalg.solve(gram + candidate * np.eye(lags), products).T
        error = _error(tried @ found.T, truth, observed)
        if error < best:
            best, penalty, weights = error, candidate, found
    errors = {"ridge": best, "naive": _error(0, truth, observed)}
    ahead = np.arange(horizon)
    back = features.season - ahead % features.season
    if features.season > 1 and features.season <= lags:
        errors["seasonal_naive"] = _error(tried[:, lags - back], truth, observed)
    else:
        errors["seasonal_naive"] = np.inf if features.season > 1 else errors["naive"]
    order = sorted(errors, key=lambda name: (errors[name], BASELINES.index(name)))
    arrays = {"order": np.array([BASELINES.index(name) for name in order]), "ridge": weights.astype(np.float32)}
    settings = {"ridge": {"penalty": penalty, "lags": lags}, "seasonal_naive": {"season": features.season}}
    return arrays, settings


def _table(examples: Examples, lags: int, horizon: int, most: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return last values, truth, and its mask, each (examples, steps), relative to the last value."""
    rows, origins = examples.spread(most)
    values, _, _, truth, observed = (each.numpy() for each in examples.windows(rows, origins, lags, horizon))
    last = values[:, -1:]
    flat = [
        np.moveaxis(each, 2, 1).reshape(-1, each.shape[1]).astype(np.float64)
        for each in (values - last, truth - last, observed)
    ]
    return flat[0], flat[1], flat[2]


def _error(found: Any, truth: NDArray[Any], observed: NDArray[Any]) -> float:
    return float((np.abs(truth - found) * observed).sum() / max(observed.sum(), 1))
