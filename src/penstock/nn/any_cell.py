"""Layers of any cell by name."""

from typing import Any

from penstock.cells import find
from penstock.errors import ConfigError
from penstock.nn.gru import GRU
from penstock.nn.layer import RecurrentLayers
from penstock.nn.lstm import LSTM
from penstock.nn.rnn import RNN

__all__ = ["LAYERS", "AnyCell", "make_layers"]

LAYERS: dict[str, Any] = {each.cell: each for each in (RNN, LSTM, GRU)}


class AnyCell(RecurrentLayers):
    """A stack of layers of a registered cell (`penstock.cells.register`), computed by its equations.

    Called like `torch.nn.RNN`; if the cell has several states, they are passed and returned as a tuple.

    Args:
        cell: the name of the cell.
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in
            `torch.nn.RNN`.
        init: initial values, one of `penstock.nn.INITIAL_VALUES`.
        max_time: with init="chrono", the longest dependence to expect, in steps.
        options: the cell's options.

    Raises:
        ConfigError: there is no such cell, it has a class of its own, or it lacks an option.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        find(cell)
        if cell in LAYERS:
            raise ConfigError(f"the cell {cell!r} has a class of its own: use penstock.nn.{LAYERS[cell].__name__}.")
        self.cell = cell  # type: ignore[misc]  # a class attribute in the other classes
        # PyTorch has no such cell: its parameters for a plain RNN are replaced by those that the cell declares.
        super().__init__(
            "RNN_TANH", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, **options,
        )  # fmt: skip
        self.mode = cell.upper()

    def extra_repr(self) -> str:
        """The cell and the arguments that differ from their defaults."""
        return f"{self.cell!r}, {super().extra_repr()}"


def make_layers(cell: str, **arguments: Any) -> RecurrentLayers:
    """Make a stack of layers of the cell called `cell`; the arguments are those of its class, by name."""
    layers: RecurrentLayers = LAYERS[cell](**arguments) if cell in LAYERS else AnyCell(cell, **arguments)
    return layers
