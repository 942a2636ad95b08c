"""How the parts of a network are joined, written once for every side that runs them.

The functions take a side's parts and arrays of that side's library: PyTorch's (`nn`), NumPy's (`runtime`), or whatever
an export traces. Products are the parts' own; what stands between them goes element by element, through the array API,
so that the runtime's bits do not depend on what else is in a batch.
"""

from typing import Any, Protocol

__all__ = ["Parts", "whole"]


class Parts(Protocol):
    """A network's parts on one side."""

    head: Any

    def vectors(self, values: Any, *identity: Any) -> Any:
        """What the first layer reads of (batch, time, features) or of ids (batch, time): (batch, time, input)."""
        ...

    def encode(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """The layers' outputs (batch, time, output) for x (batch, time, input), and their state afterwards."""
        ...


def whole(parts: Parts, values: Any, lengths: Any = None) -> Any:
    """The head's scores for whole sequences; pooled (batch, outputs), or stepwise (batch, time, outputs).

    Args:
        parts: of a network that is wired `POOLED` or `STEPWISE`.
        values: (batch, time, size) numbers, or (batch, time) ids.
        lengths: (batch,) steps of each sequence; all if None.
    """
    y, _ = parts.encode(parts.vectors(values), lengths=lengths)
    return parts.head(y, lengths)
