"""Zoneout: units keep their state from the step before at random (Krueger et al. 2016, arXiv:1606.01305).

state' = state where the unit is drawn, with probability share, else new        in training
state' = share * state + (1 - share) * new                                      otherwise: the expectation

`new` is what the cell computes from `state`; for the LSTM h and c are drawn apart, and the new h follows from the new c
whether or not that is kept, as in the article.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penstock.cells.arithmetic import namespace
from penstock.cells.declaration import Array, State
from penstock.cells.philox import philox

_LEVELS = 2**24
_PANEL = 16  # units of a block of the engine, which draws four blocks together, one from each word
_STATES = 4  # the most that a cell of the engine has


@dataclass(frozen=True)
class Draw:
    """The masks of one layer in training, a function of these numbers, the direction, the time, the state and the unit.

    Attributes:
        seed: an integer, or an int64 tensor without axes.
        layer: the number of the layer in its stack.
        first_step: the time of the sequences' first step, if they continue.
        numbers: (batch,) int64, of the sequences; 0, 1, ... if None.

    Examples:
        >>> from penstock.cells import Draw
        >>> Draw(seed=7, layer=1).first_step
        0
    """

    seed: Array
    layer: int = 0
    first_step: int = 0
    numbers: Array | None = None


@dataclass(frozen=True)
class Zoneout:
    """What a direction of a layer does between steps.

    Attributes:
        shares: of each state, from 0 to below 1.
        draw: the masks; None for the expectation.
        reverse: whether this is the reverse direction.
    """

    shares: Sequence[float]
    draw: Draw | None = None
    reverse: bool = False

    def __call__(self, state: State, new: State, time: int = 0) -> State:
        """Return the states after the step at `time`, from those before it and the cell's new ones: (batch, size)."""
        return tuple(self._mixed(k, *each, time) for k, each in enumerate(zip(state, new, strict=True)))

    def _mixed(self, k: int, before: Array, new: Array, time: int) -> Array:
        share = self.shares[k]
        if share == 0:
            return new
        if self.draw is None:
            return share * before + (1 - share) * new
        return namespace(new).where(self._kept(k, time, new), before, new)

    def _kept(self, k: int, time: int, like: Array) -> Array:
        """Which units (batch, size) of state k keep their value."""
        assert self.draw is not None
        xp, draw = namespace(like), self.draw
        batch, size = like.shape

        def whole(value: int) -> Array:
            return xp.full((1, 1), value & 0xFFFFFFFF, dtype=xp.int64, device=like.device)

        units = xp.arange(size, dtype=xp.int64, device=like.device)
        together = 4 * _PANEL
        columns = units // together * _PANEL + units % _PANEL
        numbers = xp.arange(batch, dtype=xp.int64, device=like.device) if draw.numbers is None else draw.numbers
        place = (draw.layer * 2 + self.reverse) * _STATES + k
        counter = columns[None, :], whole(draw.first_step + time), (numbers & 0xFFFFFFFF)[:, None], whole(place)
        words, word = philox(counter, draw.seed), (units % together // _PANEL)[None, :]
        drawn = words[3]
        for i in range(3):
            drawn = xp.where(word == i, words[i], drawn)
        return (drawn >> 8) < int(np.float32(self.shares[k]) * _LEVELS)
