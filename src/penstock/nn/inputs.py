"""Inputs as PyTorch modules; numbers need none, and segments of series are in `forecast.layers`."""

import torch

from penstock import network

__all__ = ["EmbeddingModule"]


class EmbeddingModule(torch.nn.Embedding):
    """Looks up the vectors of ids in a trained table.

    Args:
        inputs: the description of the inputs.
    """

    def __init__(self, inputs: network.Embedding) -> None:
        super().__init__(inputs.vocabulary_size, inputs.size)
