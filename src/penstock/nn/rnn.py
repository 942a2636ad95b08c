"""Elman's recurrent network (Elman 1990): drop-in replacements for torch.nn.RNN and RNNCell."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock.cells import find
from penstock.errors import ConfigError
from penstock.nn.cell import RecurrentCell
from penstock.nn.checks import refuse_projection
from penstock.nn.layer import RecurrentLayers

__all__ = ["RNN", "RNNCell"]


class RNN(RecurrentLayers):
    """Elman RNN: h = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu; arguments and results as in `torch.nn.RNN`.

    Args:
        input_size, hidden_size, num_layers, nonlinearity, bias, batch_first, dropout, bidirectional, device, dtype:
            as in `torch.nn.RNN`.
        proj_size: must be None: only an LSTM has a projection.
        zoneout: probability that a unit keeps its state from the step before, in training, as in `penstock.nn.LSTM`.
        init: initial values, "torch" or "orthogonal" (`penstock.nn.INITIAL_VALUES`).

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> y, h = nn.RNN(64, 128)(torch.zeros(10, 2, 64))
        >>> y.shape
        torch.Size([10, 2, 128])
    """

    cell = "rnn"
    torch_forward = torch.nn.RNN.forward

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
        proj_size: None = None,
    ) -> None:
        refuse_projection(proj_size)
        if not find("rnn").options["nonlinearity"].accepts(nonlinearity):
            raise ConfigError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, device=device, dtype=dtype, nonlinearity=nonlinearity, zoneout=zoneout, init=init,
        )  # fmt: skip


class RNNCell(RecurrentCell):
    """One step of `RNN`; arguments and results as in `torch.nn.RNNCell`.

    Args:
        input_size, hidden_size, bias, nonlinearity, device, dtype: as in `torch.nn.RNNCell`.
        zoneout: as in `RNN`.
        init: initial values, "torch" or "orthogonal".

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> nn.RNNCell(3, 4)(torch.zeros(2, 3)).shape
        torch.Size([2, 4])
    """

    cell = "rnn"
    __constants__ = torch.nn.RNNCell.__constants__

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        *,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
    ) -> None:
        super().__init__(
            input_size, hidden_size, bias, device, dtype, init=init, nonlinearity=nonlinearity, zoneout=zoneout
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (batch, input) or (input,), hx (batch, hidden) or (hidden,), zeros if None -> new h."""
        return self._step(input, () if hx is None else (hx,))[0]
