"""A stack of layers that advances one step per call, with preallocated arrays and its own state."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.checks import check_whole
from penstock.engine._native import NativeStep
from penstock.engine.arguments import BaseLayer, State
from penstock.engine.functions import Linear
from penstock.engine.layer import Layer
from penstock.engine.threads import get_num_threads
from penstock.errors import ConfigError, ShapeError

__all__ = ["StackStep", "Step", "Trace", "check_stack", "named_states"]

Trace = dict[str, np.ndarray]
"""Gates and states of one layer at a step by name, each (batch, size)."""


class StackStep(ABC):
    """Advances `batch` streams of a stack of layers together, one step per call. Not thread-safe.

    Args:
        layers: unidirectional layers with parameters; each reads the output of the layer before it.
        batch: the number of streams.

    Attributes:
        shape: (batch, input), the shape of a step's input.
        state: the states of each layer, each (batch, size); the arrays may be read and written between steps.
        state_names: the names of each layer's states, as the cell declares them.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import Layer, Step
        >>> layer = Layer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> step = Step([layer], batch=2)
        >>> step(np.ones((2, 3), np.float32)).shape
        (2, 4)
    """

    state: list[State]

    def __init__(self, layers: Sequence[BaseLayer], batch: int) -> None:
        check_stack(layers)
        self.shape = (check_whole("batch", batch, at_least=1), layers[0].input_size)
        self.state_names = [layer.cell.states for layer in layers]

    @abstractmethod
    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (batch, input) float32 -> the last layer's output (batch, size), a view of its state."""

    @abstractmethod
    def trace(self, x: np.ndarray) -> tuple[np.ndarray, list[Trace]]:
        """Take a step; also return each layer's gates and states."""

    def expected(self, x: object) -> str:
        """The error message for an x of the wrong shape or type."""
        return (
            f"x must be a C-contiguous float32 array (batch={self.shape[0]}, input={self.shape[1]}); got "
            f"{getattr(x, 'shape', type(x).__name__)} {getattr(x, 'dtype', '')}."
        )

    def reset(self) -> None:
        """Set all states to zero."""
        for states in self.state:
            for array in states:
                array[:] = 0.0


class Step(StackStep):
    """Steps computed by the engine; attributes as in `StackStep`.

    Args:
        layers: as in `StackStep`, with kernels in the engine (`runs_here`).
        batch: the number of streams.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import Layer, Step
        >>> layer = Layer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> Step([layer], batch=2)(np.ones((2, 3), np.float32)).shape
        (2, 4)
    """

    def __init__(self, layers: Sequence[Layer], batch: int = 1) -> None:
        super().__init__(layers, batch)
        self._layers = tuple(layers)
        self._native = NativeStep(list(layers), batch, get_num_threads())
        states = iter(self._native.states())
        self.state = [tuple(itertools.islice(states, layer.states)) for layer in layers]
        self._y = self.state[-1][0]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (batch, input) float32 -> the last layer's output (batch, size), a view of its state.

        The next step overwrites it: copy what you keep.

        Raises:
            ShapeError: x has the wrong shape or is not C-contiguous float32.
        """
        self._run(self._native, x)
        return self._y

    def trace(self, x: np.ndarray) -> tuple[np.ndarray, list[Trace]]:
        """Take a step and return the output together with copies of each layer's gates and states.

        Gates and states have the names that the cell declares, such as `input` or `h`; each is (batch, size). The
        results have the same bits as those of an ordinary step.

        Raises:
            ShapeError: x has the wrong shape or is not C-contiguous float32.
        """
        saved = self._run(self._native.trace, x)
        traces = []
        for layer, gate_values, states in zip(self._layers, saved, self.state, strict=True):
            size = layer.hidden_size
            # The values that a layer saves for its gradient begin with the gates, in the cell's order.
            names = layer.cell.gates if len(layer.cell.gates) > 1 else ()
            gates = {name: gate_values[:, slot, :size].copy() for slot, name in enumerate(names)}
            traces.append(gates | named_states(layer, states))
        return self._y, traces

    def generate(
        self,
        table: np.ndarray,
        head: Linear,
        chances: np.ndarray,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        end: int = -1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw tokens from the scores of the last output, and take a step with each; a loop without Python.

        Args:
            table: (tokens, input) float32, C-contiguous: the input of each token.
            head: the scores of all tokens, from the last layer's output; a softmax makes them probabilities.
            chances: (most,) float64: a number from 0 to below 1 for each token to draw.
            temperature, top_k, top_p: as in `penstock.language.sampling.Sampling`, which is the slow form.
            end: the token before which to stop; -1 for none.

        Returns:
            The tokens (drawn,) int64, and for each, (drawn, 3) float32: its score, the greatest score, and the
            probability of the token with the greatest score.

        Raises:
            ShapeError: the step has several streams, or table, head or layers do not match.

        Examples:
            >>> import numpy as np
            >>> from penstock.engine import Layer, Linear, Step
            >>> layer = Layer("gru", 3, 4)
            >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
            >>> head = Linear(np.zeros((2, 4), np.float32))
            >>> tokens, _ = Step([layer]).generate(np.zeros((2, 3), np.float32), head, np.array([0.2, 0.7]))
            >>> tokens
            array([0, 1])
        """
        try:
            count, drawn = self._native.generate(table, head._native, chances, temperature, top_k, top_p, end)
        except (TypeError, ValueError) as error:
            raise ShapeError(f"generate: {str(error).splitlines()[0]}") from None
        return drawn[:count, 0].astype(np.int64), drawn[:count, 1:]

    def _run(self, call: Any, x: np.ndarray) -> Any:
        try:
            return call(x)
        except (TypeError, ValueError):
            raise ShapeError(self.expected(x)) from None


def named_states(layer: BaseLayer, states: State) -> Trace:
    """Return copies of a layer's states by the cell's names."""
    return {name: array.copy() for name, array in zip(layer.cell.states, states, strict=True)}


def check_stack(layers: Sequence[BaseLayer]) -> None:
    """Check that the layers can be stacked and advanced step by step.

    Raises:
        ConfigError: there is no layer, or one is bidirectional or has no parameters.
        ShapeError: the output size of a layer is not the input size of the next.
    """
    if not layers or any(layer.directions != 1 for layer in layers):
        raise ConfigError("steps need one or more unidirectional layers: a reverse direction starts at the end.")
    if any(not layer.loaded for layer in layers):
        raise ConfigError("a layer has no parameters yet: call load first.")
    for before, after in itertools.pairwise(layers):
        if before.output_size != after.input_size:
            raise ShapeError(
                f"a layer with {before.output_size} outputs can't feed one with {after.input_size} inputs."
            )
