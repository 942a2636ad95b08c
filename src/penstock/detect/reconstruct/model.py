"""A detector that reproduces examples, at run time. No PyTorch."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from penstock.detect.model import Detections, DetectorModel, Examples
from penstock.detect.monitor import Adapt
from penstock.detect.reconstruct.baselines import ExampleBaselines
from penstock.detect.reconstruct.features import ReconstructionFeatures
from penstock.detect.reconstruct.judging import ExampleJudgement, judge
from penstock.detect.reconstruct.stream import ExampleDetection, ReconstructionStream
from penstock.detect.timelines import Timeline
from penstock.errors import ConfigError
from penstock.runtime.reading import Reading
from penstock.sequences import Sequences

__all__ = ["ReconstructionModel"]


class ReconstructionModel(DetectorModel):
    """A detector of `kind="reconstruct"` that does not need PyTorch; inputs as for `DetectorModel`.

    A series is cut, from its first row on, into examples of `features.window` rows; the last one may be shorter. An
    example is judged when its last row is there, by itself alone.
    """

    features: ReconstructionFeatures

    def check(self) -> None:
        """Check that the network matches the features."""
        head, features = self.network.head, self.features
        if head.kind != "reconstruction" or self.network.encoder.bidirectional:
            raise ConfigError(f"a detector reads forward and has a head of kind 'reconstruction'; got {head.kind!r}")
        if head.targets != len(features.targets) or getattr(self.network.inputs, "size", None) != features.size:
            raise ConfigError(
                f"the network must read {features.size} features and reproduce {len(features.targets)} targets"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> ReconstructionFeatures:  # type: ignore[override]
        """Read scales, columns and what is ordinary."""
        return ReconstructionFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Any:
        """Read the `ExampleBaselines`: the nearest training example, and those of `DetectorModel`."""
        return ExampleBaselines(arrays, self.features.window)

    def predict(self, inputs: Any, *, adapt: Adapt = False) -> list[Detections]:
        """Judge each row and each example of each series, with the same bits as a stream.

        Args:
            inputs: series, in the form that `DetectorModel` describes.
            adapt: must be False.

        Raises:
            ConfigError: `adapt`.
            DataError: columns or times that differ from training.
        """
        self._refuse(adapt)
        data, features = self.timelines(inputs), self.features
        cuts = [features.cuts(series) for series in data]
        read = [features.encode(series.values, features.identity(series.name)) for series in data]
        begins = np.concatenate([np.diff(own) for own in cuts])
        scores = self.scorer.scores(Sequences(np.concatenate(read), np.concatenate([[0], np.cumsum(begins)])))
        places = np.cumsum([0, *(len(own) - 1 for own in cuts)])
        return [
            self._detections(series, own, scores[int(first) : int(last)])
            for series, own, first, last in zip(data, cuts, places[:-1], places[1:], strict=True)
        ]

    def cuts(self, series: Timeline) -> NDArray[np.int64]:
        """Return the first step of each example of a series, and its number of steps last."""
        return self.features.cuts(series)

    def reading(self, item: Any) -> Reading:
        """Raise ConfigError: no memory reaches beyond an example."""
        self._not_inspected()

    def readings(self, inputs: Any) -> Iterator[Reading]:
        """Raise ConfigError, as `reading`."""
        self._not_inspected()

    def stream(self, series: str | None = None, *, adapt: Adapt = False) -> ReconstructionStream:  # type: ignore[override]
        """Open a stream that judges an example when its last row arrives; see `ReconstructionStream`.

        Args:
            series: the name of a training series; None: the only one, or none of these.
            adapt: must be False.
        """
        self._refuse(adapt)
        return ReconstructionStream(self, series)

    def pool(self, *, adapt: Adapt = False) -> NoReturn:
        """Raise ConfigError: examples do not end together."""
        raise ConfigError(
            "streams of a detector of kind='reconstruct' can't share a pool: each waits for the end of its own "
            "example. Open a stream for each, or give complete examples to predict."
        )

    def as_json(self, answer: ExampleDetection | None) -> dict[str, Any]:  # type: ignore[override]
        """{"prediction": 0 or 1, "score": ..., "threshold": ..., "rows": [...]}: the example, and each of its rows.

        Rows are as `DetectorModel.as_json` has them. {"prediction": None} while an example goes on.
        """
        if answer is None:
            return {"prediction": None}
        rows = [super(ReconstructionModel, self).as_json(row) for row in answer.rows]
        return {
            "prediction": int(answer.anomaly),
            "score": None if np.isnan(answer.score) else answer.score,
            "threshold": answer.threshold,
            "rows": rows,
        }

    def _detections(self, series: Timeline, cuts: NDArray[np.int64], scores: Sequences) -> Detections:
        features = self.features
        identity, threshold = features.identity(series.name), -np.log10(features.false_alarm_rate)
        found = [
            judge(features, identity, series.values[first:end], rows)
            for first, end, rows in zip(cuts[:-1], cuts[1:], scores, strict=True)
        ]
        rows: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in found]) for name in ExampleJudgement._fields[:-1]
        }
        score, evidence = np.array([each.whole for each in found]).T
        return Detections(series, **rows, examples=Examples(cuts, score, score > threshold, evidence))

    def _refuse(self, adapt: Adapt) -> None:
        if adapt is not False:
            raise ConfigError("adapt is of kind='forecast'; an example is judged by itself. Leave it out.")

    def _not_inspected(self) -> NoReturn:
        raise ConfigError(
            "a detector of kind='reconstruct' can't be inspected: it reads each example from its begin, so that no "
            "memory reaches beyond the example"
        )
