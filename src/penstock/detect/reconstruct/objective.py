"""Training objective of reproduced examples: the likelihood of each value, given what the encoder holds at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from penstock.datasets.batches import length_batches
from penstock.detect.data import DetectData, unlabelled
from penstock.detect.layers import logistic_losses
from penstock.detect.reconstruct.features import ReconstructionFeatures
from penstock.nn.network import NetworkModule
from penstock.training.objective import Seeded

__all__ = ["ReconstructionObjective", "objective_of"]

_TOGETHER, _MOST_SEEN = 64, 256
"""Examples that are validated together, and training examples that are measured for learning curves."""

Pieces = np.ndarray
"""(examples, 3) int64: the series, the first step and the number of steps of each example."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """Series: what the network reads (steps, size), and the values in their units (steps, targets), NaN if missing."""

    x: list[Tensor]
    values: list[Tensor]

    def padded(self, pieces: Pieces) -> tuple[Tensor, Tensor, Tensor]:
        """Return x and values (batch, time, ...) of examples, padded by 0 and NaN, and their lengths."""
        parts = [
            torch.nn.utils.rnn.pad_sequence(
                [several[row][start : start + steps] for row, start, steps in pieces.tolist()],
                batch_first=True,
                padding_value=padding,
            )
            for several, padding in ((self.x, 0.0), (self.values, torch.nan))
        ]
        return parts[0], parts[1], torch.from_numpy(pieces[:, 2].copy())


@dataclass(kw_only=True, eq=False)
class ReconstructionObjective(Seeded):
    """Examples in batches of similar lengths; those that are cut out of series begin elsewhere in each pass.

    train, valid: the series
    valid_pieces: the examples to validate with
    window: the most steps of an example
    batch_size: examples in a batch
    count: batches per epoch, which may be more or fewer than one pass
    generator: unused, but saved with the training's state
    """

    train: Lessons
    valid: Lessons
    valid_pieces: Pieces
    window: int
    batch_size: int
    count: int
    generator: torch.Generator

    def batches(self, generator: np.random.Generator) -> list[Pieces]:
        """The batches of an epoch."""
        found: list[Pieces] = []
        while len(found) < self.count:
            pieces = self._cut(generator)
            found += [pieces[batch] for batch in length_batches(pieces[:, 2], self.batch_size, generator)]
        return found[: self.count]

    def extent(self, batch: Pieces) -> int:
        """The number of steps of a batch, padding included."""
        return int(batch[:, 2].max()) * len(batch)

    def loss(self, module: NetworkModule, batch: Pieces) -> tuple[Tensor, float]:
        """The mean loss of a value of these examples."""
        total, count = self._sums(module, self.train, batch)
        return total / count.clamp(min=1), count.item()

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """The mean loss of a value of the validation data."""
        return self._validated(module, self.valid, self.valid_pieces)

    @torch.no_grad()
    def validate_seen(self, module: NetworkModule) -> dict[str, float]:
        """The same loss on some of the training examples, for learning curves."""
        pieces = _pieces(self.train.x, [range(0, len(x), self.window) for x in self.train.x])
        some = np.unique(np.linspace(0, len(pieces) - 1, min(len(pieces), _MOST_SEEN)).round().astype(int))
        return self._validated(module, self.train, pieces[some])

    def _validated(self, module: NetworkModule, lessons: Lessons, pieces: Pieces) -> dict[str, float]:
        module.eval()
        total = count = 0.0
        for batch in length_batches(pieces[:, 2], _TOGETHER):
            sums = self._sums(module, lessons, pieces[batch])
            total, count = total + sums[0].item(), count + sums[1].item()
        module.train()
        return {"loss": total / max(count, 1)}

    def _cut(self, generator: np.random.Generator) -> Pieces:
        """All examples once; the first one of a series that holds several ends at random."""
        begins: list[Sequence[int]] = []
        for x in self.train.x:
            offset = int(generator.integers(self.window)) if len(x) > self.window else 0
            begins.append([0, *range(offset, len(x), self.window)] if offset else range(0, len(x), self.window))
        return _pieces(self.train.x, begins)

    def _sums(self, module: NetworkModule, lessons: Lessons, pieces: Pieces) -> tuple[Tensor, Tensor]:
        """The sum of the losses of values that are there, and their number."""
        x, values, lengths = lessons.padded(pieces)
        there, known = ~values.isnan(), values.nan_to_num()
        losses = logistic_losses(module(x, lengths), torch.zeros_like(known), known)
        return (losses * there).sum(), there.sum()


def objective_of(
    data: DetectData, features: ReconstructionFeatures, *, batch_size: int, seed: int
) -> ReconstructionObjective:
    """Return the objective for the examples of the data; the rest as for `ReconstructionObjective`."""
    parts = []
    for part in (data.train.data, unlabelled(data.valid)[0]):
        features.check(part)
        numbers = [features.identity(series.name) for series in part]
        read = [features.encode(series.values, number) for series, number in zip(part, numbers, strict=True)]
        known = [features.scaled(series.values, number) for series, number in zip(part, numbers, strict=True)]
        parts.append(Lessons([torch.from_numpy(x) for x in read], [torch.from_numpy(v).float() for v in known]))
    judged = [range(series.begin, len(series), features.window) for series in data.valid]
    return ReconstructionObjective(
        train=parts[0],
        valid=parts[1],
        valid_pieces=_pieces(parts[1].x, judged),
        window=features.window,
        batch_size=batch_size,
        count=len(data.train) // batch_size,
        generator=torch.Generator().manual_seed(seed),
    )


def _pieces(several: Sequence[Any], begins: Sequence[Sequence[int]]) -> Pieces:
    """The examples that begin at these steps of each series."""
    found = [
        (row, start, end - start)
        for row, (series, own) in enumerate(zip(several, begins, strict=True))
        for start, end in pairwise([*own, len(series)])
    ]
    return np.array(found, np.int64).reshape(-1, 3)
