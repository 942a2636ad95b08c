"""Descriptions of forecasting heads and inputs: several steps ahead, and several quantiles of each."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from penstock.network.checks import check_choice, check_integer

__all__ = ["LEAST_SPREAD", "ForecastHead", "Normalization", "SegmentForecastHead", "Segments"]

Normalization = Literal["relative", "last", "instance", "none"]
LEAST_SPREAD = 1e-3
"""Added to the spread of a look-back, in units of the series' spread, to avoid division by 0 for a constant one."""
Shapes = dict[str, tuple[int, ...]]
_MOST_CONTEXT = 10_000_000  # steps: a stream keeps all of them


@dataclass(frozen=True)
class ForecastHead:
    """Predicts all steps ahead at once from a carried state, relative to the last value (Wen et al. 2017).

    horizon: number of steps ahead
    targets: number of target columns
    quantiles: number of quantiles per target
    known: number of known covariates of the steps ahead; a layer of `known_size` units adds their effect
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
    """Predicts each segment ahead with one more encoder step, all in parallel from the state after a look-back.

    SegRNN (Lin et al. 2023, arXiv:2308.11200) with quantiles, covariates, and a linear highway from the last values as
    in LSTNet (Lai et al. 2018).

    horizon, targets, quantiles, known: as in `ForecastHead`
    length: steps per segment
    size: size of the encoder's input, and so of the vectors that query the segments
    context: steps of the look-back
    highway: number of last steps that a linear layer connects directly to the prediction; 0 for none
    normalization: how a look-back is normalized: "relative": by its last value and its own spread; "last": by its last
        value; "instance": by its mean and its own spread (RevIN, Kim et al. 2022); "none"
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
        for name in ("horizon", "length", "size", "targets", "quantiles"):
            check_integer(self, name, at_least=1)
        check_integer(self, "context", at_least=1, at_most=_MOST_CONTEXT)
        for name in ("known", "highway"):
            check_integer(self, name, at_least=0)
        check_choice(self, "normalization", get_args(Normalization))

    @property
    def stretches(self) -> int:
        """The number of segments that cover the horizon; the last one may be cut."""
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
    """Inputs that are segments of a series: a linear layer and ReLU turn each segment into one vector.

    length: steps per segment
    features: numbers per step
    size: size of the vector
    identities: number of series that have a learned vector, which is added; number 0 is any other series
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
