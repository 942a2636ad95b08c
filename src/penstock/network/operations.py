"""Operations of a `Graph`: what each computes, its parameters, and the sizes of its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from penstock.checks import check_number
from penstock.errors import ConfigError
from penstock.network.checks import check_choice, check_flag, check_integer
from penstock.network.encoder import Recurrent
from penstock.network.operation import Operation, Shapes, Value
from penstock.network.pointwise import FUNCTIONS, Pointwise
from penstock.network.spelling import Spelled, check_names, identity, read, spell

__all__ = [
    "FUNCTIONS",
    "OPERATIONS",
    "Add",
    "Concatenate",
    "Dense",
    "Differs",
    "Lookup",
    "Multiply",
    "Operation",
    "Pointwise",
    "Pool",
    "RecurrentLayers",
    "Reverse",
    "Scale",
    "Slice",
    "Standardize",
    "Value",
]


@dataclass(frozen=True)
class Lookup(Operation):
    """Row `id` of a table (vocabulary_size, size): an embedding. Tensor: `weight`."""

    kind: ClassVar[str] = "lookup"
    vocabulary_size: int
    size: int

    def __post_init__(self) -> None:
        check_integer(self, "vocabulary_size", at_least=1)
        check_integer(self, "size", at_least=1)

    def result(self, *inputs: Value) -> Value:
        if len(inputs) != 1 or not inputs[0].ids or inputs[0].size != self.vocabulary_size:
            raise ConfigError(f"lookup takes ids below {self.vocabulary_size}; got {inputs!r}")
        return Value(self.size, inputs[0].steps)

    def parameter_shapes(self) -> Shapes:
        return {"weight": (self.vocabulary_size, self.size)}


@dataclass(frozen=True)
class Dense(Operation):
    """x W^T + b, with W (outputs, inputs). Tensors: `weight` and, with `bias`, `bias` (outputs,).

    With `blocks` above 1, the features are that many blocks of `inputs`, which all pass through the same layer.
    """

    kind: ClassVar[str] = "dense"
    inputs: int
    outputs: int
    bias: bool = True
    blocks: int = 1

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "blocks"):
            check_integer(self, name, at_least=1)
        check_flag(self, "bias")

    def result(self, *inputs: Value) -> Value:
        return Value(self.outputs * self.blocks, self._one(inputs, size=self.inputs * self.blocks).steps)

    def parameter_shapes(self) -> Shapes:
        return {"weight": (self.outputs, self.inputs)} | ({"bias": (self.outputs,)} if self.bias else {})


@dataclass(frozen=True)
class Scale(Operation):
    """x * scale + offset for each feature: normalization, or constants. Tensors: `scale`, `offset`, (size,)."""

    kind: ClassVar[str] = "scale"
    size: int

    def __post_init__(self) -> None:
        check_integer(self, "size", at_least=1)

    def result(self, *inputs: Value) -> Value:
        return self._one(inputs, size=self.size)

    def parameter_shapes(self) -> Shapes:
        return {"scale": (self.size,), "offset": (self.size,)}


@dataclass(frozen=True)
class Standardize(Operation):
    """(x - mean) / sqrt(variance + epsilon) over the features: layer normalization before its scale and offset."""

    kind: ClassVar[str] = "standardize"
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_number("epsilon", self.epsilon, at_least=0)

    def result(self, *inputs: Value) -> Value:
        return self._one(inputs)


@dataclass(frozen=True)
class Differs(Operation):
    """1 where an id, or any feature, differs from `value`, else 0: the mask of steps that count."""

    kind: ClassVar[str] = "differs"
    value: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise ConfigError(f"value must be a number; got {self.value!r:.80}")

    def result(self, *inputs: Value) -> Value:
        if len(inputs) != 1:
            raise ConfigError(f"differs takes one input; got {len(inputs)}")
        return Value(1, inputs[0].steps)


@dataclass(frozen=True)
class RecurrentLayers(Spelled, Operation):
    """Recurrent layers over the steps of each sequence.

    Tensors: those of `layers`, and with `initial` the initial states `initial_<state>` (layers * directions, size).

    Args:
        layers: the layers' description.
        reverse: whether each sequence is read from its end; the outputs stay at their own steps.
        initial: whether the initial states are tensors; if not, they are 0.
        masked: whether a second input is a mask; steps where it is 0 are not read. Not with `initial`.
        at_masked: the output at a step that is not read: "repeat" for that of the last step read, 0 before it, or
            "zero".
    """

    kind: ClassVar[str] = "recurrence"
    layers: Recurrent
    reverse: bool = False
    initial: bool = False
    masked: bool = False
    at_masked: Literal["repeat", "zero"] = "repeat"

    def __post_init__(self) -> None:
        for name in ("reverse", "initial", "masked"):
            check_flag(self, name)
        check_choice(self, "at_masked", ("repeat", "zero"))
        if self.masked and self.initial:
            raise ConfigError("a recurrence with a mask starts from zero states")

    @property
    def forward(self) -> bool:
        """Whether steps are read in their order alone, so that the operation can be streamed."""
        return not (self.reverse or self.layers.bidirectional)

    def result(self, *inputs: Value) -> Value:
        self._one(self._masked(inputs, self.masked), size=self.layers.input_size, steps=True)
        return Value(self.layers.output_size)

    def parameter_shapes(self) -> Shapes:
        shapes = self.layers.parameter_shapes()
        if self.initial:
            cell, rows = self.layers.declaration, self.layers.num_layers * (2 if self.layers.bidirectional else 1)
            sizes = cell.state_sizes(self.layers.hidden_size, **self.layers.options)
            shapes |= {f"initial_{name}": (rows, size) for name, size in zip(cell.states, sizes, strict=True)}
        return shapes

    def arguments(self) -> dict[str, Any]:
        own = {"reverse": self.reverse, "initial": self.initial}
        masked = {"masked": True, "at_masked": self.at_masked} if self.masked else {}
        return {"layers": spell(self.layers)} | own | masked

    @classmethod
    def from_arguments(cls, arguments: Any) -> "RecurrentLayers":
        known = {"layers", "reverse", "initial", "masked", "at_masked"}
        check_names("recurrence", arguments, required={"layers"}, known=known)
        return cls(**{**arguments, "layers": read(Recurrent, arguments["layers"], "layers")})

    def identity(self) -> dict[str, Any]:
        return self.arguments() | {"layers": identity(self.layers)}


@dataclass(frozen=True)
class Pool(Operation):
    """One row for each sequence: its first or last step, or the sum, mean or maximum; zeros if it has no step.

    With `masked`, a second input is a mask, and steps where it is 0 do not count.
    """

    kind: ClassVar[str] = "pool"
    over: Literal["first", "last", "sum", "mean", "max"] = "last"
    masked: bool = False

    def __post_init__(self) -> None:
        check_choice(self, "over", get_args(type(self).__annotations__["over"]))
        check_flag(self, "masked")

    def result(self, *inputs: Value) -> Value:
        return Value(self._one(self._masked(inputs, self.masked), steps=True).size, steps=False)


@dataclass(frozen=True)
class Reverse(Operation):
    """The steps of each sequence in the opposite order."""

    kind: ClassVar[str] = "reverse"

    def result(self, *inputs: Value) -> Value:
        return self._one(inputs, steps=True)


@dataclass(frozen=True)
class Slice(Operation):
    """Features `start` to `stop` - 1."""

    kind: ClassVar[str] = "slice"
    start: int
    stop: int

    def __post_init__(self) -> None:
        check_integer(self, "start", at_least=0)
        check_integer(self, "stop", at_least=self.start + 1)

    def result(self, *inputs: Value) -> Value:
        value = self._one(inputs)
        if self.stop > value.size:
            raise ConfigError(f"slice: stop is {self.stop}, but there are {value.size} features")
        return Value(self.stop - self.start, value.steps)


class _Joining(Operation):
    """Base class of operations of several inputs, which all have steps or all have none."""

    def _several(self, inputs: Sequence[Value], *, equal: bool) -> tuple[Value, ...]:
        values = tuple(self._one([each]) for each in inputs)
        if len(values) < 2 or len({value.steps for value in values}) > 1:
            raise ConfigError(f"{self.kind} takes two or more inputs, all with steps or all without; got {inputs!r}")
        if equal and len({value.size for value in values}) > 1:
            raise ConfigError(f"{self.kind} takes inputs of one size; got {', '.join(str(v.size) for v in values)}")
        return values


@dataclass(frozen=True)
class Concatenate(_Joining):
    """The features of all inputs, one after the other."""

    kind: ClassVar[str] = "concatenate"

    def result(self, *inputs: Value) -> Value:
        values = self._several(inputs, equal=False)
        return Value(sum(value.size for value in values), values[0].steps)


@dataclass(frozen=True)
class Add(_Joining):
    """The sum of the inputs."""

    kind: ClassVar[str] = "add"

    def result(self, *inputs: Value) -> Value:
        return self._several(inputs, equal=True)[0]


@dataclass(frozen=True)
class Multiply(_Joining):
    """The product of the inputs, number by number."""

    kind: ClassVar[str] = "multiply"

    def result(self, *inputs: Value) -> Value:
        return self._several(inputs, equal=True)[0]


OPERATIONS: dict[str, type[Operation]] = {
    each.kind: each
    for each in (
        *(Add, Concatenate, Dense, Differs, Lookup, Multiply, Pointwise, Pool, RecurrentLayers, Reverse, Scale, Slice),
        Standardize,
    )
}
"""All operations by kind."""
