"""Descriptions of the heads of language models: the next token, or the next frame of notes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from penstock.errors import ConfigError
from penstock.network.checks import check_flag, check_integer

__all__ = ["BernoulliHead", "NextTokenHead", "check_head"]

Shapes = dict[str, tuple[int, ...]]

TAIL_FACTOR = 4
"""By how much the vectors of each cluster of an adaptive softmax are smaller than those of the one before it."""


@dataclass(frozen=True)
class NextTokenHead:
    """The probability of each token to come next: a linear layer and a softmax.

    tokens: the number of tokens
    tied: whether the layer's weight is the table of the embedding (Inan et al. 2017; Press and Wolf 2017)
    size: with `tied`, the size of the embedding's vectors, to which outputs of another size are projected; else 0
    cutoffs: for an adaptive softmax (Grave et al. 2017), the ids at which its clusters of rarer tokens begin,
        ascending; ids must be in the order of frequency. Empty for an ordinary softmax.
    """

    kind: ClassVar[str] = "next_token"
    tokens: int
    tied: bool = False
    size: int = 0
    cutoffs: Sequence[int] = ()

    def __post_init__(self) -> None:
        check_integer(self, "tokens", at_least=2)
        check_flag(self, "tied")
        check_integer(self, "size", at_least=1 if self.tied else 0)
        if not isinstance(self.cutoffs, list | tuple) or not all(type(each) is int for each in self.cutoffs):
            raise ConfigError(f"NextTokenHead: cutoffs must be a list of ids; got {self.cutoffs!r:.80}")
        if list(self.cutoffs) != sorted({each for each in self.cutoffs if 0 < each < self.tokens}):
            raise ConfigError(
                f"NextTokenHead: cutoffs must be ascending ids from 1 to {self.tokens - 1}; got {self.cutoffs!r:.80}"
            )
        if self.cutoffs and self.tied:
            raise ConfigError("NextTokenHead: an adaptive softmax has weights of its own: leave tied or cutoffs out")
        object.__setattr__(self, "cutoffs", tuple(self.cutoffs))

    def clusters(self) -> list[tuple[int, int]]:
        """The first id of each cluster of an adaptive softmax, and the one after its last."""
        return list(itertools.pairwise((*self.cutoffs, self.tokens)))

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, with PyTorch's names for an adaptive softmax."""
        if self.tied:
            projected = {} if self.size == output_size else {"projection": (self.size, output_size)}
            return projected | {"bias": (self.tokens,)}
        if not self.cutoffs:
            return {"weight": (self.tokens, output_size), "bias": (self.tokens,)}
        first = self.cutoffs[0] + len(self.cutoffs)
        shapes: Shapes = {"adaptive.head.weight": (first, output_size), "adaptive.head.bias": (first,)}
        for number, (start, end) in enumerate(self.clusters()):
            size = output_size // TAIL_FACTOR ** (number + 1)
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


def check_head(network: Any) -> None:
    """Raise ConfigError unless the layers read forward, and fit a head with a shared table or an adaptive softmax."""
    inputs, head = network.inputs, network.head
    if network.encoder.bidirectional:
        raise ConfigError("a language model reads forward: what comes next is unknown. Set bidirectional=False.")
    least = TAIL_FACTOR ** len(getattr(head, "cutoffs", ()))
    if network.encoder.output_size < least:
        raise ConfigError(
            f"an adaptive softmax of {len(head.cutoffs)} clusters needs layers with at least {least} outputs; got "
            f"{network.encoder.output_size}. Set a larger hidden_size, or adaptive=False."
        )
    if getattr(head, "tied", False) and (
        inputs.kind != "embedding" or (inputs.vocabulary_size, inputs.size) != (head.tokens, head.size)
    ):
        raise ConfigError(
            f"a tied head shares the table of an embedding (vocabulary_size={head.tokens}, size={head.size}); "
            f"got inputs {inputs!r:.120}"
        )
