"""The head of speech recognition at run time, on NumPy and the engine."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.runtime.pointwise import FUNCTIONS
from penstock.speech.spec import CtcHead

__all__ = ["CtcReadout", "Lookahead"]

Floats = NDArray[np.float32]


class CtcReadout:
    """Log-probabilities of the blank and of all tokens at each step.

    Args:
        spec: the description.
        tensors: as its `parameter_shapes`.
        features: the encoder's output size.
        bidirectional: ignored; accepted because all heads take it.

    Attributes:
        outputs: the number of scores of a step, the blank's included.
    """

    def __init__(
        self, spec: CtcHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.outputs, self._features = spec.tokens, features
        self._weights = tensors["lookahead"] if spec.lookahead else np.ones((1, features), np.float32)
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    def __call__(self, y: Floats) -> Floats:
        """y (steps, features), after `Lookahead` -> (steps, outputs); a row's bits do not depend on other rows."""
        return FUNCTIONS["log_softmax"](self._linear(y))

    def lookahead(self) -> "Lookahead":
        """Return the look-ahead convolution for the outputs of one sequence."""
        return Lookahead(self._weights)


class Lookahead:
    """The look-ahead convolution over the outputs of a sequence as they arrive, with the same bits as for the whole.

    Args:
        weights: (1 + steps ahead, features).
    """

    def __init__(self, weights: Floats) -> None:
        self._weights = weights
        # The last outputs, for which later ones are awaited, and how many of them there are.
        self._waiting = np.zeros((len(weights) - 1, weights.shape[1]), np.float32)
        self._held = np.zeros(1, np.int64)

    def push(self, y: Floats) -> Floats:
        """Return the rows that are complete with new outputs y (steps, features), in order."""
        if len(self._weights) == 1:
            return y
        joined = np.concatenate([self._waiting[: self._held[0]], y])
        ready = max(len(joined) - len(self._waiting), 0)
        rest = joined[ready:]
        self._waiting[: len(rest)] = rest
        self._waiting[len(rest) :] = 0  # equal states are equal bytes
        self._held[0] = len(rest)
        return self._weighed(joined, ready)

    def finish(self) -> Floats:
        """Return the last rows, if the sequence ends here; changes nothing."""
        held = int(self._held[0])
        return self._weighed(np.concatenate([self._waiting[:held], np.zeros_like(self._waiting)]), held)

    def reset(self) -> None:
        """Start the next sequence."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
        """Return the memory by name; empty without a step ahead."""
        return {"waiting": self._waiting, "held": self._held} if len(self._waiting) else {}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest number of outputs that wait."""
        return {"held": (0, len(self._waiting))} if len(self._waiting) else {}

    def _weighed(self, y: Floats, rows: int) -> Floats:
        """Return the first rows: sums over j, in order, of weights[j] * y[row + j]."""
        total = np.zeros((rows, y.shape[1]), np.float32)
        for step, weight in enumerate(self._weights):
            total += weight * y[step : step + rows]
        return total
