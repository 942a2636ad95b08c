"""The operations of a graph on the engine.

Values of steps are (time, batch, size) or ids (time, batch), others (batch, size). A row's bits depend neither on other
rows nor on how the steps are divided among calls.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.network import operations as described
from penstock.pauses import pause
from penstock.runtime.pointwise import FUNCTIONS
from penstock.runtime.stack import Stack, reversed_steps
from penstock.runtime.stream import step_arrays

__all__ = ["RUNNING", "PoolRun", "RecurrentRun"]

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]
Tensors = Mapping[str, Floats]

_ROWS = 1 << 14  # of a product, between which others have their turn


class RecurrentRun:
    """Recurrent layers; their memory is a step of the stack, or None if they read backward."""

    def __init__(self, spec: described.RecurrentLayers, tensors: Tensors) -> None:
        self._spec, self.stack = spec, Stack(spec.layers, tensors)
        names = self.stack.state_names
        self._initial = [tensors[f"initial_{name}"] for name in names] if spec.initial else None

    def memory(self, batch: int) -> engine.StackStep | None:
        """Return the memory before the first step."""
        if not self._spec.forward:
            return None
        step = self.stack.step(batch)
        self.reset(step)
        return step

    def reset(self, memory: engine.StackStep) -> None:
        """Set the memory back to the initial states."""
        memory.reset()
        for layer, states in enumerate(memory.state if self._initial else []):
            for state, initial in zip(states, self._initial or [], strict=True):
                state[...] = initial[layer]

    def arrays(self, memory: engine.StackStep) -> dict[str, Floats]:
        """Return the memory's arrays by name."""
        return dict(step_arrays(memory))

    def __call__(
        self, memory: engine.StackStep | None, lengths: Counts | None, x: Floats, mask: Floats | None = None
    ) -> Floats:
        """Return outputs (time, batch, output) for the next steps.

        Args:
            memory: as `memory` made it; it changes.
            lengths: (batch,), how many of the steps each sequence has; None for all.
            x: (time, batch, input).
            mask: (time, batch, 1), 0 where a step is not read.
        """
        return self._run(memory, lengths, x) if mask is None else self._run_masked(memory, lengths, x, mask)

    def _run_masked(self, memory: engine.StackStep | None, lengths: Counts | None, x: Floats, mask: Floats) -> Floats:
        """Run the steps that the mask keeps, moved together, and put their outputs back at their own steps."""
        kept = mask[..., 0] != 0
        if lengths is not None:
            kept &= np.arange(len(x))[:, None] < lengths
        together = np.argsort(~kept, axis=0, kind="stable")[..., None]
        before = np.zeros((*x.shape[1:2], 1), np.float32) if memory is None else memory.state[-1][0].copy()
        y = self._run(memory, kept.sum(axis=0), np.take_along_axis(x, together, axis=0))
        if self._spec.at_masked == "zero":
            before = np.zeros_like(before)
        return self._spread(y, kept, before)

    def _spread(self, y: Floats, kept: NDArray[np.bool_], before: Floats) -> Floats:
        """Return `y`, whose steps stand together, at the steps that were read, with the others' outputs filled in."""
        until: Counts = np.cumsum(kept, axis=0)  # steps read up to here, this one included
        forward, count = until - 1, kept.sum(axis=0)
        backward: Counts = until - kept  # the place of the next step read, where a direction from the end comes from
        half = y.shape[-1] // 2 if self._spec.layers.bidirectional else y.shape[-1] * (not self._spec.reverse)
        rows = np.arange(kept.shape[1])
        if self._spec.at_masked == "zero":
            return np.where(kept[..., None], y[np.maximum(forward, 0), rows], before)
        ahead = np.where((until > 0)[..., None], y[np.maximum(forward, 0), rows], before)
        behind = np.where((backward < count)[..., None], y[np.minimum(backward, len(y) - 1), rows], np.float32(0))
        return np.concatenate([ahead[..., :half], behind[..., half:]], axis=-1)

    def _run(self, memory: engine.StackStep | None, lengths: Counts | None, x: Floats) -> Floats:
        if memory is None:
            return self._whole(x, lengths)
        if len(x) == 1 and lengths is None:
            return memory(np.ascontiguousarray(x[0]))[None].copy()
        before = [tuple(state[None] for state in layer) for layer in memory.state]
        y, after = self.stack(np.ascontiguousarray(x), before, lengths)
        for layer, states in zip(memory.state, after, strict=True):
            for state, value in zip(layer, states, strict=True):
                state[...] = value[0]
        return y

    def _whole(self, x: Floats, lengths: Counts | None) -> Floats:
        counts = np.full(x.shape[1], len(x)) if lengths is None else lengths
        x = reversed_steps(x, counts) if self._spec.reverse else x
        y, _ = self.stack(np.ascontiguousarray(x), self._start(x.shape[1]), counts)
        return reversed_steps(y, counts) if self._spec.reverse else y

    def _start(self, batch: int) -> list[tuple[Floats, ...]] | None:
        if self._initial is None:
            return None
        layers, directions = self._spec.layers.num_layers, self.stack.directions
        spread = [np.repeat(array.reshape(layers, directions, 1, -1), batch, axis=2) for array in self._initial]
        return [tuple(array[layer] for array in spread) for layer in range(layers)]


class PoolRun:
    """A fold over the steps, in their order; its memory holds the value so far and the number of steps."""

    def __init__(self, spec: described.Pool, tensors: Tensors) -> None:
        self._over = spec.over

    def memory(self, batch: int, size: int) -> dict[str, NDArray[Any]]:
        """Return the memory before the first step."""
        memory: dict[str, NDArray[Any]] = {"value": np.empty((batch, size), np.float32)}
        memory["length"] = np.empty(batch, np.int64)
        self.reset(memory)
        return memory

    def reset(self, memory: dict[str, NDArray[Any]]) -> None:
        """Set the memory back to that before the first step."""
        memory["value"][...] = -np.inf if self._over == "max" else 0
        memory["length"][...] = 0

    def fold(
        self, memory: dict[str, NDArray[Any]], lengths: Counts | None, x: Floats, mask: Floats | None = None
    ) -> None:
        """Read the next steps x (time, batch, size); those where the mask (time, batch, 1) is 0 do not count."""
        value, length = memory["value"], memory["length"]
        for time, row in enumerate(x):
            pause()
            active = np.ones(len(row), bool) if lengths is None else lengths > time
            if mask is not None:
                active &= mask[time, :, 0] != 0
            self._step(value, row, active[:, None], (length == 0)[:, None])
            length += active

    def _step(self, value: Floats, row: Floats, active: NDArray[np.bool_], first: NDArray[np.bool_]) -> None:
        if self._over == "max":
            # + 0 turns -0.0 into 0.0; otherwise the order in memory could decide which of the two zeros wins.
            np.maximum(value, row + np.float32(0), out=value, where=active)
        elif self._over in ("sum", "mean"):
            np.add(value, row, out=value, where=active)
        else:
            np.copyto(value, row, where=active if self._over == "last" else active & first)

    def read(self, memory: Mapping[str, NDArray[Any]]) -> Floats:
        """Return (batch, size) for the steps so far; zeros where there was none."""
        value, length = memory["value"], memory["length"][:, None]
        if self._over == "mean":
            value = value / np.maximum(length, 1).astype(np.float32)
        return np.where(length > 0, value, np.float32(0))


class _Lookup:
    def __init__(self, spec: described.Lookup, tensors: Tensors) -> None:
        self._table = tensors["weight"]

    def __call__(self, lengths: Counts | None, ids: NDArray[np.integer[Any]]) -> Floats:
        return self._table[ids]


class _Dense:
    def __init__(self, spec: described.Dense, tensors: Tensors) -> None:
        self._inputs, self._outputs = spec.inputs, spec.outputs * spec.blocks
        self._linear = engine.Linear(tensors["weight"], tensors.get("bias"))

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        rows, parts = x.reshape(-1, self._inputs), []
        for start in range(0, max(1, len(rows)), _ROWS):
            parts.append(self._linear(rows[start : start + _ROWS]))
            pause()
        return np.concatenate(parts).reshape(*x.shape[:-1], self._outputs)


class _Scale:
    def __init__(self, spec: described.Scale, tensors: Tensors) -> None:
        self._scale, self._offset = tensors["scale"], tensors["offset"]

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        return x * self._scale + self._offset


class _Standardize:
    def __init__(self, spec: described.Standardize, tensors: Tensors) -> None:
        self._epsilon = spec.epsilon

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        precise = np.ascontiguousarray(x, np.float64)
        centred = precise - precise.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return (centred / np.sqrt(variance + self._epsilon)).astype(np.float32)


class _Differs:
    def __init__(self, spec: described.Differs, tensors: Tensors) -> None:
        self._value = np.float32(spec.value)

    def __call__(self, lengths: Counts | None, x: NDArray[Any]) -> Floats:
        differs = x != self._value
        found = differs.any(axis=-1, keepdims=True) if x.dtype.kind == "f" else differs[..., None]
        return found.astype(np.float32)


class _Pointwise:
    def __init__(self, spec: described.Pointwise, tensors: Tensors) -> None:
        self._function, self._constants = FUNCTIONS[spec.function], dict(spec.constants)

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        return self._function(np.ascontiguousarray(x), **self._constants)


class _Slice:
    def __init__(self, spec: described.Slice, tensors: Tensors) -> None:
        self._features = slice(spec.start, spec.stop)

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        return x[..., self._features]


class _Reverse:
    def __init__(self, spec: described.Reverse, tensors: Tensors) -> None:
        pass

    def __call__(self, lengths: Counts | None, x: Floats) -> Floats:
        return reversed_steps(x, np.full(x.shape[1], len(x)) if lengths is None else lengths)


class _Concatenate:
    def __init__(self, spec: described.Concatenate, tensors: Tensors) -> None:
        pass

    def __call__(self, lengths: Counts | None, *inputs: Floats) -> Floats:
        return np.concatenate(inputs, axis=-1)


class _Add:
    def __init__(self, spec: described.Add, tensors: Tensors) -> None:
        pass

    def __call__(self, lengths: Counts | None, first: Floats, *others: Floats) -> Floats:
        for other in others:
            first = first + other
        return first


class _Multiply:
    def __init__(self, spec: described.Multiply, tensors: Tensors) -> None:
        pass

    def __call__(self, lengths: Counts | None, first: Floats, *others: Floats) -> Floats:
        for other in others:
            first = first * other
        return first


RUNNING: dict[str, Callable[..., Any]] = {
    "add": _Add,
    "concatenate": _Concatenate,
    "dense": _Dense,
    "differs": _Differs,
    "lookup": _Lookup,
    "multiply": _Multiply,
    "pointwise": _Pointwise,
    "pool": PoolRun,
    "recurrence": RecurrentRun,
    "reverse": _Reverse,
    "scale": _Scale,
    "slice": _Slice,
    "standardize": _Standardize,
}
"""What runs each kind of operation: made with its description and its tensors by name."""
