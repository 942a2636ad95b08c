"""The table of kinds: what a network can be made of, and where each side of each kind lives.

A kind has a description (`spec`), a PyTorch side that trains, a runtime side that predicts on the engine, and, where
there is one, an export. Each is named as "module:Name" and imported when it is asked for, so that the table needs
neither PyTorch nor the engine. What a side is made with:

    inputs    torch(spec)                                     runtime(spec, tensors)
    encoder   torch(spec, init=, max_time=)                   runtime(spec, tensors)
    head      torch(spec, features=, bidirectional=)          runtime(spec, tensors, features=, bidirectional=)
    wiring    torch(network, **options)                       runtime(network, tensors)

`tensors` are float32 arrays by the names of the description's `parameter_shapes`, for a wiring those of the network's;
`features` is the size of the encoder's output, over both directions.
"""

from dataclasses import dataclass
from typing import Any, Literal

from penstock.errors import ConfigError
from penstock.registry import resolve

__all__ = [
    "CARRIED",
    "KINDS",
    "POOLED",
    "STEPWISE",
    "WINDOWED",
    "Kind",
    "Part",
    "Side",
    "Wiring",
    "kind_of",
    "register",
]

Part = Literal["inputs", "encoder", "head"]
Side = Literal["spec", "torch", "runtime", "export"]

_USES = {
    "spec": "describe it",
    "torch": "train it in PyTorch",
    "runtime": "predict with it on the engine",
    "export": "export it",
}
_NEEDED: tuple[Side, ...] = ("spec", "torch", "runtime")


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """How inputs, encoder and head are joined, and what runs them joined so on each side; see `network.wiring`.

    name: for people
    torch, runtime, export: "module:Name", or the thing itself; None where there is none
    identified: the inputs read, beside a step's values, the number of the series that it belongs to
    """

    name: str
    torch: Any
    runtime: Any
    export: Any = None
    identified: bool = False

    def side(self, side: Side) -> Any:
        """The class or function of a side; ConfigError, by name, if there is none."""
        return _side(self, f"the wiring {self.name!r}", side)


POOLED = Wiring(
    name="pooled", torch="penstock.nn.network:NetworkModule", runtime="penstock.runtime.scorer:PooledScorer"
)
"""Outputs over time become one row of scores for each sequence."""
STEPWISE = Wiring(
    name="stepwise", torch="penstock.nn.network:NetworkModule", runtime="penstock.runtime.scorer:StepScorer"
)
"""Each output becomes a row of scores, for each step of each sequence; a decoder says what they mean together."""
CARRIED = Wiring(
    name="carried",
    torch="penstock.forecast.module:CarriedModule",
    runtime="penstock.forecast.scorer:CarriedScorer",
    identified=True,
)
"""A forecast after each step, from a state that has seen all steps before it."""
WINDOWED = Wiring(
    name="windowed",
    torch="penstock.forecast.module:WindowModule",
    runtime="penstock.forecast.scorer:WindowScorer",
    identified=True,
)
"""A forecast from a look-back that is read anew each time."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of the table.

    part: what it is a kind of
    name: the `kind` in `config.json`, and in the class of its description
    spec: the description, a frozen dataclass with `kind` and `parameter_shapes`; for a head, of the encoder's output
        size
    torch, runtime, export: the sides; each "module:Name", or the thing itself; None where there is none
    wiring: of a head: how the parts are joined
    identified: of inputs: see `Wiring`
    """

    part: Part
    name: str
    spec: Any
    torch: Any
    runtime: Any
    export: Any = None
    wiring: Wiring | None = None
    identified: bool = False

    def side(self, side: Side) -> Any:
        """The class or function of a side; ConfigError, by name, if there is none."""
        return _side(self, f"{self.part} of kind {self.name!r}", side)

    def check(self) -> None:
        """Whether the kind can be trained and used; ConfigError names the side that it lacks."""
        for side in _NEEDED:
            _declared(self, f"{self.part} of kind {self.name!r}", side)
        if self.part != "head":
            return
        if self.wiring is None:
            raise ConfigError(f"head of kind {self.name!r} must say its wiring, such as network.POOLED")
        for side in _NEEDED[1:]:  # a wiring needs no description
            _declared(self.wiring, f"the wiring {self.wiring.name!r}", side)


KINDS: dict[str, dict[str, Kind]] = {"inputs": {}, "encoder": {}, "head": {}}
"""Every kind, by its part and its name."""


def register(kind: Kind) -> None:
    """Add a kind to the table; its sides may live in any package.

    Raises:
        ConfigError: there is another kind of that part and name.
    """
    kinds = KINDS[kind.part]
    if kinds.get(kind.name, kind) != kind:
        raise ConfigError(f"{kind.part} of kind {kind.name!r} is registered already. Choose another name.")
    kinds[kind.name] = kind


def kind_of(part: str, description: Any) -> Kind:
    """The row of a part's description, such as `ClassHead(classes=2)`.

    Raises:
        ConfigError: it is none that the table knows.
    """
    kind = KINDS[part].get(getattr(description, "kind", ""))
    if kind is None or type(description) is not kind.side("spec"):
        raise ConfigError(f"Network: {part} must be described by one of {_listed(part)}; got {description!r:.200}")
    return kind


def _listed(part: str) -> str:
    return ", ".join(getattr(kind.side("spec"), "__name__", kind.name) for kind in KINDS[part].values())


def _side(row: Kind | Wiring, what: str, side: Side) -> Any:
    return resolve(_declared(row, what, side))


def _declared(row: Kind | Wiring, what: str, side: Side) -> Any:
    reference = getattr(row, side)
    if reference is None:
        raise ConfigError(
            f"{what} has no {side} side, so nothing can {_USES[side]}. "
            f"Give it one where it is registered: {side}='module:Name'."
        )
    return reference


for _kind in (
    Kind(
        part="inputs",
        name="embedding",
        spec="penstock.network.inputs:Embedding",
        torch="penstock.nn.inputs:EmbeddingModule",
        runtime="penstock.runtime.inputs:EmbeddingInputs",
    ),
    Kind(
        part="inputs",
        name="numbers",
        spec="penstock.network.inputs:Numbers",
        torch="torch.nn:Identity",
        runtime="penstock.runtime.inputs:NumberInputs",
    ),
    Kind(
        part="inputs",
        name="segments",
        spec="penstock.forecast.spec:Segments",
        torch="penstock.forecast.layers:SegmentsModule",
        runtime="penstock.forecast.head:SegmentInputs",
        identified=True,
    ),
    Kind(
        part="encoder",
        name="recurrent",
        spec="penstock.network.encoder:Recurrent",
        torch="penstock.nn.network:recurrent_layers",
        runtime="penstock.runtime.stack:Stack",
    ),
    Kind(
        part="head",
        name="class",
        spec="penstock.network.heads:ClassHead",
        torch="penstock.nn.heads:ClassHeadModule",
        runtime="penstock.heads:ClassReadout",
        wiring=POOLED,
    ),
    Kind(
        part="head",
        name="regression",
        spec="penstock.network.heads:RegressionHead",
        torch="penstock.nn.heads:RegressionHeadModule",
        runtime="penstock.heads:RegressionReadout",
        wiring=POOLED,
    ),
    Kind(
        part="head",
        name="step_class",
        spec="penstock.network.heads:StepClassHead",
        torch="penstock.nn.heads:StepClassHeadModule",
        runtime="penstock.heads:StepClassReadout",
        wiring=STEPWISE,
    ),
    Kind(
        part="head",
        name="forecast",
        spec="penstock.forecast.spec:ForecastHead",
        torch="penstock.forecast.layers:ForecastHeadModule",
        runtime="penstock.forecast.head:ForecastReadout",
        wiring=CARRIED,
    ),
    Kind(
        part="head",
        name="segment_forecast",
        spec="penstock.forecast.spec:SegmentForecastHead",
        torch="penstock.forecast.layers:SegmentForecastHeadModule",
        runtime="penstock.forecast.head:SegmentForecastReadout",
        wiring=WINDOWED,
    ),
):
    register(_kind)
