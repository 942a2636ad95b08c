"""Two forecasters at the same origins, for comparing them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.forecast.baselines import Origins
from penstock.forecast.metrics import Errors
from penstock.panels.panel import Panel
from penstock.panels.times import words_of
from penstock.runtime.judged import Judged

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["forecast_pair", "judged"]


def judged(errors: Errors, watch: "_Watch | None" = None) -> Judged:
    """Return the scores of forecasts as `Judged`, with a row for each origin and target if they were watched."""
    truth, predicted = watch.arrays() if watch else (np.zeros((0, 0)), np.zeros((0, 0)))
    names = watch.names if watch else []
    return Judged(errors.metrics(), errors.sums(), truth, predicted, names=names, single=False)


def forecast_pair(ours: "ForecastModel", theirs: "ForecastModel", inputs: Any, beside: Any) -> tuple[Judged, Judged]:
    """See `ForecastModel.pair`; `beside` is the data as the second model reads it."""
    for name, about in (("horizon", "a horizon"), ("targets", "targets")):
        one, other = getattr(ours.features, name), getattr(theirs.features, name)
        if one != other:
            raise ConfigError(
                f"the models forecast {about} of {_words(one)} and {_words(other)}: their scores can't be compared"
            )
    context = max(ours.features.context, theirs.features.context)
    found, origins = [], []
    for model, data in ((ours, inputs), (theirs, beside)):
        panel = model.panel(data)
        watch = _Watch(model, panel)
        found.append(judged(model.errors(panel, watch=watch, context=context, units=ours), watch))
        origins.append(watch.origins)
    if origins[0] != origins[1]:
        raise DataError(
            "the models can't forecast at the same origins: one knows its covariates for longer, or reads other times. "
            "Give data that has all columns of both models to the end."
        )
    return found[0], found[1]


class _Watch:
    """Keeps the point forecast of each origin and target."""

    def __init__(self, model: "ForecastModel", panel: Panel) -> None:
        self.model, self.panel = model, panel
        self.names: list[Mapping[str, Any]] = []
        self.origins: list[tuple[str, int]] = []
        self._kept: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []

    def __call__(self, row: int, origins: Origins, truth: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        features, series = self.model.features, origins.series
        places = series.start + origins.steps
        times = places if self.panel.frequency is None else self.panel.frequency.times(places)
        self.origins += [(series.name, int(place)) for place in places]
        self.names += [
            {"unique_id": series.name, "ds": words_of(time), "target": target}
            for time in times
            for target in features.targets
        ]
        point = found[..., features.median]
        self._kept.append(tuple(each.swapaxes(1, 2).reshape(-1, features.horizon) for each in (truth, point)))  # type: ignore[arg-type]

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return truth and point forecasts, (origins and targets, horizon)."""
        truth, point = zip(*self._kept, strict=True)
        return np.concatenate(truth), np.concatenate(point)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
