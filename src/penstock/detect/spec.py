"""Description of the head of detectors: the distribution of the values of each step, before they are seen."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.network.checks import check_integer

__all__ = ["DistributionHead"]


@dataclass(frozen=True)
class DistributionHead:
    """A logistic distribution for each of `targets` values: its location, relative to the last value, and log scale."""

    kind: ClassVar[str] = "distribution"
    targets: int

    def __post_init__(self) -> None:
        check_integer(self, "targets", at_least=1)

    def parameter_shapes(self, output_size: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the trained tensors by name: the first half of the rows are locations, the second log scales."""
        return {"weight": (2 * self.targets, output_size), "bias": (2 * self.targets,)}
