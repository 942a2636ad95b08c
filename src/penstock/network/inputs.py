"""How a step comes in: ids of a table's rows, numbers, or stretches of a series."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.network.checks import whole

__all__ = ["Embedding", "Numbers", "Segments"]

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


@dataclass(frozen=True)
class Segments:
    """Inputs that are stretches of a series: a linear layer and ReLU make one vector of each.

    length: steps of a stretch
    features: numbers of a step
    size: of the vector
    identities: series that have a vector of their own, which is added; number 0 is any other series
    """

    kind: ClassVar[str] = "segments"
    length: int
    features: int
    size: int
    identities: int = 0

    def __post_init__(self) -> None:
        for name in ("length", "features", "size"):
            whole(self, name, at_least=1)
        whole(self, "identities", at_least=0)

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors."""
        shapes: Shapes = {"weight": (self.size, self.length * self.features), "bias": (self.size,)}
        return shapes | ({"identities": (self.identities + 1, self.size)} if self.identities else {})
