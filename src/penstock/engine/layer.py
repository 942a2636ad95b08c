"""One recurrent layer of the engine, in one or two directions, on whole sequences."""

from typing import Any

import numpy as np

from penstock.cells import Cell, find
from penstock.engine._native import NativeLayer, forms
from penstock.engine.arguments import BaseLayer, State
from penstock.engine.threads import get_num_threads
from penstock.errors import ConfigError

__all__ = ["FORMS", "Layer"]

FORMS = frozenset(forms())
"""The forms of cells (`Cell.form`) that the engine has kernels for."""


class Layer(BaseLayer, NativeLayer):
    """One recurrent layer with packed weights that runs over whole sequences, in float32.

    Args:
        cell: a name in `penstock.cells.CELLS`.
        input_size, hidden_size: input features, hidden units.
        bias: whether `bias_ih` and `bias_hh` exist.
        bidirectional: add a second direction that reads each sequence from its end.
        options: the cell's options.

    Raises:
        ConfigError: the cell is unknown or has no kernels in the engine, it lacks an option, or a size is below 1.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import Layer
        >>> layer = Layer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> y, states = layer(np.ones((10, 2, 3), np.float32))  # steps, sequences, features
        >>> y.shape
        (10, 2, 4)
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        bidirectional: bool = False,
        **options: Any,
    ) -> None:
        self.describe(find(cell), input_size, hidden_size, bias=bias, bidirectional=bidirectional, options=options)
        form = self.cell.form(options)
        if form not in FORMS:
            raise ConfigError(f"the engine has no kernels for {form!r}; it has {', '.join(sorted(FORMS))}.")
        sizes = input_size, hidden_size, _projection(self.cell, self.options)
        shares = self.cell.zoneout(self.options)
        super().__init__(form, *sizes, bias, self.directions, *([shares] if shares else []))

    @property
    def loaded(self) -> bool:
        """Whether the layer has parameters."""
        return self.packed

    def take(self, arrays: list[np.ndarray]) -> None:
        """Pack copies of the parameters, given in the order of `parameter_names`."""
        self.load_arrays(arrays)

    def sweep(
        self, x: np.ndarray, state: State, lengths: np.ndarray | None, batch_first: bool
    ) -> tuple[np.ndarray, State]:
        """`__call__` with checked arguments."""
        y, *final = self.run(x, batch_first, lengths, state, get_num_threads())
        return y, tuple(final)


def _projection(cell: Cell, options: dict[str, Any]) -> int:
    """Size of the projection, 0 for none; no other option of a cell is a size."""
    return sum(options[name] for name, option in cell.options.items() if option.below_hidden_size)
