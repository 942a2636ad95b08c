"""`AnomalyDetector(kind="forecast")`: how it is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.data import DetectData, TrainingTimelines, prepare, split_by_time
from penstock.detect.features import DetectFeatures
from penstock.detect.fitting import calibrate, fitted_features
from penstock.detect.spec import DistributionHead
from penstock.detect.timelines import Timelines
from penstock.errors import ConfigError
from penstock.network import Network, Numbers
from penstock.panels.calendar import calendar_names
from penstock.panels.epochs import drawn_in_an_epoch

if TYPE_CHECKING:
    from penstock.detect.objective import DetectObjective

__all__ = ["Forecasting"]

_INSPECTED = 8
"""Inputs by which the memory of a network is measured."""


class Forecasting:
    """The steps of a training that belong to this kind alone.

    Args:
        options: the estimator, of which only the options are read.

    Raises:
        ConfigError: an option is invalid, or of another kind.
    """

    def __init__(self, options: Any) -> None:
        self._options = options
        if options.window is not None:
            raise ConfigError("window is the length of examples, of kind='reconstruct'. Leave it out, or choose that.")
        self._calendar = calendar_names(options.calendar)

    def split(self, data: Timelines, shares: Sequence[float], seed: int) -> list[Timelines]:
        """Split by time; each part includes the steps before it as history. Nothing is random."""
        return split_by_time(data, shares)

    def prepare(
        self, train: Timelines, valid: Timelines | None, test: Timelines | None, share: float, seed: int
    ) -> DetectData:
        """See `detect.data.prepare`; an epoch is a number of chunks."""
        options, found = self._options, prepare(train, valid, test, share)
        rows = sum(map(len, found.train.data))
        drawn = drawn_in_an_epoch(-(-rows // options.chunk), options.batch_size)
        whole = TrainingTimelines(found.train.data, drawn)
        return DetectData(whole, found.valid, found.test, found.dropped, found.changed)

    def features(self, data: DetectData) -> DetectFeatures:
        """Return features, fitted to the training data."""
        options = self._options
        how = {name: getattr(options, name) for name in ("probation", "smoothing", "false_alarm_rate")}
        return fitted_features(data.train.data, self._calendar, **how)

    def network(self, features: DetectFeatures) -> Network:
        """Return the network for these features."""
        encoder = self._options.recurrent(features.size)
        return Network(Numbers(features.size), encoder, DistributionHead(len(features.targets)))

    def objective(self, data: DetectData, features: DetectFeatures, seed: int) -> "DetectObjective":
        """Return the training objective, of the series that the features know."""
        from penstock.detect.objective import objective_of

        options = self._options
        if data.test is not None:
            features.check(data.test, "the test data")
        return objective_of(data, features, streams=options.batch_size, chunk=options.chunk, seed=seed)

    def fit_baselines(
        self, values: Sequence[NDArray[np.float64]], features: DetectFeatures
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and settings of the baselines, by the training series (steps, targets), standardised."""
        from penstock.detect.baseline_training import fit_baselines

        return fit_baselines(values)

    def calibrate(self, model: Any, data: DetectData) -> None:
        """Set what is ordinary by the data."""
        calibrate(model, data.train.data, data.valid, self._options.contamination)

    def inspected(self, data: DetectData) -> Timelines:
        """Return the beginnings of validation series, up to some of their rows."""
        several = data.valid.series[:_INSPECTED]
        each = -(-_INSPECTED // len(several))
        ends = [np.unique(np.linspace(series.begin, len(series), each + 1, dtype=int)[1:]) for series in several]
        return data.valid.with_series(
            [series.until(int(end)) for series, own in zip(several, ends, strict=True) for end in own]
        )

    def resolved(self, features: DetectFeatures) -> dict[str, Any]:
        """Return the values of options that were chosen by the data."""
        return {"calendar": list(features.calendar) or "none"}
