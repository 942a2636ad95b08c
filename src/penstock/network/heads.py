"""What is predicted from the encoder's outputs."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from penstock.network.checks import choice, whole

__all__ = ["ClassHead", "Pooling", "RegressionHead", "StepClassHead"]

Pooling = Literal["last", "mean", "max", "mean_max"]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class ClassHead:
    """One of `classes` classes for a sequence: outputs pooled over time, a linear layer, a softmax."""

    kind: ClassVar[str] = "class"
    classes: int
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        whole(self, "classes", at_least=2)
        choice(self, "pooling", get_args(Pooling))

    def pooled_size(self, output_size: int) -> int:
        """Features after pooling `output_size` features; mean_max puts both side by side."""
        return output_size * (2 if self.pooling == "mean_max" else 1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the trained tensors, behind an encoder of `output_size` features."""
        return {"weight": (self.classes, self.pooled_size(output_size)), "bias": (self.classes,)}


@dataclass(frozen=True)
class RegressionHead:
    """`outputs` numbers for a sequence: outputs pooled over time, a linear layer, and the data's own unit."""

    kind: ClassVar[str] = "regression"
    outputs: int = 1
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        whole(self, "outputs", at_least=1)
        choice(self, "pooling", get_args(Pooling))

    def pooled_size(self, output_size: int) -> int:
        """Features after pooling `output_size` features; mean_max puts both side by side."""
        return output_size * (2 if self.pooling == "mean_max" else 1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the tensors: the trained ones, and the offset and scale of the answers."""
        shapes: Shapes = {"weight": (self.outputs, self.pooled_size(output_size))}
        return shapes | dict.fromkeys(("bias", "offset", "scale"), (self.outputs,))


@dataclass(frozen=True)
class StepClassHead:
    """One of `classes` classes for each step: a linear layer on each output; a decoder takes the scores from there."""

    kind: ClassVar[str] = "step_class"
    classes: int

    def __post_init__(self) -> None:
        whole(self, "classes", at_least=2)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the trained tensors, behind an encoder of `output_size` features."""
        return {"weight": (self.classes, output_size), "bias": (self.classes,)}
