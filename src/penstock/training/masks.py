"""Random spans that SpecAugment masks (Park et al. 2019)."""

import torch
from torch import Tensor

__all__ = ["random_span"]


def random_span(size: int, batch: int, most: int, lengths: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a mask (batch, size) of a random span of up to `most` places and a quarter of each length."""
    width = (torch.rand(batch, generator=generator) * (torch.minimum(lengths // 4, torch.tensor(most)) + 1)).long()
    start = (torch.rand(batch, generator=generator) * (lengths - width + 1)).long()
    places = torch.arange(size)
    return (places >= start[:, None]) & (places < (start + width)[:, None])
