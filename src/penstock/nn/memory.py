"""Memory of large tensors, kept from one training step to the next."""

import weakref

import numpy as np
import torch
from torch import Tensor

__all__ = ["Kept"]


class Kept:
    """Memory for one tensor at a time, taken up again when the tensor before is gone.

    The C library gives large allocations back to the system once they are free, and smaller ones where they end the
    heap; fresh memory comes page by page, each cleared first. That takes a twentieth of a training step of an LSTM of
    512 units, 64 sequences and 100 steps, and up to a tenth of one of a plain RNN.
    """

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []

    def lend(self, floats: int) -> Tensor:
        """A tensor (floats,) of float32, not initialised. Its memory is back when nothing, no graph either, has it."""
        try:  # to take it and to look whether it is there at once: several threads may train
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(0, np.float32)
        if not floats <= memory.size <= 2 * floats:
            memory = np.empty(floats, np.float32)
        lent = memory[:floats]
        weakref.finalize(lent, self._take_back, memory).atexit = False
        return torch.from_numpy(lent)

    def _take_back(self, memory: np.ndarray) -> None:
        self._free[:] = [memory]

    def drop(self) -> None:
        """Gives back what is not lent."""
        self._free.clear()
