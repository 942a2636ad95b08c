"""One input of a model that reads sequences, to be explained; see `runtime.question`."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.runtime.question import Evidence, Question, check_length
from penstock.sequences import Sequences

if TYPE_CHECKING:
    from penstock.runtime.sequence_model import SequenceModel

__all__ = ["SequenceQuestion"]


class SequenceQuestion(Question):
    """An input of a model with a pooled or stepwise head.

    Args:
        model: the model.
        evidence: the input's cells.
        target, at, most_steps: as for `Model.question`.

    Raises:
        DataError: the input has no step, or too many.
        ConfigError: the model has no such target or step.
    """

    def __init__(
        self, model: "SequenceModel", evidence: Evidence, target: Any, at: int | None, most_steps: int | None = None
    ) -> None:
        if not len(evidence.values):
            raise DataError(f"there must be at least one {evidence.axes[0]} to explain; this input has none")
        self._model, self.evidence = model, evidence
        self.network, self.tensors = model.network, model.tensors
        features = evidence.vectors(evidence.values[None])
        self.steps = features.shape[1]
        check_length(self.steps, most_steps)
        self.aim = model.aim(self._heads(features)[0], target, at)

    def outputs(self, variants: NDArray[Any]) -> NDArray[Any]:
        """See `Question`; probabilities are given as their logarithms."""
        return self._model.linear(self._heads(self.evidence.vectors(variants)))

    def answer(self, variant: NDArray[Any]) -> dict[str, Any]:
        """See `Question`; of a model that labels steps, the prediction of the step."""
        outputs = self._heads(self.evidence.vectors(variant[None]))[0]
        return self._model.explained(outputs, self.aim)

    def embedded(self, module: Any, variants: Any) -> Any:
        """See `Question`."""
        return module.vectors(self.evidence.vectors(variants)) if self._reads_ids else variants

    def traced(self, module: Any, x: Any) -> Any:
        """See `Question`."""
        y, _ = module.encode(x if self._reads_ids else module.vectors(self.evidence.vectors(x)))
        return module.head(y)

    @property
    def _reads_ids(self) -> bool:
        return self.evidence.values.ndim == 1

    def _heads(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return the head's outputs for features (variants, steps) or (variants, steps, size)."""
        variants, steps = features.shape[:2]
        flat = np.ascontiguousarray(features.reshape(variants * steps, *features.shape[2:]))
        found = self._model.scorer.scores(Sequences(flat, np.arange(variants + 1) * steps))
        return found.values.reshape(variants, steps, -1) if isinstance(found, Sequences) else found
