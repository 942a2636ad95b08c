"""Description of an encoder: a stack of recurrent layers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from penstock.cells import Cell, all_options, find, own_options
from penstock.network.checks import check_flag, check_integer
from penstock.network.spelling import Spelled, check_names

__all__ = ["MOST_LAYERS", "Recurrent"]

Shapes = dict[str, tuple[int, ...]]

MOST_LAYERS = 1000
_MOST_UNITS = 1 << 24  # of the engine's layers
"""The most layers of a stack: a description of more would take minutes to read."""
_LAYERS = ("cell", "input_size", "hidden_size", "num_layers", "bidirectional", "bias")
# Earlier versions wrote these options into every description, whatever the cell. Fingerprints still include them, so
# that stream states saved by those versions keep matching their models.
_ALWAYS_NAMED = {"nonlinearity": "tanh", "peephole": False, "proj_size": 0, "reset_after": True}


@dataclass(frozen=True, init=False, repr=False)
class Recurrent(Spelled):
    """A stack of recurrent layers of one cell.

    Args:
        cell: a name in `penstock.cells.CELLS`.
        input_size, hidden_size, num_layers, bidirectional, bias: as in `torch.nn.LSTM`.
        options: the cell's options; missing ones get their defaults. Options of other cells must have their defaults.

    Raises:
        ConfigError: there is no such cell, a size is not an integer of 1 or more, or the cell has no such option.
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
            check_integer(self, name, at_least=1, at_most=MOST_LAYERS if name == "num_layers" else _MOST_UNITS)
        for name in flags:
            check_flag(self, name)
        completed = declaration.complete(own_options(declaration, options), self.hidden_size)
        object.__setattr__(self, "options", completed)

    @property
    def declaration(self) -> Cell:
        """The cell's declaration."""
        return find(self.cell)

    @property
    def output_size(self) -> int:
        """Features of a step's output: the size of the cell's first state, doubled if bidirectional."""
        size = self.declaration.state_sizes(self.hidden_size, **self.options)[0]
        return size * (2 if self.bidirectional else 1)

    def layer_input_size(self, layer: int) -> int:
        """Input features of layer number `layer`, counted from 0."""
        return self.input_size if layer == 0 else self.output_size

    def parameter_shapes(self) -> Shapes:
        """Shapes of the trained tensors by PyTorch's names: weight_ih_l0, ..., bias_hh_l1_reverse."""
        shapes = {}
        for layer in range(self.num_layers):
            layer_shapes = self.declaration.parameter_shapes(
                self.layer_input_size(layer), self.hidden_size, bias=self.bias, **self.options
            )
            for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]:
                shapes.update({f"{name}_l{layer}{suffix}": tuple(shape) for name, shape in layer_shapes.items()})
        return shapes

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments that reproduce this stack, with each option by its own name."""
        return self._layers() | self._options()

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a stack from arguments that were read from a file.

        Raises:
            ConfigError: an argument is missing, unknown or invalid.
        """
        find(arguments.get("cell", "lstm"))  # first, or an unregistered cell's options would be reported as unknown
        known = {*_LAYERS, *all_options()}
        check_names(f"encoder of kind {cls.kind!r}", arguments, required={"hidden_size", "input_size"}, known=known)
        return cls(**arguments)

    def identity(self) -> dict[str, Any]:
        """Values that identify this stack in fingerprints: `arguments`, in an order that never changes."""
        return self._layers() | _ALWAYS_NAMED | self._options()

    def _options(self) -> dict[str, Any]:
        """The options; those that act between steps, which are younger than saved models, only where they do."""
        declared = self.declaration.options
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.options.items()
            if value != declared[name].default or not declared[name].between_steps
        }

    def _layers(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _LAYERS}

    def __repr__(self) -> str:
        return f"Recurrent({', '.join(f'{name}={value!r}' for name, value in self.arguments().items())})"
