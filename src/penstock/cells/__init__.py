"""The table of cells; each cell's declaration and equations lie in the file of its name."""

from typing import Any

from penstock.cells.declaration import Cell, Phase
from penstock.cells.gru import GRU
from penstock.cells.lstm import LSTM
from penstock.cells.rnn import RNN
from penstock.cells.sweep import sweep, sweep_stack
from penstock.errors import ConfigError

__all__ = ["CELLS", "VARIANTS", "Cell", "Phase", "find", "sweep", "sweep_stack"]

CELLS: dict[str, Cell] = {cell.name: cell for cell in (RNN, LSTM, GRU)}

# Every cell in every form, for the tests that walk them all; proj_size None: any size that suits the test.
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu"}),
    ("lstm", {}),
    ("lstm", {"peephole": True}),
    ("lstm", {"proj_size": None}),
    ("lstm", {"peephole": True, "proj_size": None}),
    ("gru", {"reset_after": True}),
    ("gru", {"reset_after": False}),
)


def find(name: str) -> Cell:
    """The cell called `name`.

    Raises:
        ConfigError: there is no such cell; the message lists those there are.
    """
    if name not in CELLS:
        raise ConfigError(f"cell must be one of {', '.join(CELLS)}; got {name!r}.")
    return CELLS[name]
