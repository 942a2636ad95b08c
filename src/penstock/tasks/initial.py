"""Initial values of what is trained, where PyTorch's own are not the best: heads, and the vectors of words."""

from collections.abc import Mapping

import torch
from torch import Tensor

from penstock.datasets.vectors import initial_vectors

__all__ = ["init_head", "init_table", "put_vectors"]

_SPREAD = 0.1
"""Standard deviation of the vectors of words."""


def init_head(head: torch.nn.Module) -> None:
    """Initialise a linear head: weights by Glorot and Bengio (2010), no bias."""
    torch.nn.init.xavier_uniform_(head.get_parameter("weight"))
    torch.nn.init.zeros_(head.get_parameter("bias"))


def init_table(weight: Tensor) -> None:
    """Initialise the vectors of words, (words, size)."""
    torch.nn.init.normal_(weight, std=_SPREAD)


def put_vectors(weight: Tensor, path: str, vocabulary: Mapping[str, int], *, option: str) -> None:
    """Overwrite the vectors of the words that a file of pretrained ones has.

    Args:
        weight: (words, size), the vectors of all words.
        path, vocabulary, option: as for `datasets.vectors.initial_vectors`.

    Raises:
        ConfigError, DataError: as there.
    """
    ids, rows = initial_vectors(path, vocabulary, weight.shape[1], spread=_SPREAD, option=option)
    with torch.no_grad():
        weight[torch.from_numpy(ids)] = torch.from_numpy(rows)
