"""Seeds of masks, from PyTorch's generator."""

import torch
from torch import Tensor

__all__ = ["draw_seed"]


def draw_seed() -> Tensor:
    """Draw a seed, int64 without axes, from PyTorch's global generator, which `torch.manual_seed` sets."""
    return torch.randint(2**63 - 1, (), dtype=torch.int64)
