"""What is inspected: the layers of a model, and one input as they read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.runtime import Model, Recurrence
from penstock.runtime.reading import Reading
from penstock.runtime.stack import Stack

__all__ = ["Subject", "subject", "subjects"]


@dataclass(frozen=True, eq=False)
class Subject:
    """The layers of a model, and what they read of one input.

    Attributes:
        stack: the layers.
        reading: the input.
        batched: whether the input holds several sequences.
    """

    stack: Stack
    reading: Reading
    batched: bool = False

    @property
    def x(self) -> NDArray[np.float32]:
        """The input of the first layer, (steps, rows, input)."""
        return self.reading.x

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steps; empty if they have none."""
        return self.reading.names

    @property
    def axis(self) -> tuple[str, Sequence[Any]] | None:
        """The name and coordinates of the axis of the rows; None for one sequence."""
        if self.batched:
            return "batch", range(self.x.shape[1])
        return ("target", self.reading.rows) if self.reading.rows else None


def subject(model: Any, item: Any) -> Subject:
    """Return the layers of a model, and one input as they read it; see `trace` for the arguments and errors."""
    if isinstance(model, Recurrence):
        return _recurrence_subject(model, item)
    found = runtime_model(model)
    reading = found.reading(item)  # first, because it says which models can't be inspected
    return Subject(found.scorer.encoder, reading)


def subjects(model: Any, inputs: Any) -> Iterator[Subject]:
    """Yield `subject` of several inputs, in the form that `predict` takes."""
    if isinstance(model, Recurrence):
        yield from (_recurrence_subject(model, item) for item in inputs)
        return
    found = runtime_model(model)
    yield from (Subject(found.scorer.encoder, reading) for reading in found.readings(inputs))


def runtime_model(model: Any) -> Model:
    """Return a loaded model as it is, and that of a fitted estimator.

    Raises:
        ConfigError: it is neither.
    """
    found = getattr(model, "model_", model)
    if not isinstance(found, Model):
        raise ConfigError(
            f"a loaded model, a fitted estimator or a runtime.Recurrence can be inspected; got {type(model).__name__}"
        )
    return found


def _recurrence_subject(network: Recurrence, x: Any) -> Subject:
    array = network.checked(x)
    batched = array.ndim == 3
    rows = array if batched else array[:, None]

    def recall(steps: Any) -> NDArray[np.float32]:
        """The outputs of the last step; of the middle step, if the network is bidirectional."""
        return np.stack([_recalled(network, rows, count) for count in steps])

    return Subject(network.stack, Reading(x=rows, recall=recall, around=network.spec.bidirectional), batched)


def _recalled(network: Recurrence, x: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    if network.spec.bidirectional:
        middle = len(x) // 2
        y, _ = network(x[max(0, middle - count) : middle + count + 1])
        return y[min(count, middle)].ravel()
    y, _ = network(x[len(x) - count :])
    return (y[-1] if count else np.zeros((x.shape[1], network.spec.output_size), np.float32)).ravel()
