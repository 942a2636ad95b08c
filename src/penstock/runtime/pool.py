"""A pool of thousands of streams of one network; streams open and close at any time, any subset advances together."""

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

_GROWTH = 8  # grow by at most this fraction (1/8) of the current number of streams
_IDLE = 128  # bytes per stream that may be allocated but unused
_SLOT = (1 << 32) - 1


class StreamPool:
    """Streams whose states lie in shared arrays, with at most 256 bytes of overhead per stream.

    A stream is identified by its handle, an integer that no other stream of the pool ever has. A stream's predictions
    are bit for bit the same as if it were alone, whichever streams advance with it. The memory of a closed stream is
    reused. Not thread-safe. A pickled pool holds its network and all open streams, which keep their handles.

    Made by `Recurrence.pool()` and `model.scorer.pool()`.

    Args:
        stack: unidirectional layers.
        head: computes a prediction from the outputs so far; if None, a step's outputs are its prediction.
        of: the object whose `pool()` makes such a pool; pickled with it.

    Examples:
        >>> import numpy as np
        >>> from penstock.runtime import Recurrence
        >>> network = Recurrence({"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}, cell="gru")
        >>> pool = network.pool()
        >>> a, b = pool.open(), pool.open()
        >>> pool.step([b, a], np.ones((2, 3), np.float32)).shape
        (2, 4)
    """

    def __init__(self, stack: Stack, head: "Pooled | None" = None, *, of: Any = None) -> None:
        self._streams, self._names = stack.streams(), stack.state_names
        self._head, self._of = head, of
        self._slabs = self._streams.slabs(0)
        self._carry: dict[str, NDArray[Any]] = head.init(0) if head else {}
        # Incremented at each opening and closing, so odd while the stream is open; this detects outdated handles.
        self._generation = np.zeros(0, np.int64)
        self._mark = np.zeros(0, np.int64)
        self._free: list[int] = []

    def __len__(self) -> int:
        """Number of open streams."""
        return len(self._generation) - len(self._free)

    def open(self) -> int:
        """Open a new stream, with zero state, and return its handle."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._generation[slot] += 1
        self._forget(slot)
        return int(self._generation[slot]) << 32 | slot

    def close(self, stream: int) -> None:
        """Close a stream and free its memory for other streams.

        Raises:
            StateError: the stream is not open.
        """
        slot = self._slot(stream)
        self._generation[slot] += 1
        self._free.append(slot)

    def reset(self, stream: int) -> None:
        """Reset a stream to its initial state; StateError if it is not open."""
        self._forget(self._slot(stream))

    def fork(self, stream: int) -> int:
        """Open a second stream with a copy of the state and return its handle; StateError if the first is not open."""
        state = self.state(stream)
        twin = self.open()
        self.put(twin, state)
        return twin

    def state(self, stream: int) -> dict[str, NDArray[Any]]:
        """Return a copy of a stream's state: `encoder.<layer>.<state>` (1, size), `head.<name>` (1, ...).

        Raises:
            StateError: the stream is not open.
        """
        return {name: array.copy() for name, array in self.arrays(stream).items()}

    def arrays(self, stream: int) -> dict[str, NDArray[Any]]:
        """Return views of a stream's state, named as in `state`; writing to them changes the stream.

        The views are valid until the next `open`.

        Raises:
            StateError: the stream is not open.
        """
        slot = self._slot(stream)
        return {name: array[slot : slot + 1] for name, array in self._arrays().items()}

    def put(self, stream: int, state: Mapping[str, ArrayLike]) -> None:
        """Set a stream's state to one returned by `state` of this pool or of another pool of the same network.

        Raises:
            StateError: the stream is not open, or the state is of another network; the stream does not change.
            DtypeError: the state does not hold real numbers; the stream does not change.
        """
        slot, arrays = self._slot(stream), self._arrays()
        new = {name: real(array, name) for name, array in state.items()}
        for name in sorted(arrays.keys() | new.keys()):
            expected = (1, *arrays[name].shape[1:]) if name in arrays else "absent"
            shape = new[name].shape if name in new else "absent"
            if expected != shape:
                raise StateError(f"the state is of another network: {name} must be {expected}; got {shape}")
        for name, array in arrays.items():
            array[slot] = new[name][0]

    def step(self, streams: ArrayLike, x: ArrayLike) -> NDArray[np.float32]:
        """Advance streams by one step each and return their predictions (n, outputs).

        Args:
            streams: (n,) handles, all different.
            x: (n, input), each stream's input, real numbers.

        Raises:
            ShapeError, DtypeError: x has the wrong shape or type; no stream has advanced.
            StateError: a handle is not open or occurs twice; no stream has advanced.
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
        if (repeated := self._mark[slots] != np.arange(len(slots))).any():
            raise StateError(f"stream {handles[repeated][0]} occurs twice. Push its items one after the other.")
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
