"""Long short-term memory (Hochreiter and Schmidhuber 1997): drop-in replacements for torch.nn.LSTM and LSTMCell."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock.nn.cell import RecurrentCell
from penstock.nn.checks import states_of
from penstock.nn.layer import RecurrentLayers

__all__ = ["LSTM", "LSTMCell"]


class LSTM(RecurrentLayers):
    """LSTM with forget gate, optionally with a projection (Sak et al. 2014) or peepholes (Gers and Schmidhuber 2000).

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype: as
            in `torch.nn.LSTM`.
        peephole: the input and forget gates read c(t-1) and the output gate reads c(t), through `weight_ch_l0`
            (3, hidden) with rows i, f, o; one such parameter for each layer and direction.
        zoneout: probability that a unit keeps its state from the step before, in training (Krueger et al. 2016): one
            number for h and c, or a pair. In evaluation old and new state are mixed in this proportion. The seed of the
            masks comes from PyTorch's generator, so that `torch.manual_seed` repeats them.
        init: initial values, one of `penstock.nn.INITIAL_VALUES`.
        max_time: with init="chrono", the longest dependency to expect, in steps.

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> lstm = nn.LSTM(64, 128, num_layers=2, batch_first=True)
        >>> y, (h, c) = lstm(torch.zeros(2, 10, 64), lengths=[10, 4])
        >>> y.shape, h.shape
        (torch.Size([2, 10, 128]), torch.Size([2, 2, 128]))
    """

    cell = "lstm"
    torch_forward = torch.nn.LSTM.forward
    # PyTorch's methods for a pair of states, which its forward calls.
    get_expected_cell_size = torch.nn.LSTM.get_expected_cell_size
    check_forward_args = torch.nn.LSTM.check_forward_args  # type: ignore[assignment]
    permute_hidden = torch.nn.LSTM.permute_hidden  # type: ignore[assignment]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        peephole: bool = False,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
        max_time: int | None = None,
    ) -> None:
        self.peephole = peephole
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            device, dtype, peephole=peephole, zoneout=zoneout, init=init, max_time=max_time,
        )  # fmt: skip


class LSTMCell(RecurrentCell):
    """One step of `LSTM`, without projection; arguments and results as in `torch.nn.LSTMCell`.

    Args:
        input_size, hidden_size, bias, device, dtype: as in `torch.nn.LSTMCell`.
        peephole, zoneout, init, max_time: as in `LSTM`; the peepholes are `weight_ch`.

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> h, c = nn.LSTMCell(3, 4)(torch.zeros(2, 3))
        >>> h.shape
        torch.Size([2, 4])
    """

    cell = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        peephole: bool = False,
        zoneout: float | Sequence[float] = 0.0,
        init: str = "torch",
        max_time: int | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, bias, device, dtype, init=init, max_time=max_time, peephole=peephole,
            zoneout=zoneout,
        )  # fmt: skip

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """input (batch, input) or (input,), hx = (h, c), each (batch, hidden) or (hidden,) -> new (h, c)."""
        h, c = self._step(input, states_of(hx))
        return h, c
