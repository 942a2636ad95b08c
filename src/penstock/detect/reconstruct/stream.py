"""Stream of a detector that reproduces examples: rows as they arrive, judged when their example is complete."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import CONDITIONS
from penstock.detect.items import RowItems
from penstock.detect.memory import NEVER
from penstock.detect.reconstruct.judging import judge
from penstock.detect.stream import Detection
from penstock.errors import DataError
from penstock.panels.lines import MOST_NAMES
from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.detect.reconstruct.model import ReconstructionModel

__all__ = ["ExampleDetection", "ReconstructionStream"]

_ONE_SERIES = "the rows of an example are", "Finish or reset the stream first"


@dataclass(frozen=True, eq=False)
class ExampleDetection:
    """What is said of an example.

    Attributes:
        score: how rare such an example is: -log10 of the share of ordinary examples whose rows are as surprising on
            average; NaN if it has no value.
        threshold: -log10 of the false-alarm rate.
        anomaly: whether the score exceeds the threshold.
        rows: each of its rows, in the order in which they arrived.
    """

    score: float
    threshold: float
    anomaly: bool
    rows: tuple[Detection, ...]


class ReconstructionStream(Stream):
    """Judges an example, and each of its rows, when its last row arrives: a delay of up to `window` - 1 rows.

    `push` returns None while an example goes on, and an `ExampleDetection` at its end; the next row begins another.
    `finish` returns the last one if it is not complete, judged as it is, and None if no row waits. Items are as for
    `DetectorStream`.

    Args:
        model: the model.
        series: the name of a training series; None: the only one, or none of these.
    """

    def __init__(self, model: "ReconstructionModel", series: str | None = None) -> None:
        features = model.features
        if series is not None and not features.identity(series):
            raise DataError(f"there is no series {series!r} in the model; leave it out for an unknown one")
        super().__init__(features.kind, model)
        self._name, self._items = series, RowItems(features)
        self._usual = features.identity(series) if series is not None else int(len(features.names) == 1)
        self._step = model.scorer.encoder.step()
        self._series, self._time = np.array([self._usual]), np.array([NEVER])
        self._id, self._waiting = np.array([self._items.usual(self._usual)]), np.zeros(1, np.int64)
        self._values = np.full((features.window, len(features.targets)), np.nan)

    def _push(self, item: Any, traces: Traces | None) -> ExampleDetection | None:
        features, begun = self._model.features, bool(self._waiting[0])
        named = self._items.named(item, int(self._id[0]), *_ONE_SERIES, begun=begun)
        values, _, times, identity = self._items.read(item, int(self._series[0]), int(self._time[0]))
        self._series[0], self._id[0] = identity, named
        if times is not None:
            self._time[:] = times.astype(np.int64)
        advance(self._step, features.encode(values, identity), traces)
        self._values[self._waiting[0]] = values[0]
        self._waiting += 1
        if self._waiting[0] < features.window:
            return None
        found = self._whole()
        self._next()
        return found

    def _whole(self) -> ExampleDetection | None:
        steps, features = int(self._waiting[0]), self._model.features
        if not steps:
            return None
        ends = np.array(self._step.state[-1][0])  # a layer's first state is its output
        (scores,) = self._model.scorer.head(ends, np.array([steps]))
        values = self._values[:steps].copy()
        found = judge(features, int(self._series[0]), values, scores)
        rows = tuple(
            Detection(
                float(found.score[row]),
                float(found.threshold[row]),
                bool(found.anomaly[row]),
                found.expected[row],
                found.low[row],
                found.high[row],
                CONDITIONS[int(found.condition[row])],
                tuple(name for name, value in zip(features.targets, values[row], strict=True) if np.isnan(value)),
            )
            for row in range(steps)
        )
        threshold = -float(np.log10(features.false_alarm_rate))
        return ExampleDetection(found.whole[0], threshold, found.whole[0] > threshold, rows)

    def _next(self) -> None:
        """Begin another example, perhaps of another series, whose times are its own."""
        self._step.reset()
        self._waiting[:] = 0
        self._time[:] = NEVER
        self._values[:] = np.nan

    def _forget(self) -> None:
        self._next()
        self._series[:], self._id[:] = self._usual, self._items.usual(self._usual)

    def _memory(self) -> dict[str, NDArray[Any]]:
        counted = {"series": self._series, "id": self._id, "time": self._time, "waiting": self._waiting}
        return dict(step_arrays(self._step, "encoder.")) | counted | {"values": self._values}

    def _bounds(self) -> dict[str, tuple[int, int]]:
        features = self._model.features
        return super()._bounds() | {
            "series": (0, len(features.names)),
            "id": (0, MOST_NAMES),
            "time": (NEVER, 1 << 53),
            "waiting": (0, features.window - 1),
        }

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._name
