"""Detection of anomalies in time series, one or many, from what came before."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.bundle import Bundle
from penstock.checks import check_number, check_one_of, check_whole
from penstock.detect.data import DetectData, as_timelines
from penstock.detect.features import DetectFeatures
from penstock.detect.figures import detection_figures
from penstock.detect.forecasting import Forecasting
from penstock.detect.model import Detections, DetectorModel
from penstock.detect.reconstruct.training import Reconstructing
from penstock.detect.timelines import Timelines
from penstock.errors import ConfigError
from penstock.network import Network
from penstock.panels.frames import is_frame
from penstock.tasks.estimator import Estimator, seed_of, training_module
from penstock.tasks.options import CellName, CellOptions
from penstock.tasks.space import Around, Searched
from penstock.tasks.verbosity import say_data, verbose

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["AnomalyDetector"]

_KINDS: dict[str, type[Forecasting] | type[Reconstructing]] = {"forecast": Forecasting, "reconstruct": Reconstructing}


@dataclass(kw_only=True, eq=False, repr=False)
class AnomalyDetector(CellOptions, Estimator):
    """Finds anomalies in time series with a recurrent network that expects each value; scikit-learn style.

    The network reads a series row by row, its state carried for ever, and gives the distribution of the next values.
    Beside it stand what is usual at each point of the season, and how often a value is repeated. A row's score is
    -log10 of the share of ordinary rows that are as surprising to one of the three; what is ordinary is learned in
    training and goes on adapting (peaks over threshold, Siffer et al. 2017).

    Data is a path or a frame with the columns `unique_id`, `ds` and `y`, or arrays without times: (steps,), (steps,
    targets), or several in a list or dict. Times may be irregular. `bidirectional` must be False, because a row is
    judged when it arrives.

    With `kind="reconstruct"` series are cut into examples instead, such as heartbeats or strokes of a press. An encoder
    reads an example, and a decoder writes it backward from what the encoder holds at its end (Malhotra et al. 2016). A
    row's score is how rare such an error of the reconstruction is, and an example has a score of its own. It is judged
    when it is complete, by itself alone.

    Args:
        kind: "forecast" judges each row when it arrives, by the rows before it; "reconstruct" judges examples.
        window: of "reconstruct", the rows of an example that is cut out of a longer series; default: each series is
            an example.
        false_alarm_rate: share of ordinary rows whose score exceeds the threshold; also of ordinary examples.
        smoothing: of "forecast", as are `probation`, `calendar` and `chunk`: surprise is averaged over about so many
            rows, so that what lasts counts more than what is short; 1 for each row by itself.
        probation: rows after which a series that training did not know is judged.
        contamination: share of the rows without labels that may be anomalies: the highest scores, which are left out
            when the threshold is set.
        calendar: calendar features that the network reads: "none", "auto" for those suitable for the times, or a list
            of "hour", "weekday", "yearday", "month".
        chunk: rows through which a gradient goes back.

    Examples:
        >>> import numpy as np
        >>> from penstock import AnomalyDetector
        >>> series = np.sin(np.arange(400) / 5)
        >>> detector = AnomalyDetector(hidden_size=8, epochs=1, baseline=False).fit(series)
        >>> detector.predict(series)[0].anomaly.shape
        (400,)
    """

    task: ClassVar[str] = "anomaly-detection"
    fewest_steps: ClassVar[int] = 1000

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("kind", "window", "false_alarm_rate", "smoothing", "probation", "contamination", "calendar"),
        "training": ("chunk",),
    }
    everyday: ClassVar[tuple[str, ...]] = (
        "kind",
        "window",
        "false_alarm_rate",
        "contamination",
        "calendar",
    )
    searched: ClassVar[Searched] = {"chunk": Around(2)}

    kind: Literal["forecast", "reconstruct"] = "forecast"
    window: int | None = None
    false_alarm_rate: float = 1e-4
    smoothing: int = 1
    probation: int = 100
    contamination: float = 0.0
    calendar: Literal["none", "auto"] | list[str] = "auto"
    chunk: int = 64
    cell: CellName = "gru"
    hidden_size: int = 32
    batch_size: int = 32
    learning_rate: float = 0.004
    validation_share: float = 0.2

    @verbose
    def fit(
        self,
        X: Any,
        y: Any = None,
        validation_data: Any = None,
        test_data: Any = None,
        *,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on series, most of whose rows are ordinary.

        Args:
            X: series, in the form that the class describes.
            y: labelled windows, which are left out of training: {series: [(start, end), ...]}, or a list of them for
                one series. Start and end are times, or numbers of steps without times. None for no labels.
            validation_data: series for early stopping and the threshold, or (series, windows); None holds back
                `validation_share` of each series at its end.
            test_data: series, or (series, windows), used only in `metrics_`.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include besides those that the series hold.

        Raises:
            DataError: series that are too short or never change, or windows outside them.
            ConfigError: an option is invalid.
            PenstockError: training diverged.
        """
        started = time.perf_counter()
        training_module()
        self._check_options()
        seed = seed_of(self.random_state)
        train = as_timelines(X, y)
        valid, test = (_part(part, train.columns) for part in (validation_data, test_data))
        found = self._way().prepare(train, valid, test, self.validation_share, seed)
        found.dropped.update(Counter(found.dropped) + Counter(dropped or {}))
        found.changed.update(Counter(found.changed) + Counter(changed or {}))
        sizes = [
            None if part is None else _amount(part)["rows"] for part in (found.train.data, found.valid, found.test)
        ]
        say_data("steps", sizes[0] or 0, sizes[1] or 0, sizes[2], found.dropped, found.changed)
        return self._train(found, seed=seed, started=started, callbacks=callbacks)

    def fit_rows(self, train: Timelines, valid: Timelines | None, test: Timelines | None, **more: Any) -> Self:  # type: ignore[override]
        """Call `fit` with the results of the task's reader; `more` is passed on, but for counts that these hold."""
        return self.fit(train, None, valid, test, **(more | {"changed": None, "dropped": None}))

    def predict(self, X: Any) -> list[Detections]:
        """Judge each row of each series; see `DetectorModel.predict`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: columns or times that differ from training.
        """
        model = self._fitted()
        assert isinstance(model, DetectorModel)
        as_it_is = isinstance(X, np.ndarray | list | tuple | Timelines) or is_frame(X)
        return model.predict(X if as_it_is else as_timelines(X, columns=model.features.columns))

    def split(self, rows: Timelines, proportions: Sequence[float], random_state: int) -> list[Timelines]:  # type: ignore[override]
        """Split by time, where each part includes the steps before it as history; or whole examples, at random."""
        return self._way().split(rows, proportions, random_state)

    def _check_options(self) -> None:
        for name in ("smoothing", "probation", "chunk", "batch_size"):
            check_whole(name, getattr(self, name), at_least=1)
        check_number("false_alarm_rate", self.false_alarm_rate, above=0, below=0.02)
        check_number("contamination", self.contamination, at_least=0, below=0.5)
        if self.bidirectional:
            raise ConfigError("a detector reads forward, each row as it arrives. Leave bidirectional out.")

    def _way(self) -> Forecasting | Reconstructing:
        """The steps of the training that depend on the kind."""
        check_one_of("kind", self.kind, _KINDS)
        return _KINDS[self.kind](self)

    def _idle(self, fixed: Collection[str]) -> set[str]:
        return super()._idle(fixed) | ({"chunk"} if self.kind == "reconstruct" else set())

    def _describe(self, data: DetectData) -> tuple[Any, Network]:
        features = self._way().features(data)
        return features, self._network(data, features)

    def _network(self, data: DetectData, features: Any) -> Network:
        return self._way().network(features)

    def _objective(self, data: DetectData, features: Any, network: Network, seed: int) -> Any:
        return self._way().objective(data, features, seed)

    def _fit_baselines(self, data: DetectData, features: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        if not self.baseline:
            return {}, {}
        return self._way().fit_baselines([features.standardised(each) for each in data.train.data], features)

    def _calibrate(self, model: Any, data: DetectData) -> dict[str, Any]:
        """Set what is ordinary by the data."""
        self._way().calibrate(model, data)
        return {}

    def _measure(self, model: Any, data: DetectData) -> dict[str, Any]:
        return detection_figures(model, data)

    def _inspected(self, data: DetectData) -> Timelines | None:
        return self._way().inspected(data)

    def _data_figures(self, data: DetectData, features: Any) -> dict[str, Any]:
        parts = {"train": data.train.data, "valid": data.valid, "test": data.test}
        return {name: None if part is None else _amount(part) for name, part in parts.items()}

    def _resolved(self, features: Any, network: Network) -> dict[str, Any]:
        return self._way().resolved(features)

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        if saved.features["kind"] != DetectFeatures.kind:
            return {"kind": "reconstruct", "false_alarm_rate": saved.features["false_alarm_rate"]}
        names = ("false_alarm_rate", "smoothing", "probation")
        return {name: saved.features[name] for name in names} | {"calendar": saved.features["calendar"] or "none"}


def _part(given: Any, columns: Mapping[str, Any]) -> Timelines | None:
    """Series to validate or test with, alone or beside their windows."""
    if given is None:
        return None
    with_windows = isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping | list | None)
    data, windows = given if with_windows else (given, None)
    return as_timelines(data, windows, columns)


def _amount(data: Timelines) -> dict[str, int]:
    steps = sum(len(series) - series.begin for series in data)
    missing = sum(int(np.isnan(series.values[series.begin :]).sum()) for series in data)
    labelled = 0 if data.windows is None else sum(len(windows) for windows in data.windows.values())
    return {"rows": steps, "series": len(data), "missing": missing, "windows": labelled}
