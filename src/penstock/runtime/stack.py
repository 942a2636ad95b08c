"""A stack of engine layers, built from a recurrent network's description and PyTorch's parameter names."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock import engine, pauses
from penstock.checks import check_whole
from penstock.errors import ConfigError
from penstock.network import Recurrent

LayerState = tuple[NDArray[np.float32], ...]
"""States of one layer, each (directions, batch, size), in the order that the cell declares."""


MULTIPLICATIONS = 2**32
"""Of one call of a layer, about, which can't be interrupted: from a twentieth of a second to a second."""
_PIECE = 2**28
"""The same where others wait: a twentieth of a second at most."""


class Stack:
    """Stacked recurrent layers that run over whole sequences or one step at a time, with the same bits.

    Args:
        spec: the layers' description.
        parameters: float32 arrays by PyTorch's names (`weight_ih_l0`, ..., `bias_hh_l1_reverse`), of the shapes
            in `spec.parameter_shapes()`; the layers pack copies of them.

    Attributes:
        spec, parameters: the arguments.
    """

    def __init__(self, spec: Recurrent, parameters: Mapping[str, NDArray[np.float32]]) -> None:
        self.spec, self.parameters = spec, parameters
        self.directions = 2 if spec.bidirectional else 1
        self.weights = sum(map(math.prod, spec.parameter_shapes().values()))
        self._backend = engine.backend(spec.declaration, spec.options)
        self._layers = [self._layer(number, parameters) for number in range(spec.num_layers)]

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Size of the last axis of each state."""
        return self._layers[0].state_sizes

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of a layer's states, the output first."""
        return self.spec.declaration.states

    def __call__(
        self,
        x: NDArray[np.float32],
        state: Sequence[LayerState] | None = None,
        lengths: ArrayLike | None = None,
    ) -> tuple[NDArray[np.float32], list[LayerState]]:
        """Return outputs (time, batch, output) and each layer's states after every sequence's last step.

        Long work is divided in time, with the same bits, so that Ctrl-C and others do not wait for all of it; not where
        a direction reads backward, which needs the whole.

        Args:
            x: (time, batch, input).
            state: each layer's initial states; zeros if None.
            lengths: (batch,), 0 to time; the outputs past them are 0. All `time` if None.

        Raises:
            LengthsError: the lengths do not match x.
        """
        counts = None if lengths is None else np.asarray(lengths)
        steps, batch = x.shape[:2]
        most = _PIECE if pauses.wanted() else MULTIPLICATIONS
        span = max(1, most // max(1, self.weights * batch))
        if steps <= span or self.directions == 2 or not _fit(counts, steps, batch):
            return self._run(x, state, counts)
        outputs = []
        for start in range(0, steps, span):
            piece = x[start : start + span]
            y, state = self._run(piece, state, None if counts is None else np.clip(counts - start, 0, len(piece)))
            outputs.append(y)
            pauses.pause()
        assert state is not None
        return np.concatenate(outputs), list(state)

    def _run(
        self, x: NDArray[np.float32], state: Sequence[LayerState] | None, counts: NDArray[Any] | None
    ) -> tuple[NDArray[np.float32], list[LayerState]]:
        y, after = x, []
        for layer, initial in zip(self._layers, [None] * len(self._layers) if state is None else state, strict=True):
            y, states = layer(y, initial, lengths=counts)
            after.append(states)
        return y, after

    def step(self, batch: int = 1) -> engine.StackStep:
        """Return a step that advances `batch` sequences together, from zero states.

        Raises:
            ConfigError: the stack is bidirectional, or `batch` is not an integer of 1 or more.
        """
        check_whole("batch", batch, at_least=1)
        self._refuse_backward()
        return self._backend.step(self._layers, batch=batch)

    def one_layer(self, layer: int, direction: int, batch: int) -> engine.StackStep:
        """Return a step of one layer in one direction, 0 forward or 1 backward, for `batch` sequences."""
        spec, suffix = self.spec, "_reverse" if direction else ""
        sizes = spec.layer_input_size(layer), spec.hidden_size
        one: Any = self._backend.layer(spec.cell, *sizes, bias=spec.bias, **spec.options)
        one.load({name: self.parameters[_numbered(name + suffix, layer)] for name in one.parameter_names})
        return self._backend.step([one], batch=batch)

    def streams(self) -> engine.Streams | engine.EquationStreams:
        """Return streams of which any subset advances by one step.

        Raises:
            ConfigError: the stack is bidirectional.
        """
        self._refuse_backward()
        return self._backend.streams(self._layers)

    def _layer(self, number: int, parameters: Mapping[str, NDArray[np.float32]]) -> Any:
        spec = self.spec
        layer = self._backend.layer(
            spec.cell,
            spec.layer_input_size(number),
            spec.hidden_size,
            bias=spec.bias,
            bidirectional=spec.bidirectional,
            **spec.options,
        )
        layer.load({name: parameters[_numbered(name, number)] for name in layer.parameter_names})
        return layer

    def _refuse_backward(self) -> None:
        if self.spec.bidirectional:
            raise ConfigError(
                "a bidirectional network reads each sequence from its end too, so it can't be streamed. "
                "Call it on whole sequences, or train one with bidirectional=False."
            )


def _fit(counts: NDArray[Any] | None, steps: int, batch: int) -> bool:
    """Whether lengths match x; if not, the layers say what is wrong."""
    if counts is None:
        return True
    return counts.dtype.kind in "iu" and counts.shape == (batch,) and counts.min() >= 0 and counts.max() <= steps


def _numbered(name: str, number: int) -> str:
    """Return a parameter's name in a stack: weight_ih_reverse of layer 1 is weight_ih_l1_reverse."""
    plain = name.removesuffix("_reverse")
    return f"{plain}_l{number}{name[len(plain) :]}"
