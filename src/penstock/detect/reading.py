"""A series as a detector's network reads it, for `penstock.inspection`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.timelines import Timeline
from penstock.panels.calendar import CALENDAR, calendar_features
from penstock.panels.times import words_of
from penstock.runtime.reading import Reading

if TYPE_CHECKING:
    from penstock.detect.model import DetectorModel

__all__ = ["series_reading"]

_MOST_STEPS = 4096
"""Steps of a series that are read, the last ones."""
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3600, "minute": 60, "second": 1}


def series_reading(model: "DetectorModel", series: Timeline) -> Reading:
    """Return what the layers read up to the last row; what is predicted is the distribution of its values."""
    features = model.features
    encoded = features.encoded(series, *features.units(series))
    some = slice(-_MOST_STEPS, None)
    x = model.scorer.vectors(encoded.x[some])[:, None]

    def recall(steps: Sequence[int]) -> NDArray[np.float32]:
        counts = np.asarray(steps, np.int64)
        places = np.minimum(len(x) - counts + np.arange(len(x))[:, None], len(x) - 1)
        _, states = model.scorer.encoder(x[places, 0], None, counts)
        found: NDArray[np.float32] = model.scorer.head(states[-1][0][0])  # a layer's first state is its output
        return found

    times = None if series.times is None else series.times[some]
    unit, step = _unit(series.times)
    properties = {"position": np.arange(len(series), dtype=np.float64)[some, None]} | {
        f"level of {name}": encoded.last[some, k : k + 1] for k, name in enumerate(features.targets)
    }
    if times is not None and times.dtype.kind == "M":
        properties |= {name: calendar_features(times, [name]).astype(np.float64) for name in CALENDAR}
    names = () if times is None else tuple(words_of(time) for time in times)
    return Reading(x=x, recall=recall, names=names, unit=unit, step=step, span=step, properties=properties)


def _unit(times: NDArray[Any] | None) -> tuple[str, float]:
    """The unit in which distances are said, and the number of them in the usual step."""
    if times is None or times.dtype.kind != "M" or len(times) < 2:
        return "step", 1.0
    usual = int(np.median(np.diff(times.astype(np.int64))))
    fitting = [(unit, usual / seconds) for unit, seconds in _SECONDS.items() if usual and usual % seconds == 0]
    return fitting[0] if fitting else ("step", 1.0)
