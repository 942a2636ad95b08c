"""Sunspots of the years ahead: predicted from those before, beside what is simple, on years that training never saw.

demo_sunspots.csv holds the yearly mean of the international sunspot number, version 1.0 (SILSO, Royal Observatory of
Belgium), 1700 to 2008.
"""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from penstock.forecast.panel import Panel
from penstock.forecast.panel_columns import arrays_panel

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["CONTEXT", "HORIZON", "TEST_YEARS", "learn", "measure", "sunspots"]

HORIZON = 11
"""Years ahead: about one solar cycle."""

CONTEXT = 22
"""Years that a forecast reads: two cycles. Chosen, as is the logarithm, by back-tests within 1700 to 1942."""

TEST_YEARS = 66
"""About six cycles at the end, held back."""

_VALIDATION_YEARS = 55
_HISTORY_YEARS = 44  # drawn before the fan
_NAIVE = ("naive", "seasonal_naive")


def sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Years and the mean number of sunspots in each."""
    text = (files("penstock.cli") / "demo_sunspots.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line[0].isdigit()]
    return np.array([int(year) for year, _ in rows]), np.array([float(number) for _, number in rows])


def learn(folder: Path) -> "ForecastModel":
    """Train on the years before those held back, save the model in a folder and load it again, without PyTorch."""
    from penstock.forecast.estimator import Forecaster
    from penstock.runtime import load

    train, valid, _ = _parts()
    forecaster = Forecaster(horizon=HORIZON, context=CONTEXT, transform="log1p", random_state=0)
    forecaster.fit(train, valid)
    forecaster.save(folder, overwrite=True)
    return cast("ForecastModel", load(folder))


def measure(model: "ForecastModel") -> dict[str, Any]:
    """What the model and the baselines make of the years held back, from every year on that leaves enough ahead.

    Returns:
        `rows`, `horizon`, `origins`, `metrics`, `baselines` by name; `fan`: the last years predicted from the year
        before them, with the interval of 80 %; `as_expected`: whether the mean absolute error is below that of the
        last value and of the value a season ago.
    """
    test = _parts()[-1]
    found = model.evaluate(test)
    years, _ = sunspots()
    naive = min(found["baselines"][name]["mae"] for name in _NAIVE)
    return {
        "rows": {"train": len(years) - TEST_YEARS, "test": TEST_YEARS},
        "horizon": HORIZON,
        "origins": TEST_YEARS - HORIZON + 1,
        "metrics": found["metrics"],
        "baselines": found["baselines"],
        "fan": _fan(model),
        "as_expected": found["metrics"]["mae"] < naive,
    }


def _parts() -> list[Panel]:
    """The years to learn from, to validate with and held back, each after what lies before it."""
    from penstock.forecast.estimator import Forecaster

    _, numbers = sunspots()
    sizes = (len(numbers) - _VALIDATION_YEARS - TEST_YEARS, _VALIDATION_YEARS, TEST_YEARS)
    return Forecaster.split(arrays_panel({"sunspots": numbers}), sizes, 0)


def _fan(model: "ForecastModel") -> dict[str, list[float]]:
    """The last `HORIZON` years as they came, and as predicted from the years before."""
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
