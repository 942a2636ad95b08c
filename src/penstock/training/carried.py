"""The state of streams that a network reads chunk after chunk (truncated backpropagation, Williams and Peng 1990)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["CarriedState"]

State = Any
"""A tensor (layers, streams, size), or a tuple of states: what a recurrent layer takes and gives back."""


class CarriedState:
    """What the recurrent layers remember of each stream, from one chunk to the next.

    With the chunks of `datasets.stream_chunks`:

        y, state = module.encoder(x, carried.begin(chunk.fresh))
        carried.keep(state)
    """

    def __init__(self) -> None:
        self._state: State = None

    def begin(self, fresh: np.ndarray) -> State:
        """The state to read a chunk from, zero for the streams that begin anew; None if all of them do.

        Args:
            fresh: (streams,) bool, whether a stream begins anew.
        """
        if self._state is None or fresh.all():
            return None
        going_on = torch.from_numpy(~fresh)[None, :, None]
        return _mapped(self._state, lambda each: torch.where(going_on, each, 0.0))

    def keep(self, state: State) -> None:
        """Remember the state after a chunk, without its gradient."""
        self._state = _mapped(state, Tensor.detach)

    def state_dict(self) -> dict[str, Any]:
        """What is remembered."""
        return {"state": self._state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what `state_dict` gave."""
        self._state = _tuples(state["state"])


def _mapped(state: State, function: Callable[[Tensor], Tensor]) -> State:
    return tuple(_mapped(each, function) for each in state) if isinstance(state, tuple) else function(state)


def _tuples(state: State) -> State:
    """A file has lists where a layer has tuples."""
    return tuple(map(_tuples, state)) if isinstance(state, list | tuple) else state
