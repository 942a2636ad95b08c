"""Sunspot forecasts: yearly numbers predicted from earlier years, compared with naive baselines on held-back years.

demo_sunspots.csv holds the yearly mean of the international sunspot number, version 1.0 (SILSO, Royal Observatory of
Belgium), 1700 to 2008.
"""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from penstock.bundle import plain
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import arrays_panel
from penstock.runtime.resampling import BETTER, WORSE

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["CONTEXT", "HORIZON", "TEST_YEARS", "learn", "measure", "sunspots"]

HORIZON = 11
"""The forecast horizon in years: about one solar cycle."""

CONTEXT = 22
"""The input length in years: two cycles. Back-tests within 1700 to 1942 chose this length and the logarithm."""

TEST_YEARS = 66
"""The number of years at the end that are held back: about six cycles."""

_VALIDATION_YEARS = 55
_HISTORY_YEARS = 44  # years drawn before the forecast


def sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Return the years and the mean sunspot number of each."""
    text = (files("penstock.cli") / "demo_sunspots.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line[0].isdigit()]
    return np.array([int(year) for year, _ in rows]), np.array([float(number) for _, number in rows])


def learn(folder: Path) -> "ForecastModel":
    """Train on the years before the held-back ones, save the model in a folder and load it without PyTorch."""
    from penstock.forecast.estimator import Forecaster
    from penstock.runtime import load

    train, valid, _ = _parts()
    forecaster = Forecaster(horizon=HORIZON, context=CONTEXT, transform="log1p", random_state=0)
    forecaster.fit(train, valid)
    forecaster.save(folder, overwrite=True)
    return cast("ForecastModel", load(folder))


def measure(model: "ForecastModel") -> dict[str, Any]:
    """Score the model and the baselines on the held-back years, from every origin with a full horizon ahead.

    Returns:
        `rows`, `horizon`, `origins`; `scores`, the result of `ForecastModel.evaluate`; `fan`: the forecast of the last
        `HORIZON` years with its 80 % interval; `as_expected`: whether by the paired test its mean
        absolute error is better than that of the last value and worse than that of no baseline.
    """
    test = _parts()[-1]
    found = model.evaluate(test)
    years, _ = sunspots()
    verdicts = {name: each["mae"] for name, each in found["baseline_verdicts"].items()}
    return {
        "rows": {"train": len(years) - TEST_YEARS, "test": TEST_YEARS},
        "horizon": HORIZON,
        "origins": TEST_YEARS - HORIZON + 1,
        "scores": plain(found),
        "fan": _fan(model),
        "as_expected": verdicts["naive"] == BETTER and WORSE not in verdicts.values(),
    }


def _parts() -> list[Panel]:
    """Return the years for training, validation and test; each part also holds the history before it."""
    from penstock.forecast.estimator import Forecaster

    _, numbers = sunspots()
    sizes = (len(numbers) - _VALIDATION_YEARS - TEST_YEARS, _VALIDATION_YEARS, TEST_YEARS)
    return Forecaster.split(arrays_panel({"sunspots": numbers}), sizes, 0)


def _fan(model: "ForecastModel") -> dict[str, list[float]]:
    """Return the actual values of the last `HORIZON` years, and their forecast from the years before."""
    years, numbers = sunspots()
    quantiles = model.predict_quantiles({"sunspots": numbers[:-HORIZON]})[0, :, 0]
    before = slice(-HORIZON - _HISTORY_YEARS, -HORIZON)
    return {
        "years": years[-HORIZON:].tolist(),
        "actual": numbers[-HORIZON:].tolist(),
        "forecast": quantiles[:, model.features.median].tolist(),
        "low": quantiles[:, 0].tolist(),
        "high": quantiles[:, -1].tolist(),
        "history_years": years[before].tolist(),
        "history": numbers[before].tolist(),
    }
