"""Base class of models that read sequences: features, a scorer, and the conversion of scores to predictions."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.frames import is_table, tabular
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.runtime.model import Model
from penstock.runtime.question import Aim, Evidence
from penstock.runtime.reading import Reading
from penstock.runtime.sequence_question import SequenceQuestion
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.stream import Stream
from penstock.sequences import Sequences

__all__ = ["SequenceModel"]


class SequenceModel(Model):
    """A model whose prediction for a sequence has bits that depend on that sequence alone.

    A subclass for a kind of data implements `checked`, `encode` and `item`; one for a kind of prediction implements
    `decode`. There is one prediction for the whole sequence, unless a subclass overrides `stream` and `outputs`, as
    `StepModel` does.
    """

    scorer: Any  # a PooledScorer or a StepScorer

    @abstractmethod
    def checked(self, inputs: Any) -> Sequence[Any]:
        """Return the inputs as a sequence (iterable twice); DataError if they are not of this model's kind."""

    @abstractmethod
    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """Return the features of checked inputs: one sequence of ids or numbers for each."""

    @abstractmethod
    def decode(self, outputs: Any) -> Any:
        """Convert the head's outputs for a sequence, (outputs,) or stepwise (steps, outputs), to its prediction."""

    def given(self, inputs: Any, answers: Any = None, *, labelled: bool = False) -> tuple[Any, Any]:
        """Return inputs and ground truth as `checked` and `evaluate` take them; those of a table are its columns.

        Args:
            inputs: as for `predict`: inputs, or a table of pandas, Polars or Arrow with the columns of training.
            answers: their ground truth, if known.
            labelled: whether to take the ground truth from the table if `answers` is None.

        Raises:
            DataError: the table lacks a column.
        """
        if not is_table(inputs):
            return inputs, answers
        rows = self.table_rows(tabular(inputs), labelled=labelled and answers is None)
        return rows.inputs, rows.answers if answers is None else answers

    def table_rows(self, table: Any, *, labelled: bool) -> Rows:
        """Read the inputs of a table, and if `labelled` their ground truth; without an override, the table itself."""
        return Rows(table)

    def trained_column(self, role: str) -> Any:
        """Return the name of the column with a role in training, such as "label"; None if it is unknown."""
        return self.metrics.get("data", {}).get("columns", {}).get(role)

    def outputs(self, inputs: Sequence[Any]) -> Any:
        """Return the head's outputs for checked inputs: (inputs, outputs), or `Sequences` for a stepwise head."""
        return self.scorer.scores(self.encode(inputs))

    def checked_pair(self, other: Any, inputs: Any, theirs: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return the checked inputs of two models, for `pair`; DataError unless they are as many."""
        rows, beside = self.checked(inputs), other.checked(inputs if theirs is None else theirs)
        if len(rows) != len(beside):
            raise DataError(
                f"both models must read the same rows; the first reads {len(rows)} and the second {len(beside)}. "
                "Leave out the rows that one of them can't read."
            )
        return rows, beside

    def timed(self, inputs: Any, most: int) -> Callable[[], int]:
        """See `Model.timed`."""
        rows = self.checked(inputs)[:most]

        def run() -> int:
            self.outputs(rows)
            return len(rows)

        return run

    def named(self, item: Any) -> dict[str, Any]:
        """Return what identifies a checked input to a reader, such as {"text": ...}; empty if nothing does."""
        return {}

    def stretch(self, rows: int) -> int:
        """Return how many consecutive ones of so many rows depend on each other; 1 if each is an input of its own."""
        return 1

    def reading(self, item: Any) -> Reading:
        """See `Model.reading`; subclasses for a kind of data add names, units and properties to `_reading`."""
        return self._reading(self.checked([item])[-1])

    def _reading(self, item: Any, **more: Any) -> Reading:
        """Return the reading of a checked input; `more` are its other attributes."""
        values = self.encode([item])[0]
        recall = partial(self._recall, values)
        return Reading(x=self.scorer.vectors(values)[:, None], recall=recall, around=self._around, **more)

    @property
    def _around(self) -> bool:
        """See `Reading.around`."""
        return False

    def _recall(self, values: NDArray[Any], steps: Sequence[int]) -> NDArray[np.float32]:
        """Return the head's outputs for the last n steps alone, for each n of `steps`; see `Reading.recall`."""
        return self.scorer.scores(Sequences.from_list([values[len(values) - n :] for n in steps]))

    def stream(self) -> Stream:
        """Start a stream for a sequence that arrives piece by piece, with a prediction after each piece.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return SequenceStream(self)

    def question(
        self, one: Any, *, target: Any = None, at: int | None = None, most_steps: int | None = None
    ) -> SequenceQuestion:
        """See `Model.question`."""
        return SequenceQuestion(self, self.evidence(one), target, at, most_steps)

    def evidence(self, one: Any) -> Evidence:
        """Return the cells of one input that attribution scores; DataError if it is not of this model's kind."""
        raise ConfigError(
            f"inputs of a model for {self.task} can't be explained: {type(self).__name__} has no evidence"
        )

    def aim(self, outputs: Any, target: Any, at: int | None) -> Aim:
        """Return the number to explain.

        Args:
            outputs: the head's outputs for the input, from which the predicted label follows.
            target, at: as for `Model.question`.
        """
        raise ConfigError(
            f"predictions of a model for {self.task} can't be explained: {type(self).__name__} has no aim"
        )

    def linear(self, outputs: Any) -> Any:
        """Return the head's outputs as `Aim.score` reads them: as PyTorch's head gives them, up to a constant."""
        return outputs

    def explained(self, outputs: Any, aim: Aim) -> dict[str, Any]:
        """Return the prediction that `aim` explains as plain values, from the head's outputs for one input."""
        return self.as_json(self.decode(outputs))
