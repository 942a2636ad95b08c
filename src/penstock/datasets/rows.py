"""Rows of labelled data, which readers return and estimators take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.errors import DataError

__all__ = ["Rows"]


@dataclass(frozen=True)
class Rows:
    """Rows fit for use.

    inputs: one sequence each: texts, arrays (steps, channels), recordings
    answers: as many labels or numbers, none of them missing; None where there are none
    dropped: why rows were left out, and how many; only what occurred
    changed: what was changed in the rows, and how often; see `datasets.changes`
    kept: the places of these rows in what was given, (rows,); None where none was left out
    weights: what each row counts, (rows,) float64, above 0; None for 1 each
    columns: the columns that were read, by the names of the task's options, for other files to be read alike
    """

    inputs: Sequence[Any]
    answers: list[Any] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    kept: np.ndarray | None = field(default=None, compare=False)
    weights: np.ndarray | None = field(default=None, compare=False)
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)
    changed: dict[str, int] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.answers is not None and len(self.answers) != len(self.inputs):
            raise DataError(
                f"inputs and answers must have the same length; got {len(self.inputs)} and {len(self.answers)}"
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: np.ndarray) -> "Rows":
        """Some of the rows, in the order of `indices`; nothing is counted as dropped or changed."""
        answers = None if self.answers is None else [self.answers[index] for index in indices]
        weights = None if self.weights is None else self.weights[indices]
        return Rows([self.inputs[index] for index in indices], answers, weights=weights)
