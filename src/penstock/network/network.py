"""Description of a network: inputs, encoder and head, with conversion to and from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import ConfigError
from penstock.network.graph import Graph
from penstock.network.kinds import KINDS, Side, Wiring, kind_of
from penstock.network.spelling import check_names, identity, read, spell

__all__ = ["Network", "from_json"]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Network:
    """Description of a network.

    Attributes:
        inputs, encoder, head: descriptions, each of a kind in `KINDS`.

    Raises:
        ConfigError: a part is of an unknown kind, or the parts do not match each other.
    """

    inputs: Any
    encoder: Any
    head: Any

    def __post_init__(self) -> None:
        for part in KINDS:
            kind_of(part, getattr(self, part)).check()
        inputs = kind_of("inputs", self.inputs)
        if inputs.identified != self.wiring.identified:
            raise ConfigError(
                f"Network: a head of kind {self.head.kind!r} has the wiring {self.wiring.name!r}, which "
                f"{'needs' if self.wiring.identified else 'cannot have'} inputs that read the number of their series; "
                f"got inputs of kind {inputs.name!r}"
            )
        if self.inputs.size != self.encoder.input_size:
            raise ConfigError(
                f"Network: the encoder's input_size must equal the size of the inputs; got {self.encoder.input_size} "
                f"and {self.inputs.size}."
            )

    @property
    def wiring(self) -> Wiring:
        """How the parts are joined."""
        wiring = kind_of("head", self.head).wiring
        assert wiring is not None, "checked when the network was made"
        return wiring

    def sides(self, side: Side) -> tuple[Any, Any, Any]:
        """Return the classes of inputs, encoder and head for `side`; ConfigError names a part that has none."""
        inputs, encoder, head = (kind_of(part, getattr(self, part)).side(side) for part in KINDS)
        return inputs, encoder, head

    def parameter_shapes(self) -> Shapes:
        """Shapes of all trained tensors by name: the keys of `model.safetensors` and of the state_dict."""
        parts = {
            "inputs": self.inputs.parameter_shapes(),
            "encoder": self.encoder.parameter_shapes(),
            "head": self.head.parameter_shapes(self.encoder.output_size),
        }
        return {f"{part}.{name}": shape for part, shapes in parts.items() for name, shape in shapes.items()}

    def to_json(self) -> dict[str, dict[str, Any]]:
        """The description as plain dicts, each part with its `kind`."""
        parts = {part: getattr(self, part) for part in KINDS}
        return {part: {"kind": value.kind} | spell(value) for part, value in parts.items()}

    def identity(self) -> dict[str, dict[str, Any]]:
        """Values that identify this network in fingerprints."""
        parts = {part: getattr(self, part) for part in KINDS}
        return {part: {"kind": value.kind} | identity(value) for part, value in parts.items()}

    @classmethod
    def from_json(cls, data: object) -> "Network":
        """Read a network from the result of `to_json`; ConfigError says which part, kind or field is wrong."""
        described = _mapping(data, "a network")
        check_names("a network", described, required=set(KINDS), known=set(KINDS))
        return cls(**{part: _part(part, described[part]) for part in KINDS})


def from_json(data: object) -> Network | Graph:
    """Read a network, or a graph, from the result of its `to_json`; ConfigError says what is wrong."""
    described = _mapping(data, "a network")
    return Graph.from_json(described) if "nodes" in described else Network.from_json(described)


def _part(part: str, data: object) -> Any:
    values = dict(_mapping(data, part))
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS[part]:
        raise ConfigError(
            f"{part}: kind must be one of {', '.join(KINDS[part])}; got {kind!r}. "
            "If a newer Penstock wrote it, upgrade: pip install --upgrade penstock"
        )
    return read(KINDS[part][kind].side("spec"), values, f"{part} of kind {kind!r}")


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{what} must be a JSON object; got {data!r:.80}")
    return data
