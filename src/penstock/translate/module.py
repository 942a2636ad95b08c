"""Networks that attend to a source as PyTorch modules: the PyTorch side of `translate.scorer`."""

from typing import Any

import torch
from torch import Tensor

from penstock.network import Network
from penstock.nn.network import NetworkModule
from penstock.translate.layers import Memory

__all__ = ["AttendingModule"]


class AttendingModule(NetworkModule):
    """An encoder, and a decoder that attends to its outputs.

    Args:
        network: the description.
        init: the encoder's initial values.
        dropout: dropout probability of vectors, outputs and readouts.
    """

    def __init__(self, network: Network, *, init: str = "torch", dropout: float = 0.0) -> None:
        super().__init__(network, init=init)
        self.dropout = torch.nn.Dropout(dropout)
        self.head.dropout.p = dropout

    def memory(self, sources: Tensor, lengths: Any) -> Memory:
        """Read sources: ids (batch, source), or numbers (batch, source, size), of `lengths` (batch,) steps."""
        y, _ = self.encode(self.dropout(self.vectors(sources)), lengths=lengths)
        return self.head.memory(y, lengths)

    def forward(self, sources: Tensor, lengths: Any, tokens: Tensor) -> Tensor:  # type: ignore[override]
        """Scores (batch, target, vocabulary) of the next token after each of the target tokens (batch, target)."""
        return self.head(self.memory(sources, lengths), tokens)
