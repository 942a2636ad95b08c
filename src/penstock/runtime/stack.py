"""A stack of engine layers, built from a recurrent network's description and PyTorch's parameter names."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock import engine, pauses
from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError
from penstock.network import Recurrent

LayerState = tuple[NDArray[np.float32], ...]
"""States of one layer, each (directions, batch, size), in the order that the cell declares."""


MULTIPLICATIONS = 2**32
"""Of one call of a layer, about, which can't be interrupted: from a twentieth of a second to a second."""
_PIECE = 2**28
"""The same where others wait: a twentieth of a second at most."""
_MOST_NUMBERS = 2**26
"""Outputs of a layer that are in memory at once, where others wait: 256 MiB."""
_ROWS = 2**12
"""Steps of all sequences in such a piece, at most."""


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
        self._apart: dict[tuple[int, int], Any] = {}  # directions of layers, made once they are needed

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

        Long work is divided in time, with the same bits, so that Ctrl-C and others do not wait for all of it. Layers of
        both directions are divided one by one: each direction from where it begins, with its state carried.

        Args:
            x: (time, batch, input).
            state: each layer's initial states; zeros if None.
            lengths: (batch,), 0 to time; the outputs past them are 0. All `time` if None.

        Raises:
            LengthsError: the lengths do not match x.
            DataError: as `check_room`.
        """
        self.check_room(*x.shape[:2])
        counts = None if lengths is None else np.asarray(lengths)
        steps, batch = x.shape[:2]
        span = self._span(batch)
        if steps <= span or not _fit(counts, steps, batch):
            return self._run(x, state, counts)
        if counts is not None:
            counts = counts.astype(np.int64)  # as unsigned ones have no differences below 0
        if self.directions == 2:
            return self._run_both(x, state, np.full(batch, steps) if counts is None else counts, span)
        outputs = []
        for start in range(0, steps, span):
            piece = x[start : start + span]
            y, state = self._run(piece, state, None if counts is None else np.clip(counts - start, 0, len(piece)))
            outputs.append(y)
            pauses.pause()
        assert state is not None
        return np.concatenate(outputs), list(state)

    def check_room(self, steps: int, batch: int) -> None:
        """Raise DataError if a direction reads backward, others wait, and the outputs of all steps are too large."""
        if self.directions == 2:
            check_room(steps, batch, self.spec.output_size)

    def _span(self, batch: int) -> int:
        """Return the steps of a piece; one of both directions is of one direction of one layer."""
        most = _PIECE if pauses.wanted() else MULTIPLICATIONS
        least = _PIECE // _ROWS  # so that the steps of a small network count as well
        weights = self.weights if self.directions == 1 else self.weights // (2 * len(self._layers))
        return max(1, most // (max(least, weights) * max(1, batch)))

    def _run(
        self, x: NDArray[np.float32], state: Sequence[LayerState] | None, counts: NDArray[Any] | None
    ) -> tuple[NDArray[np.float32], list[LayerState]]:
        y, after = x, []
        for layer, initial in zip(self._layers, [None] * len(self._layers) if state is None else state, strict=True):
            y, states = layer(y, initial, lengths=counts)
            after.append(states)
        return y, after

    def _run_both(
        self, x: NDArray[np.float32], state: Sequence[LayerState] | None, counts: NDArray[Any], span: int
    ) -> tuple[NDArray[np.float32], list[LayerState]]:
        """`_run` of layers of both directions, in pieces of `span` steps of one direction."""
        after = []
        for layer in range(len(self._layers)):
            initial = None if state is None else state[layer]
            y = np.empty((*x.shape[:2], self.spec.output_size), np.float32)
            halves = np.split(y, 2, axis=2)
            last = [self._read(layer, direction, x, initial, counts, span, halves[direction]) for direction in (0, 1)]
            after.append(tuple(np.concatenate(states) for states in zip(*last, strict=True)))
            x = y
        return x, after

    def _read(
        self,
        layer: int,
        direction: int,
        x: NDArray[np.float32],
        initial: LayerState | None,
        counts: NDArray[Any],
        span: int,
        y: NDArray[np.float32],
    ) -> LayerState:
        """Write one direction's outputs to y (time, batch, size), piece by piece; return its states (1, batch, size).

        A piece of the backward direction ends where the piece after it begins, or at the sequence's end.
        """
        one = self._direction(layer, direction)
        state = None if initial is None else tuple(each[direction : direction + 1] for each in initial)
        starts = range(0, len(x), span)
        for start in reversed(starts) if direction else starts:
            piece = x[start : start + span]
            here = np.clip(counts - start, 0, len(piece))
            found, state = one(reversed_steps(piece, here) if direction else piece, state, lengths=here)
            y[start : start + span] = reversed_steps(found, here) if direction else found
            pauses.pause()
        assert state is not None
        return state

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
        return self._backend.step([self._direction(layer, direction)], batch=batch)

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

    def _direction(self, number: int, direction: int) -> Any:
        """Return one direction of a layer as a layer that reads forward."""
        if self.directions == 1:
            return self._layers[number]
        if (number, direction) not in self._apart:
            spec, suffix = self.spec, "_reverse" if direction else ""
            sizes = spec.layer_input_size(number), spec.hidden_size
            one = self._backend.layer(spec.cell, *sizes, bias=spec.bias, **spec.options)
            one.load({name: self.parameters[_numbered(name + suffix, number)] for name in one.parameter_names})
            self._apart[number, direction] = one
        return self._apart[number, direction]

    def _refuse_backward(self) -> None:
        if self.spec.bidirectional:
            raise ConfigError(
                "a bidirectional network reads each sequence from its end too, so it can't be streamed. "
                "Call it on whole sequences, or train one with bidirectional=False."
            )


def check_room(steps: int, batch: int, size: int) -> None:
    """Raise DataError if others wait, and `size` numbers for each step of `batch` sequences are too many at once."""
    most = _MOST_NUMBERS // (size * max(1, batch))
    if pauses.wanted() and steps > most:
        raise DataError(
            f"an input has {steps:,} steps, and this network, which reads backward too, needs all of them at once. "
            f"Here it may have at most {most:,}. Split it."
        )


def reversed_steps(x: NDArray[Any], lengths: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return x (time, batch, ...) with the first `lengths` (batch,) steps of each sequence in the opposite order."""
    time = np.arange(len(x))[:, None]
    places = np.where(time < lengths, lengths - 1 - time, time)
    return x[places, np.arange(x.shape[1])]


def _fit(counts: NDArray[Any] | None, steps: int, batch: int) -> bool:
    """Whether lengths match x; if not, the layers say what is wrong."""
    if counts is None:
        return True
    return counts.dtype.kind in "iu" and counts.shape == (batch,) and counts.min() >= 0 and counts.max() <= steps


def _numbered(name: str, number: int) -> str:
    """Return a parameter's name in a stack: weight_ih_reverse of layer 1 is weight_ih_l1_reverse."""
    plain = name.removesuffix("_reverse")
    return f"{plain}_l{number}{name[len(plain) :]}"
