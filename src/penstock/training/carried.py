"""State carried from chunk to chunk in truncated backpropagation through time (Williams and Peng 1990)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["CarriedState"]

State = Any
"""A tensor (layers, streams, size), or a tuple of such states, as recurrent layers take and return it."""


class CarriedState:
    """The recurrent layers' state of each stream, carried from one chunk to the next.

    With the chunks of `datasets.stream_chunks`:

        y, state = module.encoder(x, carried.begin(chunk.fresh))
        carried.keep(state)
    """

    def __init__(self) -> None:
        self._state: State = None

    def begin(self, fresh: np.ndarray) -> State:
        """Return the initial state for a chunk, zero for streams that restart; None if all of them do.

        Args:
            fresh: (streams,) bool, whether a stream restarts.
        """
        if self._state is None or fresh.all():
            return None
        continuing = torch.from_numpy(~fresh)[None, :, None]
        return _mapped(self._state, lambda each: torch.where(continuing, each, 0.0))

    def keep(self, state: State) -> None:
        """Store the state after a chunk, without its gradient."""
        self._state = _mapped(state, Tensor.detach)

    def state_dict(self) -> dict[str, Any]:
        """Return the stored state."""
        return {"state": self._state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a result of `state_dict`."""
        self._state = _tuples(state["state"])


def _mapped(state: State, function: Callable[[Tensor], Tensor]) -> State:
    return tuple(_mapped(each, function) for each in state) if isinstance(state, tuple) else function(state)


def _tuples(state: State) -> State:
    """Convert the lists of a file back to the tuples that layers use."""
    return tuple(map(_tuples, state)) if isinstance(state, list | tuple) else state
