"""The description of a network, from which every part builds its own side: Network(inputs, encoder, head).

Plain frozen dataclasses that go to JSON and back. What makes no sense is refused when it is made.
Inputs and heads are unions told apart by `kind`; `KINDS` is the table of all of them.
"""

import operator
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from penstock.cells import find
from penstock.errors import ConfigError

__all__ = ["KINDS", "ClassHead", "Embedding", "Network", "Numbers", "Pooling", "Recurrent"]

Pooling = Literal["last", "mean", "max", "mean_max"]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Embedding:
    """Inputs that are ids: row `id` of a table (vocabulary_size, size) is the vector of a step."""

    kind: ClassVar[str] = "embedding"
    vocabulary_size: int
    size: int

    def __post_init__(self) -> None:
        _whole(self, "vocabulary_size", at_least=1)
        _whole(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors."""
        return {"weight": (self.vocabulary_size, self.size)}


@dataclass(frozen=True)
class Numbers:
    """Inputs that are vectors of `size` numbers, passed on as they are."""

    kind: ClassVar[str] = "numbers"
    size: int

    def __post_init__(self) -> None:
        _whole(self, "size", at_least=1)

    def parameter_shapes(self) -> Shapes:
        """Nothing here is trained."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """A stack of recurrent layers of one cell. The options of other cells must keep their defaults."""

    kind: ClassVar[str] = "recurrent"
    cell: str = "lstm"
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    nonlinearity: str = "tanh"
    peephole: bool = False
    proj_size: int = 0
    reset_after: bool = True

    def __post_init__(self) -> None:
        find(self.cell)
        for name in ("input_size", "hidden_size", "num_layers"):
            _whole(self, name, at_least=1)
        _whole(self, "proj_size", at_least=0)
        for name in ("bidirectional", "bias", "peephole", "reset_after"):
            _flag(self, name)
        if self.proj_size >= self.hidden_size:
            raise ConfigError(
                f"Recurrent: proj_size must be smaller than hidden_size={self.hidden_size}; "
                f"got {self.proj_size}. Take 0 for no projection."
            )
        self._refuse_options_of_other_cells()
        find(self.cell).complete(self.options())

    def _refuse_options_of_other_cells(self) -> None:
        own = find(self.cell).options
        for field in fields(self):
            is_option = field.name in ("nonlinearity", "peephole", "proj_size", "reset_after")
            value = getattr(self, field.name)
            if is_option and field.name not in own and value != field.default:
                raise ConfigError(
                    f"Recurrent: {field.name}={value!r} is no option of the cell {self.cell!r}, which has "
                    f"{', '.join(sorted(own)) or 'none'}. Leave it out, or choose another cell."
                )

    def options(self) -> dict[str, Any]:
        """The options that this cell has, and their values here."""
        return {name: getattr(self, name) for name in find(self.cell).options}

    @property
    def output_size(self) -> int:
        """Features of a step's output: hidden_size, or proj_size if not 0; twice that in two directions."""
        return (self.proj_size or self.hidden_size) * (2 if self.bidirectional else 1)

    def layer_input_size(self, layer: int) -> int:
        """Features that layer number `layer`, from 0, reads."""
        return self.input_size if layer == 0 else self.output_size

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors, by PyTorch's names: weight_ih_l0, ..., bias_hh_l1_reverse."""
        shapes = {}
        for layer in range(self.num_layers):
            one = find(self.cell).parameter_shapes(
                self.layer_input_size(layer), self.hidden_size, bias=self.bias, **self.options()
            )
            for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]:
                shapes.update({f"{name}_l{layer}{suffix}": tuple(shape) for name, shape in one.items()})
        return shapes


@dataclass(frozen=True)
class ClassHead:
    """One of `classes` classes for a sequence: outputs pooled over time, a linear layer, a softmax."""

    kind: ClassVar[str] = "class"
    classes: int
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        _whole(self, "classes", at_least=2)
        _choice(self, "pooling", get_args(Pooling))

    def pooled_size(self, output_size: int) -> int:
        """Features after pooling `output_size` features; mean_max puts both side by side."""
        return output_size * (2 if self.pooling == "mean_max" else 1)

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Name to shape of the trained tensors, behind an encoder of `output_size` features."""
        return {"weight": (self.classes, self.pooled_size(output_size)), "bias": (self.classes,)}


KINDS: dict[str, dict[str, Any]] = {
    "inputs": {kind.kind: kind for kind in (Embedding, Numbers)},
    "encoder": {kind.kind: kind for kind in (Recurrent,)},
    "head": {kind.kind: kind for kind in (ClassHead,)},
}


@dataclass(frozen=True)
class Network:
    """What a network is: how a step comes in, what remembers, and what is answered."""

    inputs: Embedding | Numbers
    encoder: Recurrent
    head: ClassHead

    def __post_init__(self) -> None:
        for part, kinds in KINDS.items():
            if type(getattr(self, part)) not in kinds.values():
                expected = " or ".join(kind.__name__ for kind in kinds.values())
                raise ConfigError(f"Network: {part} must be {expected}; got {getattr(self, part)!r}")
        if self.inputs.size != self.encoder.input_size:
            raise ConfigError(
                f"Network: the encoder must read what the inputs give: inputs have size {self.inputs.size}, "
                f"the encoder input_size {self.encoder.input_size}. Make them equal."
            )

    def parameter_shapes(self) -> Shapes:
        """Name to shape of every trained tensor: the keys of `model.safetensors` and of the state_dict."""
        parts = {
            "inputs": self.inputs.parameter_shapes(),
            "encoder": self.encoder.parameter_shapes(),
            "head": self.head.parameter_shapes(self.encoder.output_size),
        }
        return {f"{part}.{name}": shape for part, shapes in parts.items() for name, shape in shapes.items()}

    def to_json(self) -> dict[str, dict[str, Any]]:
        """The description as plain dicts, each part with its `kind`."""
        parts = {part: getattr(self, part) for part in KINDS}
        return {
            part: {"kind": value.kind} | {field.name: getattr(value, field.name) for field in fields(value)}
            for part, value in parts.items()
        }

    @classmethod
    def from_json(cls, data: object) -> "Network":
        """The network that `to_json` described; ConfigError says which part, kind or field is wrong."""
        described = _mapping(data, "a network")
        _names("a network", described, required=set(KINDS), known=set(KINDS))
        return cls(**{part: _part(part, described[part]) for part in KINDS})


def _part(part: str, data: object) -> Any:
    values = dict(_mapping(data, part))
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS[part]:
        raise ConfigError(
            f"{part}: kind must be one of {', '.join(KINDS[part])}; got {kind!r}. "
            "A kind that a newer Penstock knows needs that version: pip install --upgrade penstock"
        )
    declared = fields(KINDS[part][kind])
    required = {field.name for field in declared if field.default is MISSING}
    _names(f"{part} of kind {kind!r}", values, required=required, known={field.name for field in declared})
    return KINDS[part][kind](**values)


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{what} must be described by names and values (a JSON object); got {data!r:.80}")
    return data


def _names(what: str, values: Mapping[str, Any], *, required: set[str], known: set[str]) -> None:
    if missing := required - set(values):
        raise ConfigError(f"{what} lacks {', '.join(sorted(missing))}")
    if unknown := set(values) - known:
        raise ConfigError(f"{what} has no {', '.join(sorted(map(str, unknown)))}; it has {', '.join(sorted(known))}")


def _whole(part: object, name: str, *, at_least: int) -> None:
    value = getattr(part, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise ConfigError(f"{type(part).__name__}: {name} must be a whole number, at least {at_least}; got {value!r}")
    # NumPy's integers, from a search over a grid, become Python's, so that JSON can hold them.
    object.__setattr__(part, name, number)


def _flag(part: object, name: str) -> None:
    value = getattr(part, name)
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{type(part).__name__}: {name} must be True or False; got {value!r}")
    object.__setattr__(part, name, bool(value))


def _choice(part: object, name: str, choices: tuple[str, ...]) -> None:
    value = getattr(part, name)
    if value not in choices:
        raise ConfigError(f"{type(part).__name__}: {name} must be one of {', '.join(choices)}; got {value!r}")
