"""The table of cells, and `register` for cells defined outside Penstock."""

import re
from collections.abc import Mapping
from typing import Any

from penstock.cells.declaration import Cell, Option
from penstock.cells.gru import GRU
from penstock.cells.lstm import LSTM
from penstock.cells.rnn import RNN
from penstock.errors import ConfigError

__all__ = ["CELLS", "VARIANTS", "all_options", "find", "own_options", "register"]

CELLS: dict[str, Cell] = {cell.name: cell for cell in (RNN, LSTM, GRU)}

_BUILT_IN = frozenset(CELLS)

# Every cell in every form, for tests that run over all of them.
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = tuple(
    (cell.name, dict(form)) for cell in CELLS.values() for form in cell.forms
)

# Names of other arguments of layers, descriptions and estimators.
_RESERVED = frozenset(
    {"cell", "kind", "input_size", "hidden_size", "num_layers", "bias", "bidirectional"}
    | {"batch_first", "dropout", "device", "dtype", "init", "max_time"}
)
_PARAMETER = re.compile(r"(weight|bias)_[a-z]{2}")


def find(name: str) -> Cell:
    """Return the cell called `name`.

    Raises:
        ConfigError: there is no such cell; the message lists the known ones.

    Examples:
        >>> from penstock.cells import find
        >>> find("lstm").gates
        ('input', 'forget', 'cell', 'output')
    """
    if not isinstance(name, str) or name not in CELLS:
        raise ConfigError(
            f"cell must be one of {', '.join(CELLS)}; got {name!r:.80}. A cell of your own must be registered first: "
            "import the module that calls penstock.cells.register."
        )
    return CELLS[name]


def register(cell: Cell) -> Cell:
    """Add a cell to the table, so that layers, descriptions, estimators, streams and bundles can use it by name.

    A registered cell replaces an earlier registered one of the same name. It runs by its equations, unless the engine
    has kernels for it. If it has options of its own, register it before the first estimator is imported: only then do
    they become arguments of the estimators and flags of `penstock train`.

    Returns:
        The cell.

    Raises:
        ConfigError: the name belongs to a built-in cell, or the declaration is inconsistent.
    """
    if cell.name in _BUILT_IN:
        raise ConfigError(f"the cell {cell.name!r} is built in. Choose another name.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", cell.name):
        raise ConfigError(f"a cell's name must be lowercase letters, digits and _; got {cell.name!r}.")
    if not cell.states or not cell.gates:
        raise ConfigError(
            f"{cell.name}: a cell needs a state and a gate; got states={cell.states}, gates={cell.gates}."
        )
    _check_options(cell)
    for form in cell.forms:
        _check_shapes(cell, cell.complete({name: 2 if value is None else value for name, value in form.items()}))
    CELLS[cell.name] = cell
    return cell


def all_options() -> dict[str, Option]:
    """Return the options of all cells by name; cells that use the same name share the option.

    Examples:
        >>> from penstock.cells import all_options
        >>> all_options()["reset_after"].default
        True
    """
    return {name: option for cell in CELLS.values() for name, option in cell.options.items()}


def own_options(cell: Cell, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that this cell has; options of other cells must have their default values.

    Raises:
        ConfigError: no cell has such an option, or an option of another cell differs from its default.

    Examples:
        >>> from penstock.cells import find, own_options
        >>> own_options(find("gru"), {"reset_after": False})["reset_after"]
        False
    """
    known = all_options()
    for name, value in options.items():
        if name not in cell.options and (name not in known or value != known[name].default):
            own = ", ".join(cell.options) or "none"
            raise ConfigError(
                f"{name}={value!r:.80} is not an option of the cell {cell.name!r} (its options: {own}). "
                "Leave it out, or choose another cell."
            )
    return {name: value for name, value in options.items() if name in cell.options}


def _check_options(cell: Cell) -> None:
    known = {
        name: option for other in CELLS.values() if other.name != cell.name for name, option in other.options.items()
    }
    for name, option in cell.options.items():
        if not name.isidentifier() or name in _RESERVED:
            raise ConfigError(f"{cell.name}: {name!r} is not a valid or free option name. Choose another name.")
        if not option.accepts(option.default):
            raise ConfigError(f"{cell.name}: the default of {name} must be {option.expected}; got {option.default!r}.")
        if name in known and _use(known[name]) != _use(option):
            raise ConfigError(f"{cell.name}: the option {name!r} of another cell differs. Choose another name.")


def _use(option: Option) -> tuple[Any, ...]:
    return option.default, option.choices, option.between_steps


def _check_shapes(cell: Cell, options: Mapping[str, Any]) -> None:
    """Check, with a small layer, that parameters have the names and shapes that layers, files and the engine expect."""
    input_size, hidden_size = 3, 5
    shapes = cell.parameter_shapes(input_size, hidden_size, **options)
    if wrong := [name for name in shapes if not _PARAMETER.fullmatch(name)]:
        raise ConfigError(
            f"{cell.name}: parameter names must be weight_ or bias_ and two lowercase letters; got {', '.join(wrong)}."
        )
    rows = len(cell.gates) * hidden_size
    expected = {"weight_ih": (rows, input_size), "bias_ih": (rows,), "bias_hh": (rows,)}
    expected["weight_hh"] = (rows, *shapes.get("weight_hh", (0, hidden_size))[1:])
    for name, shape in expected.items():
        if tuple(shapes.get(name, ())) != shape:
            raise ConfigError(
                f"{cell.name}: {name} must be {shape} for input_size={input_size}, hidden_size={hidden_size} and "
                f"{len(cell.gates)} gates; got {shapes.get(name)}."
            )
    without = cell.parameter_shapes(input_size, hidden_size, bias=False, **options)
    if without != {name: shape for name, shape in shapes.items() if not name.startswith("bias_")}:
        raise ConfigError(f"{cell.name}: bias=False must remove the biases and nothing else; got {list(without)}.")
