"""A detector at run time: judges every row of series by what came before it. No PyTorch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.baselines import DetectionBaselines
from penstock.detect.building import array_timelines, as_windows, frame_timelines
from penstock.detect.conditions import CONDITIONS
from penstock.detect.features import DetectFeatures
from penstock.detect.judging import baseline_scored, judged, model_scored
from penstock.detect.monitor import Adapt, Monitor
from penstock.detect.pool import DetectorPool
from penstock.detect.predicting import judgements
from penstock.detect.reading import series_reading
from penstock.detect.stream import Detection, DetectorStream
from penstock.detect.timelines import Timeline, Timelines
from penstock.errors import ConfigError, DataError
from penstock.panels.frames import is_frame
from penstock.panels.lines import parse_row
from penstock.panels.times import words_of
from penstock.runtime.judged import evaluation
from penstock.runtime.model import Model
from penstock.runtime.reading import Reading

__all__ = ["Detections", "DetectorModel", "Examples"]


@dataclass(frozen=True, eq=False)
class Examples:
    """What is said of the examples that a series was cut into.

    Attributes:
        cuts: (examples + 1,), the first step of each, and the number of steps.
        score: (examples,), -log10 of the share of ordinary examples that are as surprising; NaN without a value.
        anomaly: (examples,) bool, whether the score exceeds the threshold.
        evidence: (examples,), what the score follows from: the mean of the rows' evidence.
    """

    cuts: NDArray[np.int64]
    score: NDArray[np.float64]
    anomaly: NDArray[np.bool_]
    evidence: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detections:
    """What is said of each row of a series.

    Attributes:
        series: the series, its rows in the order of their times.
        score, threshold: (steps,) float64, -log10 of the share of ordinary rows that are as surprising, and of the rate
            of false alarms; NaN where no value was there.
        anomaly: (steps,) bool, whether the score exceeds the threshold.
        expected, low, high: (steps, targets), what was expected before the row arrived, and the interval of 99 %.
        condition: (steps,) int64, places in `detect.conditions.CONDITIONS`.
        evidence: (steps, 2 + targets), what the score follows from, see `detect.monitor.Judgement`; of a
            reconstruction (steps, 1), its error.
        examples: of a reconstruction, what is said of each example as a whole; otherwise None.
    """

    series: Timeline
    score: NDArray[np.float64]
    threshold: NDArray[np.float64]
    anomaly: NDArray[np.bool_]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    condition: NDArray[np.int64]
    evidence: NDArray[np.float64]
    examples: Examples | None = None


class DetectorModel(Model):
    """A detector that does not need PyTorch; one that reproduces examples is a `reconstruct.model.ReconstructionModel`.

    Inputs are `Timelines` (from `detect.readers.read_timelines`), a pandas or Polars frame with the columns of
    training, or arrays without times: (steps,), (steps, targets), or several in a list or by name.
    """

    scorer: Any
    baselines: Any
    task = "anomaly-detection"
    view = "detect"
    reads = "step"

    def check(self) -> None:
        """Check that the network matches the features."""
        head, features = self.network.head, self.features
        if head.kind != "distribution" or self.network.encoder.bidirectional:
            raise ConfigError(f"a detector reads forward and has a head of kind 'distribution'; got {head.kind!r}")
        if head.targets != len(features.targets) or getattr(self.network.inputs, "size", None) != features.size:
            raise ConfigError(
                f"the network must read {features.size} features and judge {len(features.targets)} targets"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> DetectFeatures:
        """Read scales, columns and the threshold."""
        return DetectFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Any:
        """Read the `DetectionBaselines`: isolation forest, seasonal residual, rolling z-score."""
        return DetectionBaselines(arrays)

    def predict(self, inputs: Any, *, adapt: Adapt = False) -> list[Detections]:
        """Judge each row of each series, with the same bits as a stream.

        Args:
            inputs: series, in the form that the class describes.
            adapt: as for `stream`.

        Raises:
            DataError: columns or times that differ from training.
        """
        data = self.timelines(inputs)
        monitor = Monitor(self.features, self.scorer.head, adapt, size=self.network.encoder.output_size)
        return list(map(Detections, data, *zip(*judgements(list(data), monitor, self.scorer.encoder), strict=True)))

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Measure alarms, and where there are labelled windows NAB's scores and VUS-PR; see `Model`.

        Args:
            inputs: as for `predict`.
            answers: labelled windows, {series: [(start, end), ...]}; None for those that `inputs` has, or for none.
        """
        data = self.timelines(inputs)
        if answers is not None:
            data = data.labelled(as_windows(answers, data))
        names = self.baselines.names if self.baselines else ()
        return evaluation(
            judged(model_scored(self.predict(data), data)),
            {name: judged(baseline_scored(self, data, name)) for name in names},
        )

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of the table in its order, each with score, threshold, anomaly and what was expected."""
        data = self.timelines(inputs)
        found = self.predict(data)
        rows: Iterable[tuple[int, Detections, int]]
        rows = ((row, each, step) for each in found for step, row in enumerate(each.series.rows.tolist()))
        if data.id is not None:  # rows of a table; series from arrays stay one after another
            rows = sorted(rows, key=itemgetter(0))
        names = [""] if len(data.targets) == 1 else [f"_{target}" for target in data.targets]
        for _, each, step in rows:
            yield self._answer(data, each, step, names)

    def cuts(self, series: Timeline) -> NDArray[np.int64] | None:
        """Return the first step of each example of a series, and its number of steps last; None without examples."""
        return None

    def reading(self, item: Any) -> Reading:
        """Return a series as the layers read it up to its last row; arguments as for `predict`, but one series.

        Raises:
            DataError: there are several series, or as for `predict`.
        """
        data = self.timelines(item)
        if len(data) != 1:
            names = ", ".join(series.name for series in data.series[:5])
            raise DataError(f"one series can be inspected at a time; got {len(data)} ({names}). Choose one.")
        return series_reading(self, data.series[0])

    def readings(self, inputs: Any) -> Iterator[Reading]:
        """Yield `reading` of each series; arguments as for `predict`."""
        return (series_reading(self, series) for series in self.timelines(inputs))

    def stream(self, series: str | None = None, *, adapt: Adapt = False) -> DetectorStream:
        """Open a stream that judges each row as it arrives.

        Args:
            series: the name of a training series; None: the only training series, or an unknown one if there were
                several.
            adapt: whether location and spread of the series go on following its values; "output": also a correction of
                what is expected, by recursive least squares. Both are part of a saved state.
        """
        return DetectorStream(self, series, adapt)

    def pool(self, *, adapt: Adapt = False) -> DetectorPool:
        """Open a pool of streams that advance together; `adapt` as for `stream`."""
        return DetectorPool(self, adapt=adapt)

    def item(self, line: str) -> Any:
        """Parse a row: a number, several with commas, or JSON (a list, or an object by column)."""
        return parse_row(line)

    def as_json(self, answer: Detection | None) -> dict[str, Any]:
        """{"prediction": 0 or 1, "score": ..., "threshold": ..., "expected": ..., "low": ..., "high": ...}.

        Also "condition", "" for none, and "missing", the names of missing columns. Expected values are by target if
        there are several.
        """
        if answer is None:
            return {"prediction": None}
        named = {name: self._named(getattr(answer, name)) for name in ("expected", "low", "high")}
        return {
            "prediction": int(answer.anomaly),
            "score": _plain(answer.score),
            "threshold": _plain(answer.threshold),
            **named,
            "condition": answer.condition,
            "missing": list(answer.missing),
        }

    def info(self) -> dict[str, Any]:
        """See `Model.info`; also describes the targets and the threshold."""
        features = self.features
        columns = ("targets", "covariates", "time", "id")
        names = (*columns, "calendar", "probation", "smoothing", "window", "false_alarm_rate")
        about = {name: getattr(features, name) for name in names if hasattr(features, name)}
        about["kind"] = features.kind
        about["series"] = len(features.names)
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in about.items()}
        return super().info() | {"detection": plain}

    def timelines(self, inputs: Any) -> Timelines:
        """Return the inputs as series with the columns of training; DataError if they differ."""
        if isinstance(inputs, Timelines):
            found = inputs
        elif is_frame(inputs):
            found = frame_timelines(inputs, self.features.columns)
        else:
            found = array_timelines(inputs, self.features.targets)
        self.features.check(found)
        return found

    def _answer(self, data: Timelines, found: Detections, step: int, names: Sequence[str]) -> dict[str, Any]:
        series = found.series
        row: dict[str, Any] = {}
        if data.id is not None or len(data) > 1:
            row[data.id or "series"] = series.name
        if series.times is not None:
            row[data.time or "time"] = words_of(series.times[step])
        row |= dict(zip(data.targets, map(_plain, series.values[step]), strict=True))
        row |= dict(zip(data.covariates, map(_plain, series.covariates[step]), strict=True))
        row |= {"score": _plain(found.score[step]), "threshold": _plain(found.threshold[step])}
        row["anomaly"] = int(found.anomaly[step])
        for name in ("expected", "low", "high"):
            row |= {f"{name}{end}": _plain(each) for end, each in zip(names, getattr(found, name)[step], strict=True)}
        row["condition"] = CONDITIONS[found.condition[step]]
        if (examples := found.examples) is not None:
            place = int(np.searchsorted(examples.cuts, step, side="right")) - 1
            row |= {"example": place + 1, "example_score": _plain(examples.score[place])}
            row["example_anomaly"] = int(examples.anomaly[place])
        return row

    def _named(self, values: NDArray[np.float64]) -> Any:
        plain = [_plain(each) for each in values]
        return plain[0] if len(plain) == 1 else dict(zip(self.features.targets, plain, strict=True))


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
