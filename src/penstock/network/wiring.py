"""How the parts of a network are joined, written once for all implementations.

The functions take the parts and arrays of one library: PyTorch (`nn`), NumPy (`runtime`), or the tracer of an export.
Matrix products happen inside the parts. Everything between the parts is elementwise and uses the array API, so that
the runtime's bits do not depend on what else is in a batch.
"""

from typing import Any, Protocol

__all__ = ["Parts", "score_sequences"]


class Parts(Protocol):
    """A network's parts in one library."""

    head: Any

    def vectors(self, values: Any, *identity: Any) -> Any:
        """Inputs of the first layer (batch, time, input), from numbers (batch, time, features) or ids (batch, time)."""
        ...

    def encode(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """Run the layers: x (batch, time, input) -> outputs (batch, time, output), and their final state."""
        ...


def score_sequences(parts: Parts, values: Any, lengths: Any = None) -> Any:
    """Return the head's scores for whole sequences: pooled (batch, outputs), or stepwise (batch, time, outputs).

    Args:
        parts: the parts of a network with the wiring `POOLED` or `STEPWISE`.
        values: (batch, time, size) numbers, or (batch, time) ids.
        lengths: (batch,) steps of each sequence; None if all have `time` steps.
    """
    y, _ = parts.encode(parts.vectors(values), lengths=lengths)
    return parts.head(y, lengths)
