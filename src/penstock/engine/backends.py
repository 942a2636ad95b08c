"""Choice of backend for a form of a cell: the engine's kernels if there are any, otherwise the cell's equations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.cells import Cell
from penstock.engine.equations import EquationLayer, EquationStep, EquationStreams
from penstock.engine.layer import FORMS, Layer
from penstock.engine.step import Step
from penstock.engine.streams import Streams

__all__ = ["Backend", "backend"]


@dataclass(frozen=True)
class Backend:
    """The classes that compute a cell: a layer on whole sequences, a single step, and many streams.

    Examples:
        >>> from penstock.cells import find
        >>> from penstock.engine import backend
        >>> backend(find("lstm"), {"peephole": True}).streams.__name__
        'Streams'
    """

    layer: type[Layer] | type[EquationLayer]
    step: type[Step] | type[EquationStep]
    streams: type[Streams] | type[EquationStreams]


_EQUATIONS = Backend(EquationLayer, EquationStep, EquationStreams)
_BACKENDS = dict.fromkeys(FORMS, Backend(Layer, Step, Streams))


def backend(cell: Cell, options: Mapping[str, Any]) -> Backend:
    """Return the backend that runs this cell with these options: the engine, or the equations.

    Examples:
        >>> from penstock.cells import find
        >>> from penstock.engine import backend
        >>> backend(find("gru"), {}).layer.__name__
        'Layer'
    """
    return _BACKENDS.get(cell.form(options), _EQUATIONS)
