"""Descriptions of heads: what is predicted from the encoder's outputs."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from penstock.network.checks import check_choice, check_integer

__all__ = ["ClassHead", "Pooling", "RegressionHead", "StepClassHead"]

Pooling = Literal["last", "mean", "max", "mean_max"]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class ClassHead:
    """Classification of a sequence: outputs pooled over time, then a linear layer and a softmax over `classes`."""

    kind: ClassVar[str] = "class"
    classes: int
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        check_integer(self, "classes", at_least=2)
        check_choice(self, "pooling", get_args(Pooling))

    def pooled_size(self, output_size: int) -> int:
        """Number of features after pooling `output_size` features; mean_max concatenates both."""
        return output_size * (2 if self.pooling == "mean_max" else 1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        return {"weight": (self.classes, self.pooled_size(output_size)), "bias": (self.classes,)}


@dataclass(frozen=True)
class RegressionHead:
    """Regression of a sequence: outputs pooled over time, a linear layer to `outputs` numbers, scaled to data units."""

    kind: ClassVar[str] = "regression"
    outputs: int = 1
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        check_integer(self, "outputs", at_least=1)
        check_choice(self, "pooling", get_args(Pooling))

    def pooled_size(self, output_size: int) -> int:
        """Number of features after pooling `output_size` features; mean_max concatenates both."""
        return output_size * (2 if self.pooling == "mean_max" else 1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the tensors by name: the trained ones, and the offset and scale of the targets."""
        shapes: Shapes = {"weight": (self.outputs, self.pooled_size(output_size))}
        return shapes | dict.fromkeys(("bias", "offset", "scale"), (self.outputs,))


@dataclass(frozen=True)
class StepClassHead:
    """Classification of each step: a linear layer scores `classes` at each output; a decoder chooses the labels."""

    kind: ClassVar[str] = "step_class"
    classes: int

    def __post_init__(self) -> None:
        check_integer(self, "classes", at_least=2)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        return {"weight": (self.classes, output_size), "bias": (self.classes,)}
