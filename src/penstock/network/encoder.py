"""What remembers: a stack of recurrent layers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from penstock.cells import Cell, all_options, find, own_options
from penstock.network.checks import flag, whole
from penstock.network.spelling import Spelled, check_names

__all__ = ["Recurrent"]

Shapes = dict[str, tuple[int, ...]]

_LAYERS = ("cell", "input_size", "hidden_size", "num_layers", "bidirectional", "bias")
# The options that every description named when all cells shared them. Fingerprints are still taken over these, so that
# the states of streams that were saved then fit their models.
_ALWAYS_NAMED = {"nonlinearity": "tanh", "peephole": False, "proj_size": 0, "reset_after": True}


@dataclass(frozen=True, init=False, repr=False)
class Recurrent(Spelled):
    """A stack of recurrent layers of one cell.

    Args:
        cell: a name in `penstock.cells.CELLS`.
        input_size, hidden_size, num_layers, bidirectional, bias: as in `torch.nn.LSTM`.
        options: the cell's, completed with its defaults. The options of other cells may be given with their defaults.

    Raises:
        ConfigError: no such cell, a size that is no whole number of 1 or more, an option that is not the cell's.
    """

    kind: ClassVar[str] = "recurrent"
    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    bias: bool
    options: Mapping[str, Any] = field(hash=False)

    def __init__(
        self,
        /,
        *,
        cell: str = "lstm",
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        bias: bool = True,
        **options: Any,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        flags = {"bidirectional": bidirectional, "bias": bias}
        for name, value in {"cell": cell, **sizes, **flags}.items():
            object.__setattr__(self, name, value)
        declaration = find(cell)
        for name in sizes:
            whole(self, name, at_least=1)
        for name in flags:
            flag(self, name)
        own = declaration.complete(own_options(declaration, options), self.hidden_size)
        object.__setattr__(self, "options", own)

    @property
    def declaration(self) -> Cell:
        """The cell's declaration."""
        return find(self.cell)

    @property
    def output_size(self) -> int:
        """Features of a step's output: those of the cell's first state, twice that in two directions."""
        size = self.declaration.state_sizes(self.hidden_size, **self.options)[0]
        return size * (2 if self.bidirectional else 1)

    def layer_input_size(self, layer: int) -> int:
        """Features that layer number `layer`, from 0, reads."""
        return self.input_size if layer == 0 else self.output_size

    def parameter_shapes(self) -> Shapes:
        """Name to shape of the trained tensors, by PyTorch's names: weight_ih_l0, ..., bias_hh_l1_reverse."""
        shapes = {}
        for layer in range(self.num_layers):
            one = self.declaration.parameter_shapes(
                self.layer_input_size(layer), self.hidden_size, bias=self.bias, **self.options
            )
            for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]:
                shapes.update({f"{name}_l{layer}{suffix}": tuple(shape) for name, shape in one.items()})
        return shapes

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments that make the same stack again, each option by its own name."""
        return self._layers() | dict(self.options)

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """The stack of these arguments, read from a file.

        Raises:
            ConfigError: one is missing or unknown, or as of the class.
        """
        find(arguments.get("cell", "lstm"))  # first, as a cell that is not registered has options that nobody knows
        known = {*_LAYERS, *all_options()}
        check_names(f"encoder of kind {cls.kind!r}", arguments, required={"hidden_size", "input_size"}, known=known)
        return cls(**arguments)

    def identity(self) -> dict[str, Any]:
        """What tells this stack from any other, for fingerprints: `arguments` in an order that never changes."""
        return self._layers() | _ALWAYS_NAMED | dict(self.options)

    def _layers(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _LAYERS}

    def __repr__(self) -> str:
        return f"Recurrent({', '.join(f'{name}={value!r}' for name, value in self.arguments().items())})"
