"""Models that predict a number for a sequence."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.network import RegressionHead
from penstock.runtime.columns import column_list
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.metrics import regression_metrics, regression_sums
from penstock.runtime.question import Aim, refuse_step
from penstock.runtime.sequence_model import SequenceModel

__all__ = ["RegressionModel"]


class RegressionModel(SequenceModel):
    """A sequence regressor that needs no PyTorch; each kind of data has a subclass."""

    def check(self) -> None:
        """Check that the head has one output, and that there are no labels."""
        head = self.network.head
        if not isinstance(head, RegressionHead) or head.outputs != 1 or self.labels:
            raise ConfigError(f"a regressor needs a regression head with one output and no labels; got {head!r}")

    def predict(self, inputs: Iterable[Any]) -> NDArray[np.float32]:
        """Return the predicted number for each input, (inputs,).

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return self.outputs(self.checked(self.given(inputs)[0]))[:, 0]

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return mse, rmse, mae and r2 on inputs with known answers, of the model and of each baseline; see `Model`.

        Raises:
            DataError: inputs and answers differ in length or are empty, or the answers are not numbers.
        """
        inputs, answers = self.given(inputs, answers, labelled=True)
        rows = self.checked(inputs)
        truth = self._numbers(answers, len(rows))
        others = self.baseline_answers(rows)
        return evaluation(
            self._judged(rows, truth, self.outputs(rows)),
            {name: self._judged(rows, truth, each) for name, each in others.items()},
        )

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`."""
        rows, beside = self.checked_pair(other, inputs, theirs)
        truth = self._numbers(required(answers), len(rows))
        return self._judged(rows, truth, self.outputs(rows)), self._judged(rows, truth, other.outputs(beside))

    def _judged(self, rows: Sequence[Any], truth: NDArray[np.float64], outputs: NDArray[Any]) -> Judged:
        stretch = self.stretch(len(truth))
        return Judged(
            regression_metrics(outputs[:, 0], truth),
            regression_sums(outputs[:, 0], truth, stretch=stretch),
            truth,
            outputs[:, 0],
            names=[self.named(each) for each in rows],
            single=stretch == 1,
        )

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield `prediction` for each input."""
        for value in self.predict(inputs).tolist():
            yield {"prediction": value}

    def decode(self, outputs: NDArray[np.float32]) -> float:
        """Return the predicted number."""
        return float(outputs[0])

    def aim(self, outputs: NDArray[np.float32], target: Any, at: int | None) -> Aim:
        """Explain the predicted number."""
        refuse_step(at)
        if target is not None:
            raise ConfigError(
                f"a model that predicts one number has no target to choose; got {target!r:.60}. Leave it out"
            )
        return Aim(target=None, at=None, unit="value", score=lambda outputs: outputs[..., 0])

    def as_json(self, answer: float) -> dict[str, Any]:
        """Return {"prediction": number}."""
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
            raise DataError("answers must be finite numbers. Drop the rows without an answer.")
        return truth
