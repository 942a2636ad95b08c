"""One step at a time: a stack of layers whose arrays are bound once and whose state is carried inside."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.engine._native import NativeStep
from penstock.engine.arguments import Described, State
from penstock.engine.layer import Layer
from penstock.engine.threads import get_num_threads
from penstock.errors import ConfigError, ShapeError

__all__ = ["StackStep", "Step", "Trace", "check_stack", "named"]

Trace = dict[str, np.ndarray]
"""One layer's gates and states in a step, each (batch, size)."""


class StackStep(ABC):
    """Advances `batch` streams of a stack of layers together, one step a call. For one Python thread at a time.

    Args:
        layers: loaded layers of one direction; each reads the output of the one before it.
        batch: how many streams.

    Attributes:
        shape: (batch, input), what a step reads.
        state: for each layer its states, each (batch, size): arrays that may be read and written between steps.
        state_names: for each layer the names of its states, as the cell declares them.
    """

    state: list[State]

    def __init__(self, layers: Sequence[Described], batch: int) -> None:
        check_stack(layers)
        if not isinstance(batch, int | np.integer) or batch < 1:
            raise ConfigError(f"batch must be a whole number of 1 or more; got {batch!r}.")
        self.shape = (int(batch), layers[0].input_size)
        self.state_names = [layer.cell.states for layer in layers]

    @abstractmethod
    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (batch, input) float32 -> the last layer's output (batch, size), a view of its state."""

    @abstractmethod
    def trace(self, x: np.ndarray) -> tuple[np.ndarray, list[Trace]]:
        """A step as above, and what went on in it."""

    def expected(self, x: object) -> str:
        """What x must be, for an error."""
        return (
            f"x must be a C-contiguous float32 array (batch={self.shape[0]}, input={self.shape[1]}); got "
            f"{getattr(x, 'shape', type(x).__name__)} {getattr(x, 'dtype', '')}."
        )

    def reset(self) -> None:
        """All states back to zero."""
        for states in self.state:
            for array in states:
                array[:] = 0.0


class Step(StackStep):
    """The engine's: arguments and attributes as above."""

    def __init__(self, layers: Sequence[Layer], batch: int = 1) -> None:
        super().__init__(layers, batch)
        self._layers = tuple(layers)
        self._native = NativeStep(list(layers), batch, get_num_threads())
        states = iter(self._native.states())
        self.state = [tuple(itertools.islice(states, layer.states)) for layer in layers]
        self._y = self.state[-1][0]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (batch, input) float32 -> the last layer's output (batch, size), a view of its state.

        The next step changes it: copy what is to be kept.

        Raises:
            ShapeError: x has another shape, or is not C-contiguous float32.
        """
        self._run(self._native, x)
        return self._y

    def trace(self, x: np.ndarray) -> tuple[np.ndarray, list[Trace]]:
        """A step as above, and what went on in it: the output, and each layer's gates and states by name, copied.

        Gates and states bear the names that the cell declares, `input` or `h`; each is (batch, size). The same bits as
        without a look inside.

        Raises:
            ShapeError: x has another shape, or is not C-contiguous float32.
        """
        saved = self._run(self._native.trace, x)
        traces = []
        for layer, kept, states in zip(self._layers, saved, self.state, strict=True):
            size = layer.hidden_size
            # What a layer saves for its gradient begins with the gates, in the cell's order.
            names = layer.cell.gates if len(layer.cell.gates) > 1 else ()
            gates = {name: kept[:, slot, :size].copy() for slot, name in enumerate(names)}
            traces.append(gates | named(layer, states))
        return self._y, traces

    def _run(self, call: Any, x: np.ndarray) -> Any:
        try:
            return call(x)
        except (TypeError, ValueError):
            raise ShapeError(self.expected(x)) from None


def named(layer: Described, states: State) -> Trace:
    """A layer's states by the cell's names, copied."""
    return {name: array.copy() for name, array in zip(layer.cell.states, states, strict=True)}


def check_stack(layers: Sequence[Described]) -> None:
    """Whether the layers can be advanced step by step, one above the other.

    Raises:
        ConfigError: none, or one that reads backward or has no parameters.
        ShapeError: one does not give what the next one reads.
    """
    if not layers or any(layer.directions != 1 for layer in layers):
        raise ConfigError("a step needs one or more layers of one direction: the reverse one starts at the end.")
    if any(not layer.loaded for layer in layers):
        raise ConfigError("a layer has no parameters yet: call load first.")
    for before, after in itertools.pairwise(layers):
        if before.output_size != after.input_size:
            raise ShapeError(f"a layer with {before.output_size} outputs can't feed {after.input_size} inputs.")
