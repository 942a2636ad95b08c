"""What remembers: a stack of recurrent layers."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from penstock.cells import find
from penstock.errors import ConfigError
from penstock.network.checks import flag, whole

__all__ = ["Recurrent"]

Shapes = dict[str, tuple[int, ...]]


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
            whole(self, name, at_least=1)
        whole(self, "proj_size", at_least=0)
        for name in ("bidirectional", "bias", "peephole", "reset_after"):
            flag(self, name)
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
