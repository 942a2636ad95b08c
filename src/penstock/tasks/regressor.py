"""Base class of sequence regressors: targets, predictions, metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from penstock.datasets.columns import plain_column
from penstock.errors import DataError
from penstock.runtime.metrics import regression_metrics
from penstock.runtime.regression_model import RegressionModel
from penstock.tasks.labelled import Labelled, check_lengths
from penstock.tasks.regression_measures import regression_figures
from penstock.tasks.supervised import Given, Supervised

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["Regressor"]

_LARGEST = 1e30  # the network predicts in float32


@dataclass(kw_only=True, eq=False, repr=False)
class Regressor(RegressorMixin, Supervised):
    """An estimator that predicts a number for a sequence.

    Subclasses implement `_rows`, `_describe`, `_network`, `_objective`, `_fit_baselines` and `_amount`.
    """

    def fit(
        self,
        X: Iterable[Any],
        y: Iterable[Any],
        validation_data: Given | None = None,
        test_data: Given | None = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on sequences and a number for each.

        Rows without an input or a number are dropped and counted in `metrics_`. Ctrl-C ends the training with the best
        weights so far: KeyboardInterrupt is raised, and the estimator is fitted if at least one epoch was completed.

        Args:
            X: sequences, in the form that the class describes.
            y: a number for each sequence.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the rows, with their weights.
            test_data: the same, for rows that are used only in `metrics_`.
            sample_weight: weight of each row in the loss, the baselines and the metrics: numbers of at least 0, of
                which only the proportions matter; None for equal weights. A row of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the numbers of targets and sequences differ, there are no sequences, or the targets are invalid
                or all the same.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped, changed)

    def predict(self, X: Iterable[Any]) -> np.ndarray:
        """Return the predicted number for each sequence, (sequences,) float32.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the inputs are invalid.
        """
        model = self._fitted()
        assert isinstance(model, RegressionModel)
        return model.predict(X)

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return R², the share of the targets' variance that the predictions explain; at most 1.

        Args:
            X, y: as for `fit`.
            sample_weight: weight of each row; None for equal weights.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the numbers of targets and sequences differ, a target is missing, or weights are invalid.
        """
        predicted = self.predict(X)
        truth = numbers(plain_column(self._each_row(X, self._column(y)), "y"), "y")[:, 0]
        check_lengths(len(predicted), len(truth))
        return regression_metrics(predicted, truth, self._score_weights(X, sample_weight, len(truth)))["r2"]

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        return []

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
        return numbers(answers, where)

    def _about(self, targets: np.ndarray, classes: Sequence[Any]) -> dict[str, Any]:
        return {"mean_target": float(targets.mean()), "target_std": float(targets.std())}

    def _train(self, data: Labelled, **how: Any) -> Self:
        low, high = float(data.train.targets.min()), float(data.train.targets.max())
        if low == high:
            raise DataError(f"the numbers to predict are all {low:g}: there is nothing to learn. Check the column.")
        if high - low < 1 / _LARGEST:
            raise DataError(f"the numbers to predict lie within {high - low:g}. Give them in another unit.")
        return super()._train(data, **how)

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return regression_figures(model, data, self._explained(model))


def numbers(answers: Sequence[Any], where: str) -> np.ndarray:
    """Convert targets to numbers, (rows, 1) float64.

    Raises:
        DataError: a target is not a number, or is too large.
    """
    try:
        found = np.array([float(each) for each in answers])
    except (TypeError, ValueError) as error:
        raise DataError(f"the answers of {where} must be numbers: {error}") from error
    if (beyond := np.flatnonzero(~(np.abs(found) <= _LARGEST))).size:
        row = int(beyond[0])
        raise DataError(
            f"the answers of {where} must be finite numbers, {_LARGEST:g} at most; number {row} is {found[row]:g}"
        )
    return found[:, None]
