"""Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078): drop-in replacements for torch.nn.GRU and GRUCell."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock.nn.cell import RecurrentCell
from penstock.nn.checks import refuse_projection
from penstock.nn.layer import RecurrentLayers

__all__ = ["GRU", "GRUCell"]


class GRU(RecurrentLayers):
    """GRU with the reset gate applied after the recurrent product, as in PyTorch and cuDNN, or before it.

    The two forms are version 1 and version 3 of the paper.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in
            `torch.nn.GRU`.
        proj_size: must be None: only an LSTM has a projection.
        reset_after: False for n = tanh(W_in x + b_in + W_hn (r * h) + b_hn).
        zoneout: probability that a unit keeps its state from the step before, in training, as in `penstock.nn.LSTM`.
        init: initial values, one of `penstock.nn.INITIAL_VALUES`.
        max_time: with init="chrono", the longest dependency to expect, in steps.

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> y, h = nn.GRU(64, 128, batch_first=True, bidirectional=True)(torch.zeros(2, 10, 64))
        >>> y.shape
        torch.Size([2, 10, 256])
    """

    cell = "gru"
    torch_forward = torch.nn.GRU.forward

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        reset_after: bool = True,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
        max_time: int | None = None,
        proj_size: None = None,
    ) -> None:
        refuse_projection(proj_size)
        self.reset_after = reset_after
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, reset_after=reset_after, zoneout=zoneout, init=init, max_time=max_time,
        )  # fmt: skip


class GRUCell(RecurrentCell):
    """One step of `GRU`; arguments and results as in `torch.nn.GRUCell`.

    Args:
        input_size, hidden_size, bias, device, dtype: as in `torch.nn.GRUCell`.
        reset_after, zoneout, init, max_time: as in `GRU`.

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> nn.GRUCell(3, 4)(torch.zeros(2, 3)).shape
        torch.Size([2, 4])
    """

    cell = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        reset_after: bool = True,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
        max_time: int | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, bias, device, dtype, init=init, max_time=max_time, reset_after=reset_after,
            zoneout=zoneout,
        )  # fmt: skip

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (batch, input) or (input,), hx (batch, hidden) or (hidden,), zeros if None -> new h."""
        return self._step(input, () if hx is None else (hx,))[0]
