"""Description of the head of speech recognition: scores of tokens after each step, for CTC."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.network.checks import check_integer

__all__ = ["BLANK", "CtcHead"]

BLANK = 0
"""The number of the blank of CTC; the tokens follow."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class CtcHead:
    """The log-probability of each token, and of the blank, at each step (Graves et al. 2006).

    With `lookahead` t, a step is scored from its own output y_s and from the t outputs after it, which a look-ahead
    convolution weighs for each feature (Wang et al. 2016; Amodei et al. 2016); outputs past the end are 0:

        r_s   = sum over j = 0 ... t of w_j * y_(s + j)
        score = log softmax(V r_s + b)

    Attributes:
        tokens: number of scores, the blank's included.
        lookahead: t; 0 for none.
    """

    kind: ClassVar[str] = "ctc"
    tokens: int
    lookahead: int = 0

    def __post_init__(self) -> None:
        check_integer(self, "tokens", at_least=2)
        check_integer(self, "lookahead", at_least=0)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        ahead: Shapes = {"lookahead": (self.lookahead + 1, output_size)} if self.lookahead else {}
        return ahead | {"weight": (self.tokens, output_size), "bias": (self.tokens,)}
