"""Descriptions of inputs: ids with an embedding, or numbers."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.network.checks import check_integer

__all__ = ["Embedding", "Numbers"]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Embedding:
    """Inputs that are ids: a step's vector is row `id` of a trained table (vocabulary_size, size)."""

    kind: ClassVar[str] = "embedding"
    vocabulary_size: int
    size: int

    def __post_init__(self) -> None:
        check_integer(self, "vocabulary_size", at_least=1)
        check_integer(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Shapes of the trained tensors by name."""
        return {"weight": (self.vocabulary_size, self.size)}


@dataclass(frozen=True)
class Numbers:
    """Inputs that are vectors of `size` numbers, passed to the encoder unchanged."""

    kind: ClassVar[str] = "numbers"
    size: int

    def __post_init__(self) -> None:
        check_integer(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Empty: numbers have no trained tensors."""
        return {}
