"""`AnomalyDetector(kind="reconstruct")`: how it is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.detect.columns import columns_of
from penstock.detect.data import DetectData, TrainingTimelines
from penstock.detect.reconstruct.data import prepare_examples, split_examples
from penstock.detect.reconstruct.features import OF_EXAMPLES, OF_ROWS, ReconstructionFeatures
from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.detect.threshold import PEAKS, UNIT, fitted_peaks
from penstock.detect.timelines import Timelines
from penstock.detect.units import moments, spread_of
from penstock.errors import ConfigError
from penstock.network import Network, Numbers
from penstock.panels.epochs import drawn_in_an_epoch

if TYPE_CHECKING:
    from penstock.detect.reconstruct.objective import ReconstructionObjective

__all__ = ["Reconstructing", "calibrate_examples"]

_OF_FORECASTS = {"smoothing": 1, "probation": 100, "calendar": "auto", "chunk": 64}
"""Options that only forecasts have, and their defaults."""
_LEAST_LEVEL = 1.0
"""Values that the distribution itself finds as likely are no peaks."""
_SMALLEST = 1e-3
"""The least spread of what is ordinary of examples, which may be very few."""


class Reconstructing:
    """The steps of a training that belong to this kind alone; see `detect.forecasting.Forecasting`.

    Args:
        options: the estimator, of which only the options are read.

    Raises:
        ConfigError: an option is invalid, or of another kind.
    """

    def __init__(self, options: Any) -> None:
        self._options = options
        if options.window is not None:
            check_whole("window", options.window, at_least=2)
        if given := [name for name, usual in _OF_FORECASTS.items() if getattr(options, name) != usual]:
            raise ConfigError(
                f"{given[0]} is an option of kind='forecast': an example is judged as a whole, by itself. Leave it "
                "out, or choose that kind."
            )

    def split(self, data: Timelines, shares: Sequence[float], seed: int) -> list[Timelines]:
        """See `split_examples`."""
        return split_examples(data, shares, self._options.window, seed)

    def prepare(
        self, train: Timelines, valid: Timelines | None, test: Timelines | None, share: float, seed: int
    ) -> DetectData:
        """See `prepare_examples`; an epoch is a number of batches of examples."""
        options = self._options
        found = prepare_examples(train, valid, test, share, options.window, seed)
        window = options.window or max(map(len, found.train.data))
        examples = sum(-(-len(series) // window) for series in found.train.data)
        whole = TrainingTimelines(found.train.data, drawn_in_an_epoch(examples, options.batch_size))
        return DetectData(whole, found.valid, found.test, found.dropped, found.changed)

    def features(self, data: DetectData) -> ReconstructionFeatures:
        """Return features, fitted to the training data."""
        several, window = data.train.data, self._options.window
        own = [] if window is None else list(several)
        values = [np.concatenate([series.values for series in several]), *(series.values for series in own)]
        both = [moments(each) for each in values]
        return ReconstructionFeatures(
            **columns_of(several),
            window=window or max(map(len, several)),
            false_alarm_rate=self._options.false_alarm_rate,
            names=tuple(series.name for series in own),
            location=np.stack([location for location, _ in both]),
            spread=np.stack([spread_of(variance) for _, variance in both]),
        )

    def network(self, features: ReconstructionFeatures) -> Network:
        """Return the network for these features."""
        window = self._options.window
        if window is not None and window != features.window:
            raise ConfigError(
                f"window was {features.window} in the training that goes on; got {window}. Choose the same, or train "
                "a new model."
            )
        encoder = self._options.recurrent(features.size)
        head = ReconstructionHead(len(features.targets), self._options.recurrent(encoder.output_size))
        return Network(Numbers(features.size), encoder, head)

    def objective(self, data: DetectData, features: ReconstructionFeatures, seed: int) -> "ReconstructionObjective":
        """Return the training objective."""
        from penstock.detect.reconstruct.objective import objective_of

        if data.test is not None:
            features.check(data.test, "the test data")
        return objective_of(data, features, batch_size=self._options.batch_size, seed=seed)

    def fit_baselines(
        self, values: Sequence[NDArray[np.float64]], features: ReconstructionFeatures
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and settings of the baselines, by the training series (steps, targets), standardised."""
        from penstock.detect.reconstruct.baseline_training import fit_example_baselines

        return fit_example_baselines(values, features.window)

    def calibrate(self, model: Any, data: DetectData) -> None:
        """Set what is ordinary by the validation data: a network reproduces what it learned from too well."""
        model.features.peaks = calibrate_examples(model, data.valid, self._options.contamination)

    def inspected(self, data: DetectData) -> Timelines | None:
        """Return None: an example is read from its begin, and no memory reaches beyond it."""
        return None

    def resolved(self, features: ReconstructionFeatures) -> dict[str, Any]:
        """Return the values of options that were chosen by the data."""
        return {"window": features.window}


def calibrate_examples(model: Any, data: Timelines, contamination: float) -> dict[str, NDArray[np.float64]]:
    """Return `ReconstructionFeatures.peaks`, by what is said of examples without a labelled step.

    Args:
        model: the model, whose features and scorer are used.
        data: series; steps before their `begin` do not count.
        contamination: the share of the highest evidence that is left out.
    """
    rows, wholes = [], []
    for found, marked in zip(model.predict(data), data.marked(), strict=True):
        cuts = model.features.cuts(found.series)
        for first, end, evidence in zip(cuts[:-1], cuts[1:], found.examples.evidence, strict=True):
            if first >= found.series.begin and not marked[first:end].any():
                rows.append(found.evidence[first:end, 0])
                wholes.append([evidence])
    ordinary = {OF_ROWS: _ordinary(rows, contamination), OF_EXAMPLES: _ordinary(wholes, contamination)}
    spread = max(float(ordinary[OF_EXAMPLES].std()), _SMALLEST)
    peaks = [
        fitted_peaks(ordinary[OF_ROWS], UNIT, _LEAST_LEVEL),
        fitted_peaks(ordinary[OF_EXAMPLES], spread),
    ]
    return {name: np.array([kind[name] for kind in peaks]) for name in PEAKS}


def _ordinary(several: Sequence[Any], contamination: float) -> NDArray[np.float64]:
    """Evidence without what is missing, and without the highest."""
    scores = np.concatenate([np.zeros(0), *several])
    scores = np.sort(scores[~np.isnan(scores)])
    return scores[: max(1, round(len(scores) * (1 - contamination)))]
