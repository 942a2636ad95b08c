"""What a call of one layer consists of, apart from its tensors: the kind of layer and the layout of its data."""

import json
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

from torch import Tensor

from penstock import cells

__all__ = ["BATCH_FIRST", "PACKED", "TIME_MAJOR", "Kind", "Layout"]

TIME_MAJOR, BATCH_FIRST, PACKED = 0, 1, 2  # the engine's own numbers

_OPTIONS = ("nonlinearity", "peephole", "proj_size", "reset_after")


@dataclass(frozen=True)
class Kind:
    """One layer, in one or two directions: its cell, sizes and options, as `engine.Layer` takes them."""

    cell: str
    input_size: int
    hidden_size: int
    bias: bool = True
    bidirectional: bool = False
    nonlinearity: str = "tanh"
    peephole: bool = False
    proj_size: int = 0
    reset_after: bool = True

    @property
    def declaration(self) -> cells.Cell:
        """The cell's declaration."""
        return cells.find(self.cell)

    @property
    def options(self) -> dict[str, Any]:
        """The options that this cell has, and their values here."""
        return {name: getattr(self, name) for name in _OPTIONS if name in self.declaration.options}

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
        return json.dumps(astuple(self))

    @classmethod
    def read(cls, spec: str) -> "Kind":
        """The kind that `spell` wrote."""
        return cls(*json.loads(spec))

    @property
    def is_torch(self) -> bool:
        """Whether PyTorch, and so cuDNN, has this very cell."""
        return self.reset_after and not self.peephole


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
