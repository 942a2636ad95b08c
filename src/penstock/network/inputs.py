"""How a step comes in: ids of a table's rows, or numbers."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.network.checks import whole

__all__ = ["Embedding", "Numbers"]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Embedding:
    """Inputs that are ids: row `id` of a table (vocabulary_size, size) is the vector of a step."""

    kind: ClassVar[str] = "embedding"
    vocabulary_size: int
    size: int

    def __post_init__(self) -> None:
        whole(self, "vocabulary_size", at_least=1)
        whole(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors."""
        return {"weight": (self.vocabulary_size, self.size)}


@dataclass(frozen=True)
class Numbers:
    """Inputs that are vectors of `size` numbers, passed on as they are."""

    kind: ClassVar[str] = "numbers"
    size: int

    def __post_init__(self) -> None:
        whole(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Nothing here is trained."""
        return {}
