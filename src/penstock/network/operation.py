"""What an operation of a `Graph` is: it says which values fit it, and what it makes of them."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from penstock.errors import ConfigError

__all__ = ["Operation", "Shapes", "Value"]

Shapes = dict[str, tuple[int, ...]]


class Value(NamedTuple):
    """What is known of a value in a graph before it runs.

    size: the number of features; for ids, the number of different ids
    steps: whether there is one row for each step of a sequence; else one row for each sequence
    ids: whether the rows are single ids, whole numbers from 0 to size - 1
    """

    size: int
    steps: bool = True
    ids: bool = False


class Operation:
    """Base class of operations: frozen dataclasses with a `kind`, which names them in files."""

    kind: ClassVar[str]

    def result(self, *inputs: Value) -> Value:
        """Return what the operation makes of these inputs; ConfigError if they do not fit."""
        raise NotImplementedError

    def parameter_shapes(self) -> Shapes:
        """Return the shapes of the operation's tensors by name."""
        return {}

    def _masked(self, inputs: Sequence[Value], masked: bool) -> Sequence[Value]:
        """Return the inputs without the mask, which is the second of two, one number for each step."""
        if not masked:
            return inputs
        if len(inputs) != 2 or inputs[1] != Value(1):
            raise ConfigError(f"a masked {self.kind} takes its input and a mask, one number for each step")
        return inputs[:1]

    def _one(self, inputs: Sequence[Value], *, size: int | None = None, steps: bool = False) -> Value:
        """Return the only input after checking its features and, if `steps`, that it has a row for each step."""
        if len(inputs) != 1:
            raise ConfigError(f"{self.kind} takes one input; got {len(inputs)}")
        (value,) = inputs
        if value.ids:
            raise ConfigError(f"{self.kind} takes features; got ids. Look them up in a table first.")
        if steps and not value.steps:
            raise ConfigError(f"{self.kind} takes one row for each step; got one row for each sequence")
        if size is not None and value.size != size:
            raise ConfigError(f"{self.kind} takes {size} features; got {value.size}")
        return value
