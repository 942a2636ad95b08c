"""Contents of `metrics.json` that only forecasters have.

metric_scale                the unit of mse and mae: "original", or "standardised" by the training data's spread
by_step, by_step_baseline   mean absolute error of each step ahead, of the network and the main baseline
coverage_by_step            share of values in the 80 % interval by step ahead; null without such an interval
interval_by_step            the 95 % intervals of these three, {name: [[low, high], ...]}, null without enough data
by_series                   series, target, mae, smape, mase, coverage_80, and the `interval` of each: the largest MASE
                            first
fans                        some forecasts: series, target, times, history, truth, and each quantile's values
intervals                   what calibration did: see `tasks.forecast_calibration.calibrate`
calibration                 quantile, and the share of values below it
residuals                   lags and the mean autocorrelation of the errors one step ahead; bound: what is within
                            chance; outside: lags beyond it
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.forecast.baselines import Origins
from penstock.forecast.data import ForecastData
from penstock.forecast.features import ForecastFeatures
from penstock.forecast.metrics import Errors
from penstock.forecast.model import ForecastModel
from penstock.panels.panel import Panel
from penstock.panels.times import words_of
from penstock.tasks.examples import evenly
from penstock.tasks.measures import compare

__all__ = ["amount", "data_figures", "forecast_figures", "inspected_series", "stored_examples"]

_MOST_FANS, _MOST_ROWS, _MOST_LAGS = 4, 30, 24
_SHOWN_HISTORY = 3
_STORED_HORIZONS = 6
"""A stored example has so many horizons behind its first look-back, so that some forecasts can be seen."""


def forecast_figures(model: ForecastModel, data: ForecastData) -> dict[str, Any]:
    """Return the metrics of a forecaster and of its baselines."""
    parts = data.measured()
    judged = "test" if data.test is not None else "valid"
    names = model.baselines.names if model.baselines else ()
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": next(iter(names), None)}
    found["metric_scale"] = model.features.metric_scale
    found["baseline"] = {name: {"valid": None, "test": None} for name in names}
    by_step: dict[str, Any] = {}
    for part, panel in parts.items():
        watch = _Watch(model, panel) if part == judged else None
        errors = model.errors(panel, watch=watch)
        found[part] = _scores(errors)
        others = {}
        for place, name in enumerate(names):
            beside = model.errors(panel, name)
            found["baseline"][name][part] = _scores(beside)
            others[name] = beside.sums()
            if part == judged and place == 0:
                found["by_step_baseline"] = beside.by_step()
                by_step["by_step_baseline"] = beside.step_intervals()
        compare(found, part, errors.sums(), others)
        if watch is not None:
            found |= {
                "part": part,
                "by_step": errors.by_step(),
                "coverage_by_step": errors.by_step("inside") if errors.has_interval else None,
                "by_series": _by_series(errors, panel),
                "interval_by_step": by_step,
            }
            by_step["by_step"] = errors.step_intervals()
            if errors.has_interval:
                by_step["coverage_by_step"] = errors.step_intervals("inside")
            found |= watch.figures()
    return found


def data_figures(data: ForecastData, features: ForecastFeatures) -> dict[str, Any]:
    """Return the description of the data."""
    parts = {"train": data.train.panel, "valid": data.valid, "test": data.test}
    about: dict[str, Any] = {name: None if part is None else amount(part) for name, part in parts.items()}
    return about | {
        "horizon": features.horizon,
        "context": features.context,
        "season": features.season,
        "frequency": features.frequency.words if features.frequency else None,
    }


def amount(panel: Panel) -> dict[str, int]:
    """Count the steps, without history, the series and the missing values."""
    steps = sum(len(series) - series.begin for series in panel)
    missing = sum(int(np.isnan(series.values[series.begin :]).sum()) for series in panel)
    return {"rows": steps, "series": len(panel), "missing": missing}


def stored_examples(panel: Panel, features: ForecastFeatures, most: int) -> list[Any]:
    """Return the ends of series, long enough for some forecasts; empty if the model needs covariates."""
    if features.past or features.known:
        return []
    steps = features.context + _STORED_HORIZONS * features.horizon
    ends = [panel.series[row].values[-steps:] for row in evenly(len(panel), most)]
    return [[[None if np.isnan(value) else float(f"{value:.6g}") for value in step] for step in end] for end in ends]


def inspected_series(panel: Panel, features: ForecastFeatures, most: int) -> Panel:
    """Return the beginnings of series, up to some of the origins that they have; about `most` in all."""
    each, found = -(-most // len(panel)), []
    for series in panel.series[:most]:
        first, last = max(series.begin, features.context), len(series)
        if first <= last:
            found += [series.until(int(end)) for end in np.unique(np.linspace(first, last, each, dtype=int))]
    return panel.with_series(found)


def _scores(errors: Errors) -> dict[str, Any]:
    return {"rows": errors.origins, **errors.metrics()}


def _by_series(errors: Errors, panel: Panel) -> list[dict[str, Any]]:
    """Return the errors of each target of each series, the worst first."""
    mae, smape, inside = (errors.by_row(name) for name in ("absolute", "symmetric", "inside"))
    mase = errors.by_row("scaled")
    rows = [(series.name, target) for series in panel for target in panel.targets]
    # A series that is constant in training has no MASE and comes last.
    order = sorted((row for row in range(len(rows)) if mae[row] == mae[row]), key=lambda row: -np.nan_to_num(mase[row]))
    return [
        {
            "series": rows[row][0],
            "target": rows[row][1],
            "mae": mae[row],
            "smape": smape[row],
            "mase": mase[row],
            **({"coverage_80": inside[row]} if errors.has_interval else {}),
            "interval": errors.row_intervals(row),
        }
        for row in order[:_MOST_ROWS]
    ]


class _Watch:
    """Collects data about forecasts during evaluation."""

    def __init__(self, model: ForecastModel, panel: Panel) -> None:
        self.model, self.panel = model, panel
        quantiles, targets = len(model.features.quantiles), len(model.features.targets)
        self.below, self.count = np.zeros(quantiles), 0
        self.first_steps: dict[int, list[NDArray[np.float64]]] = {}
        rows = len(panel) * targets
        self.shown: dict[int, list[dict[str, Any]]] = {
            round(place): [] for place in np.linspace(0, rows - 1, min(rows, _MOST_FANS))
        }

    def __call__(self, row: int, origins: Origins, truth: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        there = ~np.isnan(truth)
        self.count += int(there.sum())
        self.below += (there[..., None] & (truth[..., None] <= found)).sum((0, 1, 2))
        median = self.model.features.median
        for column in range(truth.shape[2]):
            self.first_steps.setdefault(row + column, []).append(truth[:, 0, column] - found[:, 0, column, median])
            if row + column in self.shown:
                self._keep(row + column, column, origins, truth, found)

    def figures(self) -> dict[str, Any]:
        """fans, calibration, residuals."""
        quantiles = self.model.features.quantiles
        shares = self.below / self.count if self.count else np.full(len(quantiles), np.nan)
        fans = [kept[len(kept) // 2] for kept in self.shown.values() if kept]
        only = len(self.shown) == 1
        if only:  # one series: early, middle and late
            (kept,) = self.shown.values()
            fans = [kept[place] for place in sorted({0, len(kept) // 2, len(kept) - 1})] if kept else []
        return {
            "fans": fans,
            "calibration": [
                {"quantile": q, "below": share} for q, share in zip(quantiles, shares.tolist(), strict=True)
            ],
            "residuals": _autocorrelation([np.concatenate(each) for each in self.first_steps.values()]),
        }

    def _keep(self, row: int, column: int, origins: Origins, truth: NDArray[Any], found: NDArray[Any]) -> None:
        """Keep the forecasts at the first, middle and last origin of a piece."""
        features, series = self.model.features, origins.series
        for place in sorted({0, len(truth) // 2, len(truth) - 1}):
            at = int(origins.steps[place])
            start = max(0, at - _SHOWN_HISTORY * features.horizon)
            places = series.start + np.arange(start, at + features.horizon)
            times = places if self.panel.frequency is None else self.panel.frequency.times(places)
            self.shown[row].append(
                {
                    "series": series.name,
                    "target": features.targets[column],
                    "times": [words_of(time) for time in times],
                    "history": series.values[start:at, column].tolist(),
                    "truth": truth[place, :, column].tolist(),
                    "quantiles": found[place, :, column].T.tolist(),
                    "levels": list(features.quantiles),
                }
            )


def _autocorrelation(errors: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Autocorrelation of one-step errors, averaged over rows; values within 1.96 / sqrt(n) may be chance."""
    long = [each for each in errors if np.isfinite(each).sum() >= 4 and np.nanstd(each) > 0]
    if not long:
        return {"lags": [], "autocorrelation": [], "bound": None, "outside": 0}
    lags = list(range(1, min(_MOST_LAGS, min(map(len, long)) // 2) + 1))
    means = []
    for lag in lags:
        each = []
        for row in long:
            centred = np.nan_to_num(row - np.nanmean(row))
            each.append((centred[lag:] * centred[:-lag]).sum() / (centred**2).sum())
        means.append(float(np.mean(each)))
    bound = float(1.96 / np.sqrt(np.mean([len(row) for row in long])))
    outside = sum(abs(mean) > bound for mean in means)
    return {"lags": lags, "autocorrelation": means, "bound": bound, "outside": outside}
