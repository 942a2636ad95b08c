"""What a cell is: gates, states, options, parameter shapes, phases, and one function for its equations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


# eq=False: two cells are the same when they are the same object, and then a cell can be a dictionary's key.
@dataclass(frozen=True, eq=False)
class Cell:
    """One recurrent cell: all that layers, engine and runtime need to know about it.

    Attributes:
        name: "rnn", "lstm" or "gru".
        gates: in storage order, PyTorch's: block k of hidden_size rows of each weight belongs to gates[k].
        states: what is carried from step to step; states[0] is the output.
        options: each option of the cell with its default.
        choices: for an option that is a word, the words it may be.
        parameter_shapes: (input_size, hidden_size, bias=True, **options) -> name: shape, in PyTorch's order.
        phases: (**options) -> the phases of one step, in order.
        step: (x, state, parameters, **options) -> new state. x (..., input); state, a tuple of (..., size);
            parameters by the names of `parameter_shapes`, biases may be absent. Trusts its arguments.
    """

    name: str
    gates: tuple[str, ...]
    states: tuple[str, ...]
    options: Mapping[str, Any]
    parameter_shapes: Callable[..., Shapes]
    phases: Callable[..., tuple[Phase, ...]]
    step: Callable[..., State]
    choices: Mapping[str, tuple[str, ...]]

    def __reduce__(self) -> tuple[Callable[[str], "Cell"], tuple[str]]:
        """A copy of a cell, or a pickled one, is the one in the table."""
        from penstock.cells import find  # here, because the table imports this module

        return find, (self.name,)

    def state_sizes(self, hidden_size: int, **options: Any) -> tuple[int, ...]:
        """The last axis of each state: proj_size (if the cell has one) for h, hidden_size for the others."""
        output_size = self.parameter_shapes(1, hidden_size, **options)["weight_hh"][1]
        return (output_size, hidden_size)[: len(self.states)]

    def complete(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """All options, defaults filled in.

        Raises:
            ConfigError: an option that this cell lacks, or a value that it can't take.
        """
        for option, value in options.items():
            if option not in self.options:
                known = ", ".join(self.options)
                raise ConfigError(f"{self.name} has the options {known}; got {option}. Leave it out.")
            if not self._accepts(option, value):
                raise ConfigError(f"{self.name}: {option} must be {self._expected(option)}; got {value!r}.")
        return {**self.options, **options}

    def _accepts(self, option: str, value: Any) -> bool:
        if option in self.choices:
            return value in self.choices[option]
        if isinstance(self.options[option], bool):
            return isinstance(value, bool)
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    def _expected(self, option: str) -> str:
        if option in self.choices:
            return " or ".join(map(repr, self.choices[option]))
        return "True or False" if isinstance(self.options[option], bool) else "an integer, 0 or more"
