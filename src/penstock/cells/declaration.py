"""Declaration of a cell: gates, states, options, parameter shapes, phases and one function for its equations."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from penstock.errors import ConfigError

Array = Any  # a NumPy array or a PyTorch tensor
State = tuple[Array, ...]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Phase:
    """Matrix products that can run together, followed by one elementwise epilogue; later phases read its results.

    Args:
        products: pairs (parameter, operand): ("weight_hh", "h") means h @ weight_hh.T; "weight_hh[reset, update]"
            takes only the rows of these gates.
        writes: what the epilogue writes: new states, or intermediate values that the next phase reads.

    Examples:
        >>> from penstock.cells import find
        >>> [phase.writes for phase in find("gru").phases(reset_after=False)]
        [('reset_h', 'update'), ('h',)]
    """

    products: tuple[tuple[str, str], ...]
    writes: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One option of a cell; constructor arguments, descriptions and command-line flags are derived from it.

    Attributes:
        default: the default value, which also decides the type: a bool, one of `choices`, an integer, or a share, which
            is a number from 0 to below 1, or one for each state.
        text: the help text for `penstock train --help`.
        choices: the allowed strings, if the option is a string.
        parameter: the parameter that exists only if the option is on; an integer option is its number of rows.
        below_hidden_size: whether the value must be smaller than hidden_size.
        between_steps: whether it acts between steps, whatever the cell; the cell's functions do not get it.

    Examples:
        >>> from penstock.cells import find
        >>> find("rnn").options["nonlinearity"].choices
        ('tanh', 'relu')
    """

    default: bool | int | float | str
    text: str
    choices: tuple[str, ...] = ()
    parameter: str | None = None
    below_hidden_size: bool = False
    between_steps: bool = False

    @property
    def hint(self) -> Any:
        """The type of the values, for constructors and command-line flags."""
        if self.choices:
            return Literal[self.choices]
        return float | list[float] if isinstance(self.default, float) else type(self.default)

    @property
    def expected(self) -> str:
        """The allowed values in words, for error messages."""
        if self.choices:
            return " or ".join(map(repr, self.choices))
        if isinstance(self.default, float):
            return "a number from 0 to below 1, or one for each state"
        return "True or False" if isinstance(self.default, bool) else "an integer, 0 or more"

    def accepts(self, value: Any) -> bool:
        """Whether `value` is allowed."""
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(self.default, float):
            return all(map(_is_share, value)) if isinstance(value, list | tuple | np.ndarray) else _is_share(value)
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    def read_from(self, parameters: Mapping[str, Array]) -> bool | int:
        """Infer the value from the parameters of a layer."""
        array = parameters.get(self.parameter or "")
        if isinstance(self.default, bool):
            return array is not None
        shape = getattr(array, "shape", ())
        return int(shape[0]) if shape else 0


ZONEOUT = Option(
    0.0,
    "probability that a unit keeps its state from the step before, in training (Krueger et al. 2016); a number, or one "
    "for each state: h,c for an LSTM.",
    between_steps=True,
)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(0 <= value < 1)


# eq=False: cells compare by identity, which makes them hashable.
@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """One recurrent cell: everything that layers, engine and runtime need to know about it.

    Attributes:
        name: "rnn", "lstm", "gru", or the name of a cell of your own (`penstock.cells.register`).
        source: the publication, author and year, for `penstock train --help`.
        gates: in storage order, which is PyTorch's: block k of hidden_size rows of each weight belongs to gates[k].
        states: names of the states carried from step to step; states[0] is the output.
        parameter_shapes: `(input_size, hidden_size, bias=True, **options) -> {name: shape}`, in PyTorch's order.
            Weights are called `weight_ih`, `weight_hh`, or `weight_` and two other letters; biases are `bias_ih` and
            `bias_hh`.
        step: `(x, state, parameters, **options) -> new state`. x (..., input); state, a tuple of (..., size);
            parameters by the names of `parameter_shapes`; biases may be absent. Does not check its arguments.
        options: the options by name.
        phases: `(**options) -> phases` of one step, in order, as the engine's kernels compute them.
        forms: the combinations of options that the contract tests run; a value of None stands for any size.
        torch_options: the options with which torch.nn, and so cuDNN, has the same cell; None if it has no such cell.
        keeps: the gate that keeps the old state when it is near 1, if there is one.
        admits: the gate that admits new input, if that is a gate of its own.
        orthogonal_biases: initial bias of a gate with init="orthogonal", where it is not 0.

    Examples:
        >>> from penstock.cells import find
        >>> find("gru").gates, find("gru").states
        (('reset', 'update', 'candidate'), ('h',))
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

    def __post_init__(self) -> None:
        outside = frozenset(name for name, option in self.options.items() if option.between_steps)
        for name in ("parameter_shapes", "step", "phases") if outside else ():
            if (function := getattr(self, name)) is not None:
                object.__setattr__(self, name, _without(function, outside))

    def __reduce__(self) -> tuple[Callable[[str], "Cell"], tuple[str]]:
        """Copying and unpickling return the cell in the table."""
        from penstock.cells import find  # here, because the table imports this module

        return find, (self.name,)

    def state_sizes(self, hidden_size: int, **options: Any) -> tuple[int, ...]:
        """Size of the last axis of each state: the output's is what weight_hh reads, the others' is hidden_size."""
        output_size = self.parameter_shapes(1, hidden_size, **options)["weight_hh"][1]
        return (output_size, *(hidden_size for _ in self.states[1:]))

    def complete(self, options: Mapping[str, Any], hidden_size: int | None = None) -> dict[str, Any]:
        """Return all options in the declaration's order, with defaults filled in and NumPy scalars converted.

        Args:
            options: the options that differ from their defaults, or all of them.
            hidden_size: hidden size of the layer, to check the options that depend on it.

        Raises:
            ConfigError: this cell has no such option, or the value is not allowed.
        """
        values = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
        for name, value in values.items():
            if name not in self.options:
                known = f"the options {', '.join(self.options)}" if self.options else "no options"
                raise ConfigError(f"{self.name} has {known}; got {name}. Leave it out.")
            option = self.options[name]
            if not option.accepts(value):
                raise ConfigError(f"{self.name}: {name} must be {option.expected}; got {value!r}.")
            if option.below_hidden_size and hidden_size is not None and value >= hidden_size:
                raise ConfigError(
                    f"{self.name}: {name} must be smaller than hidden_size={hidden_size}; got {value}. Use 0 for none."
                )
            if isinstance(option.default, float):
                values[name] = self._share(name, value)
        return {name: values.get(name, option.default) for name, option in self.options.items()}

    def _share(self, name: str, value: float | Sequence[float]) -> float | tuple[float, ...]:
        """Return a share as a float, if it is the same for all states, else as a tuple."""
        shares = tuple(float(each) for each in (value if isinstance(value, Sequence | np.ndarray) else [value]))
        if len(shares) not in (1, len(self.states)):
            states = ", ".join(self.states)
            raise ConfigError(f"{self.name}: {name} must be a number, or one for each state ({states}); got {value!r}.")
        return shares[0] if len(set(shares)) == 1 else shares

    def zoneout(self, options: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the share of each state that a step keeps; empty if none keeps any."""
        value = options.get("zoneout", 0.0)
        shares = value if isinstance(value, tuple) else (value,) * len(self.states)
        return shares if any(shares) else ()

    def shown(self, parameters: Mapping[str, Array]) -> dict[str, Any]:
        """Infer the options that follow from which parameters exist; other options cannot be inferred."""
        return {name: option.read_from(parameters) for name, option in self.options.items() if option.parameter}

    def form(self, options: Mapping[str, Any]) -> str:
        """The engine's name for this form: the cell's name, then each option of its equations that is on.

        A string is written as name=value.
        """
        completed = self.complete(options)
        on = {name: value for name, value in completed.items() if value and not self.options[name].between_steps}
        words = (f"{name}={value}" if isinstance(value, str) else name for name, value in on.items())
        return " ".join((self.name, *words))

    def is_torch(self, options: Mapping[str, Any]) -> bool:
        """Whether torch.nn has this cell with these options."""
        if self.torch_options is None or self.zoneout(options):
            return False
        return all(options[k] == v for k, v in self.torch_options.items())


def _without(function: Callable[..., Any], names: frozenset[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **{name: value for name, value in options.items() if name not in names})

    return called
