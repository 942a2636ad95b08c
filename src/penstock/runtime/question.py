"""What attribution works on: one input as an array whose cells can be changed, and the number that is explained.

A model makes a `Question` of an input; `penstock.inspection` changes its cells and asks for the number again. The
engine computes the outputs of many variants at once (`outputs`); PyTorch, for gradients, computes the same from the
network as a module (`embedded`, `traced`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.labels import LabelIndex
from penstock.network import Network

__all__ = [
    "Aim",
    "Evidence",
    "Question",
    "check_length",
    "label_place",
    "log_odds",
    "named_place",
    "refuse_step",
    "step_place",
]


def _same(values: Any) -> Any:
    return values


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One input as the cells that attribution scores.

    Attributes:
        values: ids (tokens,), or numbers (steps, columns) in the network's units.
        baseline: of the same shape: what a cell holds where nothing is known.
        axes: the name of each axis, such as ("time", "channel").
        places: the names along each axis.
        together: columns that are left out together, because neighbours say the same.
        gaps: for texts, what stands before each token, and after the last one: (tokens + 1).
        vectors: variants (variants, *shape) of NumPy or PyTorch -> the features that the network reads.
    """

    values: NDArray[Any]
    baseline: NDArray[Any]
    axes: tuple[str, ...]
    places: Mapping[str, Sequence[Any]]
    together: int = 1
    gaps: Sequence[str] = ()
    vectors: Callable[[Any], Any] = field(default=_same)


@dataclass(frozen=True, kw_only=True)
class Aim:
    """The number that is explained.

    Attributes:
        target: the label or column; None if there is only one number.
        at: the step whose prediction it is, from 1, or the step ahead; None for the whole.
        unit: "log-odds" of the target, or "value" in the unit of the data.
        score: outputs of variants, of NumPy or PyTorch -> the number for each, (variants,).
    """

    target: Any
    at: int | None
    unit: str
    score: Callable[[Any], Any]


class Question(ABC):
    """One input of a model, to be explained.

    Attributes:
        evidence: the cells.
        network, tensors: what a module for gradients is built from.
        aim: the number that is explained.
        steps: steps of the network for one variant, which bound the memory of a batch.
    """

    evidence: Evidence
    network: Network
    tensors: Mapping[str, NDArray[np.float32]]
    aim: Aim
    steps: int

    @abstractmethod
    def outputs(self, variants: NDArray[Any]) -> NDArray[Any]:
        """Return the network's outputs for variants (variants, *shape) of the values, by the engine."""

    @abstractmethod
    def answer(self, variant: NDArray[Any]) -> dict[str, Any]:
        """Return the prediction for one variant (*shape) as plain values."""

    @abstractmethod
    def embedded(self, module: Any, variants: Any) -> Any:
        """Return PyTorch's variants as numbers that have a gradient: ids as their vectors (variants, tokens, size)."""

    @abstractmethod
    def traced(self, module: Any, x: Any) -> Any:
        """Return the outputs that `aim.score` reads for the result of `embedded`, by PyTorch."""

    def scores(self, variants: NDArray[Any]) -> NDArray[np.float64]:
        """Return the explained number for variants (variants, *shape), (variants,)."""
        return np.asarray(self.aim.score(self.outputs(variants)), np.float64)


def log_odds(scores: Any, place: int) -> Any:
    """Return log(p / (1 - p)) of a class, from logits or logarithms of probabilities (..., classes).

    1 - p is summed from the other classes: near certainty, this avoids cancellation.
    """
    xp = array_namespace(scores)
    others = xp.concat([scores[..., :place], scores[..., place + 1 :]], axis=-1)
    most = xp.max(others, axis=-1, keepdims=True)
    return scores[..., place] - most[..., 0] - xp.log(xp.sum(xp.exp(others - most), axis=-1))


class _Labelled(Protocol):
    labels: list[Any]
    label_texts: list[str]


def label_place(model: _Labelled, target: Any, scores: NDArray[Any]) -> int:
    """Return the place of a label, given as itself or as its text; None for the one with the highest score.

    Raises:
        ConfigError: the model has no such label, or it has only one.
    """
    if len(model.labels) < 2:
        raise ConfigError("log-odds need at least two labels; this model has one, which it always predicts")
    if target is None:
        return int(scores.argmax())
    found = LabelIndex(model.labels).find(target)
    return named_place("label", target, model.label_texts) if found is None else found


def named_place(what: str, wanted: Any, known: Sequence[str]) -> int:
    """Return the place of a name among those that there are.

    Raises:
        ConfigError: there is no such name; near ones are offered.
    """
    if wanted in known:
        return known.index(wanted)
    near = get_close_matches(str(wanted), known, 3, 0.5)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are {', '.join(known[:8])}."
    raise ConfigError(f"there is no {what} {wanted!r:.60}. {hint}")


def step_place(at: Any, steps: int) -> int:
    """Return the place of a step that is counted from 1; None for the last one.

    Raises:
        ConfigError: there is no such step.
    """
    if at is None:
        return steps - 1
    if isinstance(at, bool) or not isinstance(at, int | np.integer) or not 1 <= at <= steps:
        raise ConfigError(f"at must be a step from 1 to {steps}; got {at!r:.60}")
    return int(at) - 1


def check_length(steps: int, most_steps: int | None) -> None:
    """Raise DataError if an input has more steps than may be explained."""
    if most_steps is not None and steps > most_steps:
        raise DataError(
            f"an input to explain may have at most most_steps={most_steps:,} steps of the network; got {steps:,}. "
            "Give a shorter one."
        )


def refuse_step(at: Any) -> None:
    """Raise ConfigError if a step is named, for models with one prediction for the whole input."""
    if at is not None:
        raise ConfigError(f"this model makes one prediction for the whole input, so there is no step {at!r:.60}")
