"""Thousands of streams of one network, any of them advanced together in one step; they come and go at any time."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import ShapeError, StateError
from penstock.runtime.parameters import real
from penstock.runtime.stack import Stack

if TYPE_CHECKING:
    from penstock.heads import Pooled

__all__ = ["StreamPool"]

_GROWTH = 8  # grow by this part of the streams at most
_IDLE = 128  # bytes for each stream that may lie idle, waiting for others
_SLOT = (1 << 32) - 1


class StreamPool:
    """Streams whose states lie side by side in one slab of memory, with at most 256 bytes more for each.

    A stream is known by its handle, a whole number that no other stream of the pool ever has. A stream's answers are,
    bit for bit, those that it would give alone, whichever streams are advanced with it. The places of closed streams
    wait for new ones. For one thread at a time. A pickled pool holds its network and all open streams, whose handles
    stay theirs.

    Made by `Recurrence.pool()` and by `model.scorer.pool()`.

    Args:
        stack: the layers, of one direction.
        head: reads an answer off the outputs so far; None: a step's outputs are the answer.
        of: whose `pool()` makes such a pool; pickled with it.
    """

    def __init__(self, stack: Stack, head: "Pooled | None" = None, *, of: Any = None) -> None:
        self._streams, self._names = stack.streams(), stack.state_names
        self._head, self._of = head, of
        self._slabs = self._streams.slabs(0)
        self._carry: dict[str, NDArray[Any]] = head.init(0) if head else {}
        # Odd for an open stream; counts up at each opening and closing, so that an old handle is known for one.
        self._generation = np.zeros(0, np.int64)
        self._mark = np.zeros(0, np.int64)
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._generation) - len(self._free)

    def open(self) -> int:
        """A new stream, with nothing read yet: its handle."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._generation[slot] += 1
        self._forget(slot)
        return int(self._generation[slot]) << 32 | slot

    def close(self, stream: int) -> None:
        """Give a stream's place to others.

        Raises:
            StateError: it is not open.
        """
        slot = self._slot(stream)
        self._generation[slot] += 1
        self._free.append(slot)

    def reset(self, stream: int) -> None:
        """Let a stream forget everything; StateError if it is not open."""
        self._forget(self._slot(stream))

    def fork(self, stream: int) -> int:
        """A second stream with the same memory: its handle; StateError if the first is not open."""
        state = self.state(stream)
        twin = self.open()
        self.put(twin, state)
        return twin

    def state(self, stream: int) -> dict[str, NDArray[Any]]:
        """What a stream remembers, copied: `encoder.<layer>.<state>` (1, size), `head.<name>` (1, ...).

        Raises:
            StateError: it is not open.
        """
        return {name: array.copy() for name, array in self.arrays(stream).items()}

    def arrays(self, stream: int) -> dict[str, NDArray[Any]]:
        """As `state`, but the memory itself, until the next `open`: what is written there the stream remembers.

        Raises:
            StateError: it is not open.
        """
        slot = self._slot(stream)
        return {name: array[slot : slot + 1] for name, array in self._arrays().items()}

    def put(self, stream: int, state: Mapping[str, ArrayLike]) -> None:
        """Let a stream remember what `state` gave, of this pool or another one of the same network.

        Raises:
            StateError: it is not open, or the state is another network's; the stream stays as it was.
            DtypeError: the state is no real numbers; likewise.
        """
        slot, arrays = self._slot(stream), self._arrays()
        given = {name: real(array, name) for name, array in state.items()}
        for name in sorted(arrays.keys() | given.keys()):
            expected = (1, *arrays[name].shape[1:]) if name in arrays else "absent"
            found = given[name].shape if name in given else "absent"
            if expected != found:
                raise StateError(f"the state is of another network: {name} must be {expected}; got {found}")
        for name, array in arrays.items():
            array[slot] = given[name][0]

    def step(self, streams: ArrayLike, x: ArrayLike) -> NDArray[np.float32]:
        """Advance streams by one step each: their answers (n, outputs).

        Args:
            streams: (n,) handles, all different.
            x: (n, input), what each of them reads, real numbers.

        Raises:
            ShapeError, DtypeError: x does not fit; no stream has moved.
            StateError: a handle is not open, or stands there twice; no stream has moved.
        """
        slots = self._slots(streams)
        rows = real(x, "x")
        if rows.shape != (len(slots), self._streams.input_size):
            raise ShapeError(f"x must be (streams={len(slots)}, input={self._streams.input_size}); got {rows.shape}")
        y = self._streams.step(slots, rows, self._slabs)
        if self._head is None:
            return y
        carry = {name: array[slots] for name, array in self._carry.items()}
        self._head.step(carry, y)
        for name, array in self._carry.items():
            array[slots] = carry[name]
        return self._head.read(carry)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._of, self._arrays(), self._generation, np.array(self._free, np.int64))

    def _remember(self, arrays: Mapping[str, NDArray[Any]], generation: NDArray[np.int64], free: list[int]) -> None:
        """Hold what another pool of the same network holds."""
        count = len(generation)
        self._slabs = self._streams.slabs(count)
        self._carry = self._head.init(count) if self._head else {}
        self._generation, self._mark, self._free = generation.copy(), np.zeros(count, np.int64), free
        for name, array in self._arrays().items():
            array[...] = arrays[name]

    def _slots(self, streams: ArrayLike) -> NDArray[np.int64]:
        handles = np.asarray(streams)
        if handles.shape == (0,):  # an empty list, which NumPy takes for float
            handles = handles.astype(np.int64)
        if handles.ndim != 1 or handles.dtype.kind not in "iu":
            raise ShapeError(f"streams must be (n,) handles from open(); got {handles.shape} of {handles.dtype}")
        handles = handles.astype(np.int64, copy=False)
        slots, generation = handles & _SLOT, handles >> 32
        is_open = (slots < len(self._generation)) & (generation & 1 == 1)
        is_open[is_open] = self._generation[slots[is_open]] == generation[is_open]
        if not is_open.all():
            raise StateError(f"stream {handles[~is_open][0]} is not open. Call open() for a new one.")
        self._mark[slots] = np.arange(len(slots))
        if (twice := self._mark[slots] != np.arange(len(slots))).any():
            raise StateError(f"stream {handles[twice][0]} stands there twice. Push its items one after the other.")
        return slots

    def _slot(self, stream: int) -> int:
        return int(self._slots([stream])[0])

    def _forget(self, slot: int) -> None:
        for states in self._slabs:
            for array in states:
                array[slot] = 0.0
        for name, array in self._head.init(1).items() if self._head else ():
            self._carry[name][slot] = array[0]

    def _grow(self) -> None:
        before = len(self._generation)
        size = sum(array.itemsize * math.prod(array.shape[1:]) for array in self._arrays().values())
        more = max(1, min(before // _GROWTH, before * _IDLE // size))
        fresh = self._streams.slabs(more)
        self._slabs = [
            tuple(np.concatenate(pair) for pair in zip(old, new, strict=True))
            for old, new in zip(self._slabs, fresh, strict=True)
        ]
        for name, array in self._head.init(more).items() if self._head else ():
            self._carry[name] = np.concatenate([self._carry[name], array])
        self._generation = np.concatenate([self._generation, np.zeros(more, np.int64)])
        self._mark = np.concatenate([self._mark, np.zeros(more, np.int64)])
        self._free.extend(range(before + more - 1, before - 1, -1))

    def _arrays(self) -> dict[str, NDArray[Any]]:
        layers = {
            f"encoder.{number}.{name}": array
            for number, states in enumerate(self._slabs)
            for name, array in zip(self._names, states, strict=True)
        }
        return layers | {f"head.{name}": array for name, array in self._carry.items()}


def _unpickled(
    of: Any, arrays: Mapping[str, NDArray[Any]], generation: NDArray[np.int64], free: NDArray[np.int64]
) -> StreamPool:
    """The pool that a pickle holds."""
    pool: StreamPool = of.pool()
    pool._remember(arrays, generation, free.tolist())
    return pool
