"""A forecast as a chart: the series' last steps, the median, the intervals."""

from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import plots
from penstock.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from penstock.forecast.model import ForecastModel

__all__ = ["plot_forecast"]

_HORIZONS = 3  # shown before the forecast


def plot_forecast(
    model: "ForecastModel",
    data: Any = None,
    *,
    series: str | None = None,
    target: str | None = None,
    history: int | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """The forecast after the end of one series; arguments and errors as in `ForecastModel.plot`."""
    if data is None:
        raise ConfigError('a chart of a forecast needs the series before it: plot("forecast", data=...)')
    panel, features = model.panel(data), model.features
    row = _place(series, panel.names, "series")
    column = _place(target, list(features.targets), "target")
    one = panel.series[row]
    quantiles = model.predict_quantiles(panel.with_series([one]))[0, :, column]
    shown = min(len(one), _HORIZONS * features.horizon if history is None else history)
    places = one.start + np.arange(len(one) - shown, len(one) + features.horizon)
    times = places if panel.frequency is None else panel.frequency.times(places)
    before = (times[:shown], one.values[len(one) - shown :, column])
    ax = plots.forecast(times[shown:], quantiles, features.quantiles, history=before, ax=ax)
    ax.set(title=one.name if len(panel) > 1 else "", ylabel=features.targets[column])
    return ax


def _place(name: str | None, names: list[str], what: str) -> int:
    if name is None:
        return 0
    if name not in names:
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        raise ConfigError(f"there is no {what} {name!r}; there is: {shown}")
    return names.index(name)
