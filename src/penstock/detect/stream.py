"""Stream of a detector: a judgement of each row as it arrives, in constant memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import CONDITIONS, TOLD
from penstock.detect.items import RowItems
from penstock.detect.memory import NEVER
from penstock.detect.monitor import Adapt, Monitor
from penstock.errors import DataError
from penstock.panels.lines import MOST_NAMES
from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.detect.model import DetectorModel

__all__ = ["Detection", "DetectorStream"]


@dataclass(frozen=True, eq=False)
class Detection:
    """What is said of one row.

    Attributes:
        score: how rare such a row is: -log10 of the share of ordinary rows that are as surprising; NaN if no value was
            there.
        threshold: -log10 of the false-alarm rate.
        anomaly: whether the score exceeds the threshold.
        expected, low, high: (targets,) float64, what was expected, and the interval of 99 % around it.
        condition: what else was seen, "" for nothing: "probation", "unseasonal", "outlier", "level shift",
            "stuck", "gap" or "missing"; see `detect.conditions`.
        missing: names of the targets whose value was missing.
    """

    score: float
    threshold: float
    anomaly: bool
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    condition: str
    missing: tuple[str, ...]


class DetectorStream(Stream):
    """Judges each row when it arrives.

    Create it with `DetectorModel.stream()`. An item is one row: a number; a list of the columns (targets, covariates)
    in that order; or a mapping from column to value, with its time if training had times. A missing value is None or
    NaN. `finish` repeats the last judgement.

    Args:
        model: the model.
        series: the name of a training series; None: the only one, or an unknown one if there were several.
        adapt: as for `DetectorModel.stream`.

    Examples:
        >>> import numpy as np
        >>> from penstock import AnomalyDetector
        >>> detector = AnomalyDetector(hidden_size=4, epochs=1, baseline=False).fit(np.sin(np.arange(300.0)))
        >>> detector.stream().push(0.5).anomaly
        False
    """

    def __init__(self, model: "DetectorModel", series: str | None = None, adapt: Adapt = False) -> None:
        features = model.features
        if series is not None and not features.identity(series):
            raise DataError(f"there is no series {series!r} in the model; leave it out for an unknown one")
        super().__init__(features.kind, model)
        self._name, self._adapt, self._items = series, adapt, RowItems(features)
        self._usual = features.identity(series) if series is not None else int(len(features.names) == 1)
        self._monitor = Monitor(features, model.scorer.head, adapt, size=model.network.encoder.output_size)
        self._step = model.scorer.encoder.step()
        self._series, self._id = np.array([self._usual]), np.array([self._items.usual(self._usual)])
        self._own = self._monitor.memory(self._series)
        self._told = np.full((1, 3 + 3 * len(features.targets)), np.nan)
        self._condition = np.zeros(1, np.int64)
        self._gone = np.zeros(len(features.targets), np.int64)

    def _push(self, item: Any, traces: Traces | None) -> Detection:
        before = int(self._own["time"][0])
        named = self._items.named(item, int(self._id[0]), begun=bool(self._own["rows"][0]))
        values, covariates, times, identity = self._items.read(item, int(self._series[0]), before)
        self._id[0] = named
        if identity != self._series[0]:
            self._series[0] = identity
            self._own = self._monitor.memory(self._series)
        found = self._monitor.judge(self._own, values, covariates, times, lambda x: advance(self._step, x, traces))
        numbers = [np.asarray(each, np.float64).reshape(1, -1) for each in found[:6]]
        self._told, self._condition = np.concatenate(numbers, axis=1), found.condition
        self._gone = np.isnan(values[0]).astype(np.int64)
        return self._detection()

    def _whole(self) -> Detection | None:
        return self._detection() if self._own["rows"][0] else None

    def _detection(self) -> Detection:
        told, names = self._told[0], self._model.features.targets
        expected, low, high = np.split(told[3:].copy(), 3)
        missing = tuple(name for name, gone in zip(names, self._gone, strict=True) if gone)
        condition = CONDITIONS[int(self._condition[0])]
        return Detection(float(told[0]), float(told[1]), bool(told[2]), expected, low, high, condition, missing)

    def _forget(self) -> None:
        self._step.reset()
        self._series[:], self._id[:] = self._usual, self._items.usual(self._usual)
        self._own = self._monitor.memory(self._series)
        self._told[:] = np.nan
        self._gone[:] = 0
        self._condition[:] = 0

    def _memory(self) -> dict[str, NDArray[Any]]:
        named = {"series": self._series, "id": self._id}
        own = {"told": self._told, "gone": self._gone, "condition": self._condition} | self._own
        return dict(step_arrays(self._step, "encoder.")) | named | own

    def _bounds(self) -> dict[str, tuple[int, int]]:
        features = self._model.features
        return super()._bounds() | {
            "series": (0, len(features.names)),
            "id": (0, MOST_NAMES),
            "gone": (0, 1),
            "condition": (0, len(CONDITIONS) - 1),
            "time": (NEVER, 1 << 53),
            "origin": (NEVER, 1 << 53),
            "until": (NEVER, 1 << 53),
            "points": (1, features.points),
            "span": (1, 1 << 53),
            "stuck": (0, TOLD),
            "counts": (0, features.probation),
            "gaps": (0, features.probation),
            "away": (-(1 << 40), 1 << 40),
        }

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._name, self._adapt
