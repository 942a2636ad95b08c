"""Recurrent cells: the table of cells, and one module per cell with its declaration and equations."""

from penstock.cells.declaration import ZONEOUT, Cell, Option, Phase
from penstock.cells.sweep import sweep, sweep_stack
from penstock.cells.table import CELLS, VARIANTS, all_options, find, own_options, register
from penstock.cells.zoneout import Draw, Zoneout

__all__ = [
    "CELLS",
    "VARIANTS",
    "ZONEOUT",
    "Cell",
    "Draw",
    "Option",
    "Phase",
    "Zoneout",
    "all_options",
    "find",
    "own_options",
    "register",
    "sweep",
    "sweep_stack",
]
