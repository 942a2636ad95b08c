"""Recurrent cells: the table of cells, and one module per cell with its declaration and equations."""

from penstock.cells.declaration import Cell, Option, Phase
from penstock.cells.sweep import sweep, sweep_stack
from penstock.cells.table import CELLS, VARIANTS, all_options, find, own_options, register

__all__ = [
    "CELLS",
    "VARIANTS",
    "Cell",
    "Option",
    "Phase",
    "all_options",
    "find",
    "own_options",
    "register",
    "sweep",
    "sweep_stack",
]
