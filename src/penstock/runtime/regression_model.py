"""Models that predict a number for a sequence."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.network import RegressionHead
from penstock.runtime.columns import column_list
from penstock.runtime.metrics import regression_metrics, regression_sums
from penstock.runtime.resampling import compared
from penstock.runtime.sequence_model import SequenceModel

__all__ = ["RegressionModel"]


class RegressionModel(SequenceModel):
    """A regressor of sequences without PyTorch; a kind of data makes a class of its own from it."""

    def check(self) -> None:
        """A head of one number, and no labels."""
        head = self.network.head
        if not isinstance(head, RegressionHead) or head.outputs != 1 or self.labels:
            raise ConfigError(f"a regressor needs a head of one number and no labels; got {head!r}")

    def predict(self, inputs: Iterable[Any]) -> NDArray[np.float32]:
        """The number for each input, (inputs,).

        Raises:
            DataError: not inputs of this kind of model.
        """
        return self.outputs(self.checked(inputs))[:, 0]

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """mse, rmse, mae and r2 where the numbers are known, of the model and of each baseline; see `Model`.

        Raises:
            DataError: not as many numbers as inputs, none at all, or no numbers.
        """
        rows = self.checked(inputs)
        truth = self._numbers(answers, len(rows))
        found = self.outputs(rows)[:, 0]
        others = {name: each[:, 0] for name, each in self.baseline_answers(rows).items()}
        beside = {name: regression_metrics(each, truth) for name, each in others.items()}
        return {
            "metrics": regression_metrics(found, truth),
            "baseline": next(iter(beside.values()), {}),
            "baselines": beside,
            **compared(
                regression_sums(found, truth), {name: regression_sums(each, truth) for name, each in others.items()}
            ),
        }

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """For each input its `prediction`."""
        for value in self.predict(inputs).tolist():
            yield {"prediction": value}

    def decode(self, outputs: NDArray[np.float32]) -> float:
        """The number."""
        return float(outputs[0])

    def as_json(self, answer: float) -> dict[str, Any]:
        """{"prediction": number}."""
        return {"prediction": answer}

    def _numbers(self, answers: Any, rows: int) -> NDArray[np.float64]:
        values = column_list(answers, "answers")
        if len(values) != rows or not rows:
            raise DataError(f"inputs and answers must have the same length, at least 1; got {rows} and {len(values)}")
        try:
            truth = np.array(values, np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"answers must be numbers: {error}") from error
        if not np.isfinite(truth).all():
            raise DataError("answers must be finite numbers. Leave rows without an answer out.")
        return truth
