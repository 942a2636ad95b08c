"""The non-tensor arguments of a call of one layer: the kind of layer and the layout of its data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from torch import Tensor

from penstock import cells
from penstock.engine import FORMS

__all__ = ["BATCH_FIRST", "PACKED", "TIME_MAJOR", "LayerSpec", "Layout"]

TIME_MAJOR, BATCH_FIRST, PACKED = 0, 1, 2  # the engine's numbers for them


@dataclass(frozen=True)
class LayerSpec:
    """One layer in one or two directions: cell, sizes and options, as in `engine.Layer`."""

    cell: str
    input_size: int
    hidden_size: int
    bias: bool = True
    bidirectional: bool = False
    option_items: tuple[tuple[str, Any], ...] = ()
    """All options of the cell as pairs, which makes the object hashable."""
    is_native: bool = field(init=False, compare=False)
    """Whether the engine has kernels for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_native", self.declaration.form(self.options) in FORMS)

    @classmethod
    def make(cls, cell: str, input_size: int, hidden_size: int, options: Mapping[str, Any], **more: bool) -> Self:
        """Describe a layer with these options of its cell; defaults are filled in.

        Raises:
            ConfigError: an unknown cell, or an option that the cell lacks.
        """
        completed = cells.find(cell).complete(options)
        return cls(cell, input_size, hidden_size, option_items=tuple(completed.items()), **more)

    @property
    def declaration(self) -> cells.Cell:
        """The cell's declaration."""
        return cells.find(self.cell)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the cell."""
        return dict(self.option_items)

    @property
    def directions(self) -> int:
        """1, or 2 if bidirectional."""
        return 2 if self.bidirectional else 1

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Size of the last axis of each state; the first is also the output size of one direction."""
        return self.declaration.state_sizes(self.hidden_size, **self.options)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one direction's parameters by name, in the engine's order."""
        sizes = self.input_size, self.hidden_size
        return self.declaration.parameter_shapes(*sizes, bias=self.bias, **self.options)

    def spell(self) -> str:
        """Write as text, the only form that an operator's schema accepts; `read` reads it."""
        return json.dumps(
            [self.cell, self.input_size, self.hidden_size, self.bias, self.bidirectional, self.option_items]
        )

    @classmethod
    def read(cls, spec: str) -> Self:
        """Read the result of `spell`."""
        cell, input_size, hidden_size, bias, bidirectional, items = json.loads(spec)
        return cls.make(cell, input_size, hidden_size, dict(items), bias=bias, bidirectional=bidirectional)

    @property
    def zoneout(self) -> tuple[float, ...]:
        """The share of each state that a step keeps; empty if none keeps any."""
        return self.declaration.zoneout(self.options)

    @property
    def is_torch(self) -> bool:
        """Whether PyTorch, and so cuDNN, has this cell with these options."""
        return self.declaration.is_torch(self.options)


class Layout(NamedTuple):
    """The order of the steps of all sequences in a tensor."""

    order: int
    """TIME_MAJOR (time, batch, features), BATCH_FIRST (batch, time, features) or PACKED (rows, features)."""
    steps: int
    batch: int
    lengths: Tensor | None = None
    """(batch,) int64 on the CPU, or None if all sequences have `steps` steps; never with PACKED."""
    batch_sizes: Tensor | None = None
    """(steps,) int64 on the CPU, descending; with PACKED only."""
