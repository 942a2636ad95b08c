"""How a step comes in, as PyTorch modules; numbers need none, and segments of series are in `nn.forecasts`."""

import torch

from penstock import network

__all__ = ["EmbeddingModule"]


class EmbeddingModule(torch.nn.Embedding):
    """Ids to rows of a table.

    Args:
        inputs: the description.
    """

    def __init__(self, inputs: network.Embedding) -> None:
        super().__init__(inputs.vocabulary_size, inputs.size)
