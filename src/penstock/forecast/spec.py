"""What is answered of a series: several steps ahead, several quantiles of each."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from penstock.network.checks import check_choice, check_integer

__all__ = ["LEAST_SPREAD", "ForecastHead", "Normalization", "SegmentForecastHead", "Segments"]

Normalization = Literal["relative", "last", "instance", "none"]
LEAST_SPREAD = 1e-3
"""Added to a look-back's spread, in units of its series', so that a flat one does not divide by 0."""
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class ForecastHead:
    """All steps ahead at once, from a state that is carried for ever; relative to the last value (Wen et al. 2017).

    horizon: steps ahead
    targets: numbers of a step that are forecast
    quantiles: numbers that are answered for each of them
    known: covariates of the steps ahead; a small layer of `known_size` units adds what they say
    """

    kind: ClassVar[str] = "forecast"
    horizon: int
    targets: int = 1
    quantiles: int = 1
    known: int = 0
    known_size: int = 16

    def __post_init__(self) -> None:
        for name in ("horizon", "targets", "quantiles", "known_size"):
            check_integer(self, name, at_least=1)
        check_integer(self, "known", at_least=0)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the trained tensors, behind an encoder of `output_size` features."""
        outputs = self.targets * self.quantiles
        shapes: Shapes = {"weight": (self.horizon * outputs, output_size), "bias": (self.horizon * outputs,)}
        if self.known:
            shapes |= {"known_weight": (self.known_size, self.known), "known_bias": (self.known_size,)}
            shapes["known_output"] = (outputs, self.known_size)
        return shapes


@dataclass(frozen=True)
class SegmentForecastHead:
    """A stretch ahead by each further step of the encoder, all from the state after a look-back, side by side.

    SegRNN (Lin et al. 2023, arXiv:2308.11200), with quantiles, covariates, and a linear highway from the last values as
    in LSTNet (Lai et al. 2018).

    horizon, targets, quantiles, known: as in `ForecastHead`
    length: steps of a stretch
    size: of the vectors that ask for the stretches: what the encoder reads
    context: steps of the look-back
    highway: the last of them, from which a linear layer goes straight to the answer; 0 for none
    normalization: what a look-back is related to: "relative": its last value and its own spread; "last": its last
        value; "instance": its mean and its own spread (RevIN, Kim et al. 2022); "none"
    """

    kind: ClassVar[str] = "segment_forecast"
    horizon: int
    length: int
    size: int
    context: int
    targets: int = 1
    quantiles: int = 1
    known: int = 0
    highway: int = 0
    normalization: Normalization = "relative"

    def __post_init__(self) -> None:
        for name in ("horizon", "length", "size", "context", "targets", "quantiles"):
            check_integer(self, name, at_least=1)
        for name in ("known", "highway"):
            check_integer(self, name, at_least=0)
        check_choice(self, "normalization", get_args(Normalization))

    @property
    def stretches(self) -> int:
        """How many stretches the horizon takes, the last one perhaps in part."""
        return -(-self.horizon // self.length)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the trained tensors, behind an encoder of `output_size` features."""
        outputs = self.length * self.targets * self.quantiles
        shapes: Shapes = {
            "positions": (self.stretches, self.size),
            "weight": (outputs, output_size),
            "bias": (outputs,),
        }
        if self.known:
            shapes["known_weight"] = (self.size, self.length * self.known)
        if self.highway:
            shapes["highway"] = (self.horizon * self.quantiles, self.highway)
        return shapes


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
            check_integer(self, name, at_least=1)
        check_integer(self, "identities", at_least=0)

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors."""
        shapes: Shapes = {"weight": (self.size, self.length * self.features), "bias": (self.size,)}
        return shapes | ({"identities": (self.identities + 1, self.size)} if self.identities else {})
