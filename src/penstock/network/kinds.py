"""The table of kinds: the inputs, encoders and heads that a network can have, and where each is implemented.

A kind has a description (`spec`), a PyTorch module that trains (`torch`), an implementation that predicts on the engine
(`runtime`) and, for some kinds, an export. Each is named as "module:Name" and imported on first use, so that the table
needs neither PyTorch nor the engine. Their constructors take:

    inputs    torch(spec)                                     runtime(spec, tensors)
    encoder   torch(spec, init=, max_time=)                   runtime(spec, tensors)
    head      torch(spec, features=, bidirectional=)          runtime(spec, tensors, features=, bidirectional=)
    wiring    torch(network, **options)                       runtime(network, tensors)

`tensors` are float32 arrays by the names in `parameter_shapes` of the description, for a wiring of the whole network;
`features` is the size of the encoder's output, including both directions.

The export of a part is a function that adds its operations to a `GraphBuilder` and returns the name of the result; see
`network.lowering`. A wiring has an export of its own only if no graph can describe it.

    inputs    export(builder, spec, tensors)
    encoder   export(builder, spec, tensors, x)
    head      export(builder, spec, tensors, y, bidirectional=)
    wiring    export(network, tensors)
"""

from dataclasses import dataclass
from typing import Any, Literal

from penstock.errors import ConfigError
from penstock.registry import resolve

__all__ = [
    "ATTENDING",
    "CARRIED",
    "KINDS",
    "LANGUAGE",
    "LISTENING",
    "POOLED",
    "REPRODUCING",
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
    """How inputs, encoder and head are joined, and which classes run the joined network; see `network.wiring`.

    Attributes:
        name: the name in error messages.
        torch, runtime, export: "module:Name", or the object itself; None if there is none.
        identified: whether inputs read the number of the series in addition to a step's values.
    """

    name: str
    torch: Any
    runtime: Any
    export: Any = None
    identified: bool = False

    def side(self, side: Side) -> Any:
        """Return the class or function for `side`; ConfigError if there is none."""
        return _side(self, f"the wiring {self.name!r}", side)


POOLED = Wiring(
    name="pooled", torch="penstock.nn.network:NetworkModule", runtime="penstock.runtime.scorer:PooledScorer"
)
"""Outputs are pooled over time to one row of scores per sequence."""
STEPWISE = Wiring(
    name="stepwise", torch="penstock.nn.network:NetworkModule", runtime="penstock.runtime.scorer:StepScorer"
)
"""Each step's output gives a row of scores; a decoder turns a sequence's scores into labels."""
CARRIED = Wiring(
    name="carried",
    torch="penstock.forecast.module:CarriedModule",
    runtime="penstock.forecast.scorer:CarriedScorer",
    identified=True,
)
"""A forecast after each step, from a state carried over all earlier steps."""
WINDOWED = Wiring(
    name="windowed",
    torch="penstock.forecast.module:WindowModule",
    runtime="penstock.forecast.scorer:WindowScorer",
    export="penstock.forecast.window_export:WindowFunction",
    identified=True,
)
"""A forecast from a look-back window, which is read again for each forecast."""
ATTENDING = Wiring(
    name="attending",
    torch="penstock.translate.module:AttendingModule",
    runtime="penstock.translate.scorer:AttendingScorer",
)
"""A target sequence, each of whose tokens is scored from the tokens before it and from the whole source."""
LANGUAGE = Wiring(
    name="language",
    torch="penstock.language.module:LanguageModule",
    runtime="penstock.language.scorer:LanguageScorer",
)
"""After each step, the probability of what comes next; targets are scored one by one."""
LISTENING = Wiring(
    name="listening", torch="penstock.nn.network:NetworkModule", runtime="penstock.speech.scorer:SpeechScorer"
)
"""Each step's output, and those of a few steps after it, give a row of scores; a decoder turns these into a text."""

REPRODUCING = Wiring(
    name="reproducing",
    torch="penstock.nn.network:NetworkModule",
    runtime="penstock.detect.reconstruct.scorer:ReconstructionScorer",
)
"""The output at a sequence's end gives a row of scores for each of its steps."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of the table.

    Attributes:
        part: "inputs", "encoder" or "head".
        name: the `kind` in `config.json`, also a class attribute of its description.
        spec: the description, a frozen dataclass with `kind` and `parameter_shapes`; a head's `parameter_shapes` takes
            the encoder's output size.
        torch, runtime, export: the implementations, each "module:Name" or the object itself; None if there is none.
        wiring: for a head, how the parts are joined.
        identified: for inputs, see `Wiring`.
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
        """Return the class or function for `side`; ConfigError if there is none."""
        return _side(self, f"{self.part} of kind {self.name!r}", side)

    def check(self) -> None:
        """Check that the kind can be trained and used; ConfigError names what it lacks."""
        for side in _NEEDED:
            _declared(self, f"{self.part} of kind {self.name!r}", side)
        if self.part != "head":
            return
        if self.wiring is None:
            raise ConfigError(f"head of kind {self.name!r} must have a wiring, such as network.POOLED")
        for side in _NEEDED[1:]:  # a wiring needs no description
            _declared(self.wiring, f"the wiring {self.wiring.name!r}", side)


KINDS: dict[str, dict[str, Kind]] = {"inputs": {}, "encoder": {}, "head": {}}
"""All kinds, by part and name."""


def register(kind: Kind) -> None:
    """Add a kind to the table; its implementations may be in any package.

    Raises:
        ConfigError: a different kind of that part and name is already registered.
    """
    kinds = KINDS[kind.part]
    if kinds.get(kind.name, kind) != kind:
        raise ConfigError(f"{kind.part} of kind {kind.name!r} is registered already. Choose another name.")
    kinds[kind.name] = kind


def kind_of(part: str, description: Any) -> Kind:
    """Return the row for a description, such as `ClassHead(classes=2)`.

    Raises:
        ConfigError: the description's class is not in the table.
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
            f"{what} has no {side} side, so nothing can {_USES[side]}. Add it at registration: {side}='module:Name'."
        )
    return reference


for _kind in (
    Kind(
        part="inputs",
        name="embedding",
        spec="penstock.network.inputs:Embedding",
        torch="penstock.nn.inputs:EmbeddingModule",
        runtime="penstock.runtime.inputs:EmbeddingInputs",
        export="penstock.network.lowering:add_embedding",
    ),
    Kind(
        part="inputs",
        name="numbers",
        spec="penstock.network.inputs:Numbers",
        torch="torch.nn:Identity",
        runtime="penstock.runtime.inputs:NumberInputs",
        export="penstock.network.lowering:add_numbers",
    ),
    Kind(
        part="inputs",
        name="segments",
        spec="penstock.forecast.spec:Segments",
        torch="penstock.forecast.layers:SegmentsModule",
        runtime="penstock.forecast.head:SegmentInputs",
        export="penstock.forecast.lowering:add_segments",
        identified=True,
    ),
    Kind(
        part="inputs",
        name="spelled_words",
        spec="penstock.tagging.spec:SpelledWords",
        torch="penstock.tagging.layers:SpelledWordsModule",
        runtime="penstock.tagging.head:SpelledWordInputs",
        export="penstock.tagging.lowering:add_spelled_words",
    ),
    Kind(
        part="encoder",
        name="recurrent",
        spec="penstock.network.encoder:Recurrent",
        torch="penstock.nn.network:recurrent_layers",
        runtime="penstock.runtime.stack:Stack",
        export="penstock.network.lowering:add_layers",
    ),
    Kind(
        part="head",
        name="class",
        spec="penstock.network.heads:ClassHead",
        torch="penstock.nn.heads:ClassHeadModule",
        runtime="penstock.heads:ClassReadout",
        export="penstock.network.lowering:add_class_head",
        wiring=POOLED,
    ),
    Kind(
        part="head",
        name="regression",
        spec="penstock.network.heads:RegressionHead",
        torch="penstock.nn.heads:RegressionHeadModule",
        runtime="penstock.heads:RegressionReadout",
        export="penstock.network.lowering:add_regression_head",
        wiring=POOLED,
    ),
    Kind(
        part="head",
        name="step_class",
        spec="penstock.network.heads:StepClassHead",
        torch="penstock.nn.heads:StepClassHeadModule",
        runtime="penstock.heads:StepClassReadout",
        export="penstock.network.lowering:add_step_class_head",
        wiring=STEPWISE,
    ),
    Kind(
        part="head",
        name="tags",
        spec="penstock.tagging.spec:TagHead",
        torch="penstock.tagging.layers:TagHeadModule",
        runtime="penstock.tagging.head:TagReadout",
        export="penstock.tagging.lowering:add_tag_head",
        wiring=STEPWISE,
    ),
    Kind(
        part="head",
        name="distribution",
        spec="penstock.detect.spec:DistributionHead",
        torch="penstock.detect.layers:DistributionHeadModule",
        runtime="penstock.detect.head:DistributionReadout",
        export="penstock.detect.lowering:add_distribution_head",
        wiring=STEPWISE,
    ),
    Kind(
        part="head",
        name="reconstruction",
        spec="penstock.detect.reconstruct.spec:ReconstructionHead",
        torch="penstock.detect.reconstruct.layers:ReconstructionHeadModule",
        runtime="penstock.detect.reconstruct.head:ReconstructionReadout",
        export="penstock.detect.reconstruct.lowering:refuse_export",
        wiring=REPRODUCING,
    ),
    Kind(
        part="head",
        name="forecast",
        spec="penstock.forecast.spec:ForecastHead",
        torch="penstock.forecast.layers:ForecastHeadModule",
        runtime="penstock.forecast.head:ForecastReadout",
        export="penstock.forecast.lowering:add_forecast_head",
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
    Kind(
        part="head",
        name="attention_decoder",
        spec="penstock.translate.spec:AttentionDecoder",
        torch="penstock.translate.layers:AttentionDecoderModule",
        runtime="penstock.translate.head:AttentionReadout",
        export="penstock.translate.lowering:refuse_export",
        wiring=ATTENDING,
    ),
    Kind(
        part="head",
        name="next_token",
        spec="penstock.language.spec:NextTokenHead",
        torch="penstock.language.layers:NextTokenHeadModule",
        runtime="penstock.language.head:NextTokenReadout",
        export="penstock.language.lowering:add_next_token_head",
        wiring=LANGUAGE,
    ),
    Kind(
        part="head",
        name="bernoulli",
        spec="penstock.language.spec:BernoulliHead",
        torch="penstock.language.layers:BernoulliHeadModule",
        runtime="penstock.language.head:BernoulliReadout",
        export="penstock.language.lowering:add_bernoulli_head",
        wiring=LANGUAGE,
    ),
    Kind(
        part="head",
        name="ctc",
        spec="penstock.speech.spec:CtcHead",
        torch="penstock.speech.layers:CtcHeadModule",
        runtime="penstock.speech.head:CtcReadout",
        export="penstock.speech.lowering:add_ctc_head",
        wiring=LISTENING,
    ),
):
    register(_kind)
