"""What a call of one layer consists of, apart from its tensors: the kind of layer and the layout of its data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from torch import Tensor

from penstock import cells
from penstock.engine import FORMS

__all__ = ["BATCH_FIRST", "PACKED", "TIME_MAJOR", "LayerSpec", "Layout"]

TIME_MAJOR, BATCH_FIRST, PACKED = 0, 1, 2  # the engine's own numbers


@dataclass(frozen=True)
class LayerSpec:
    """One layer, in one or two directions: its cell, sizes and options, as `engine.Layer` takes them."""

    cell: str
    input_size: int
    hidden_size: int
    bias: bool = True
    bidirectional: bool = False
    given: tuple[tuple[str, Any], ...] = ()
    """All options of the cell, as pairs, so that a kind can be a dictionary's key."""
    is_native: bool = field(init=False, compare=False)
    """Whether the engine has kernels for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_native", self.declaration.form(self.options) in FORMS)

    @classmethod
    def make(cls, cell: str, input_size: int, hidden_size: int, options: Mapping[str, Any], **more: bool) -> Self:
        """The kind of a layer with these options of its cell; defaults are filled in.

        Raises:
            ConfigError: an unknown cell, or an option that it lacks.
        """
        given = cells.find(cell).complete(options)
        return cls(cell, input_size, hidden_size, given=tuple(given.items()), **more)

    @property
    def declaration(self) -> cells.Cell:
        """The cell's declaration."""
        return cells.find(self.cell)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the cell."""
        return dict(self.given)

    @property
    def directions(self) -> int:
        """1, or 2 if bidirectional."""
        return 2 if self.bidirectional else 1

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The last axis of each state; the first is also the output's, of one direction."""
        return self.declaration.state_sizes(self.hidden_size, **self.options)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one direction, by name, in the engine's order."""
        sizes = self.input_size, self.hidden_size
        return self.declaration.parameter_shapes(*sizes, bias=self.bias, **self.options)

    def spell(self) -> str:
        """As text, the only form that an operator's schema can take it in; `read` reads it."""
        return json.dumps([self.cell, self.input_size, self.hidden_size, self.bias, self.bidirectional, self.given])

    @classmethod
    def read(cls, spec: str) -> Self:
        """The kind that `spell` wrote."""
        cell, input_size, hidden_size, bias, bidirectional, given = json.loads(spec)
        return cls(cell, input_size, hidden_size, bias, bidirectional, tuple(map(tuple, given)))

    @property
    def is_torch(self) -> bool:
        """Whether PyTorch, and so cuDNN, has this very cell."""
        return self.declaration.is_torch(self.options)


class Layout(NamedTuple):
    """Where each step of each sequence lies."""

    order: int
    """TIME_MAJOR (time, batch, features), BATCH_FIRST (batch, time, features) or PACKED (rows, features)."""
    steps: int
    batch: int
    lengths: Tensor | None = None
    """(batch,) int64 on the CPU, or None when all sequences have `steps` steps; never with PACKED."""
    batch_sizes: Tensor | None = None
    """(steps,) int64 on the CPU, falling; with PACKED only."""
