"""What a cell is: gates, states, options, parameter shapes, phases, and one function for its equations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.errors import ConfigError

Array = Any  # a NumPy array or a PyTorch tensor
State = tuple[Array, ...]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Phase:
    """Products that can run together, then one elementwise epilogue; later phases read what it writes."""

    products: tuple[tuple[str, str], ...]
    """Pairs (parameter, operand): ("weight_hh", "h") is h @ weight_hh.T. Some gates only:
    "weight_hh[reset, update]"."""
    writes: tuple[str, ...]
    """What the epilogue leaves: new states, or intermediate values that the next phase reads."""


@dataclass(frozen=True)
class Option:
    """One option of a cell: constructors, descriptions, flags and the engine all follow from it.

    Attributes:
        default: its value where none is given, and so its type: True or False, one of `choices`, or a whole number.
        text: what it does, for `penstock train --help`.
        choices: the words it may be, where it is one.
        parameter: the parameter that is there just where the option is on; of a whole number, with so many rows.
        below_hidden_size: whether it must be smaller than hidden_size.
    """

    default: bool | int | str
    text: str
    choices: tuple[str, ...] = ()
    parameter: str | None = None
    below_hidden_size: bool = False

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return " or ".join(map(repr, self.choices))
        return "True or False" if isinstance(self.default, bool) else "an integer, 0 or more"

    def accepts(self, value: Any) -> bool:
        """Whether it may be this."""
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    def read_from(self, parameters: Mapping[str, Array]) -> bool | int:
        """Its value, as its parameter shows."""
        array = parameters.get(self.parameter or "")
        if isinstance(self.default, bool):
            return array is not None
        shape = getattr(array, "shape", ())
        return int(shape[0]) if shape else 0


# eq=False: two cells are the same when they are the same object, and then a cell can be a dictionary's key.
@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """One recurrent cell: all that layers, engine and runtime need to know about it.

    Attributes:
        name: "rnn", "lstm", "gru", or that of a cell of your own (`penstock.cells.register`).
        source: who described it, and when, for `penstock train --help`.
        gates: in storage order, PyTorch's: block k of hidden_size rows of each weight belongs to gates[k].
        states: what is carried from step to step; states[0] is the output.
        parameter_shapes: `(input_size, hidden_size, bias=True, **options) -> {name: shape}`, in PyTorch's order.
            Weights are called `weight_ih`, `weight_hh`, or `weight_` and two other letters; biases `bias_ih`,
            `bias_hh`.
        step: `(x, state, parameters, **options) -> new state`. x (..., input); state, a tuple of (..., size);
            parameters by the names of `parameter_shapes`, biases may be absent. Trusts its arguments.
        options: each option by its name.
        phases: `(**options) -> phases` of one step, in order; what the engine's kernels for it do.
        forms: the combinations of options that the contract tests try; None: any size that suits the test.
        torch_options: the options with which torch.nn, and so cuDNN, has this very cell; None where it has not.
        keeps: the gate that keeps the old state where it is near 1, if there is one.
        admits: the gate that lets the new in, where the cell has one apart from that.
        orthogonal_biases: gates whose bias begins with another value than 0 with init="orthogonal".
    """

    name: str
    source: str = ""
    gates: tuple[str, ...]
    states: tuple[str, ...]
    parameter_shapes: Callable[..., Shapes]
    step: Callable[..., State]
    options: Mapping[str, Option] = field(default_factory=dict)
    phases: Callable[..., tuple[Phase, ...]] | None = None
    forms: tuple[Mapping[str, Any], ...] = ({},)
    torch_options: Mapping[str, Any] | None = None
    keeps: str | None = None
    admits: str | None = None
    orthogonal_biases: Mapping[str, float] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Callable[[str], "Cell"], tuple[str]]:
        """A copy of a cell, or a pickled one, is the one in the table."""
        from penstock.cells import find  # here, because the table imports this module

        return find, (self.name,)

    def state_sizes(self, hidden_size: int, **options: Any) -> tuple[int, ...]:
        """The last axis of each state: that of the output is what weight_hh reads, the others have hidden_size."""
        output_size = self.parameter_shapes(1, hidden_size, **options)["weight_hh"][1]
        return (output_size, *(hidden_size for _ in self.states[1:]))

    def complete(self, options: Mapping[str, Any], hidden_size: int | None = None) -> dict[str, Any]:
        """All options in the declaration's order, defaults filled in, NumPy's numbers made plain.

        Args:
            options: those that were given.
            hidden_size: of the layer, for what depends on it.

        Raises:
            ConfigError: an option that this cell lacks, or a value that it can't take.
        """
        given = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
        for name, value in given.items():
            if name not in self.options:
                known = f"the options {', '.join(self.options)}" if self.options else "no options"
                raise ConfigError(f"{self.name} has {known}; got {name}. Leave it out.")
            option = self.options[name]
            if not option.accepts(value):
                raise ConfigError(f"{self.name}: {name} must be {option.expected}; got {value!r}.")
            if option.below_hidden_size and hidden_size is not None and value >= hidden_size:
                raise ConfigError(
                    f"{self.name}: {name} must be smaller than hidden_size={hidden_size}; got {value}. Take 0 for none."
                )
        return {name: given.get(name, option.default) for name, option in self.options.items()}

    def shown(self, parameters: Mapping[str, Array]) -> dict[str, Any]:
        """The options that these parameters show by being there; others must be given."""
        return {name: option.read_from(parameters) for name, option in self.options.items() if option.parameter}

    def form(self, options: Mapping[str, Any]) -> str:
        """This form of the cell as the engine spells it: its name, and each option that is on; a word by its value."""
        on = {name: value for name, value in self.complete(options).items() if value}
        words = (f"{name}={value}" if isinstance(value, str) else name for name, value in on.items())
        return " ".join((self.name, *words))

    def is_torch(self, options: Mapping[str, Any]) -> bool:
        """Whether torch.nn has this very cell."""
        return self.torch_options is not None and all(options[k] == v for k, v in self.torch_options.items())
