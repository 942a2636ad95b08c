"""Descriptions of the heads of language models: the next token, or the next frame of notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from penstock.errors import ConfigError
from penstock.network.checks import check_flag, check_integer

__all__ = ["BernoulliHead", "NextTokenHead", "check_tied"]

Shapes = dict[str, tuple[int, ...]]

TAIL_FACTOR = 4
"""By how much the vectors of each cluster of an adaptive softmax are smaller than those of the one before it."""


@dataclass(frozen=True)
class NextTokenHead:
    """The probability of each token to come next: a linear layer and a softmax over `classes` tokens.

    classes: the number of tokens
    tied: whether the layer's weight is the table of the embedding (Inan et al. 2017; Press and Wolf 2017)
    size: with `tied`, the size of the embedding's vectors, to which outputs of another size are projected; else 0
    cutoffs: for an adaptive softmax (Grave et al. 2017), the ids at which its clusters of rarer tokens begin, ascending;
        ids must be in the order of frequency. Empty for an ordinary softmax.
    """

    kind: ClassVar[str] = "next_token"
    classes: int
    tied: bool = False
    size: int = 0
    cutoffs: Sequence[int] = ()

    def __post_init__(self) -> None:
        check_integer(self, "classes", at_least=2)
        check_flag(self, "tied")
        check_integer(self, "size", at_least=1 if self.tied else 0)
        if not isinstance(self.cutoffs, list | tuple) or not all(type(each) is int for each in self.cutoffs):
            raise ConfigError(f"NextTokenHead: cutoffs must be a list of ids; got {self.cutoffs!r:.80}")
        if list(self.cutoffs) != sorted({each for each in self.cutoffs if 0 < each < self.classes}):
            raise ConfigError(
                f"NextTokenHead: cutoffs must be ascending ids from 1 to {self.classes - 1}; got {self.cutoffs!r:.80}"
            )
        if self.cutoffs and self.tied:
            raise ConfigError("NextTokenHead: an adaptive softmax has weights of its own: leave tied or cutoffs out")
        object.__setattr__(self, "cutoffs", tuple(self.cutoffs))

    def clusters(self) -> list[tuple[int, int]]:
        """The first id of each cluster of an adaptive softmax, and the one after its last."""
        return list(zip(self.cutoffs, (*self.cutoffs[1:], self.classes), strict=True))

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, with PyTorch's names for an adaptive softmax."""
        if self.tied:
            projected = {} if self.size == output_size else {"projection": (self.size, output_size)}
            return projected | {"bias": (self.classes,)}
        if not self.cutoffs:
            return {"weight": (self.classes, output_size), "bias": (self.classes,)}
        first = self.cutoffs[0] + len(self.cutoffs)
        shapes: Shapes = {"adaptive.head.weight": (first, output_size), "adaptive.head.bias": (first,)}
        for number, (start, end) in enumerate(self.clusters()):
            size = max(1, output_size // TAIL_FACTOR ** (number + 1))
            shapes[f"adaptive.tail.{number}.0.weight"] = (size, output_size)
            shapes[f"adaptive.tail.{number}.1.weight"] = (end - start, size)
        return shapes


@dataclass(frozen=True)
class BernoulliHead:
    """The probability of each of `outputs` notes to sound in the next frame, independently of each other."""

    kind: ClassVar[str] = "bernoulli"
    outputs: int

    def __post_init__(self) -> None:
        check_integer(self, "outputs", at_least=1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name."""
        return {"weight": (self.outputs, output_size), "bias": (self.outputs,)}


def check_tied(network: Any) -> None:
    """Raise ConfigError unless the embedding fits a head that shares its table; other heads fit everything."""
    inputs, head = network.inputs, network.head
    if getattr(head, "tied", False) and (
        inputs.kind != "embedding" or (inputs.vocabulary_size, inputs.size) != (head.classes, head.size)
    ):
        raise ConfigError(
            f"a tied head shares the table of an embedding (vocabulary_size={head.classes}, size={head.size}); "
            f"got inputs {inputs!r:.120}"
        )
