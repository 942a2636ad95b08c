"""Training objective of detectors: the likelihood of each value before it is seen, from states that are carried on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from penstock.datasets import Chunk, stream_chunks
from penstock.detect.data import DetectData
from penstock.detect.features import DetectFeatures, Encoded
from penstock.nn.network import NetworkModule
from penstock.training.carried import CarriedState
from penstock.training.objective import Seeded

__all__ = ["DetectObjective", "Lessons", "objective_of"]

_RESET_SHARE = 0.05
"""Probability of restarting a stream, so that the network also learns from states with little history."""
_TOGETHER, _MOST_SEEN = 16, 32
"""Series that are validated together, and training series that are measured for learning curves."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """Series as tensors: x (steps, size), last and values (steps, targets), and the first step that counts, of each."""

    x: list[Tensor]
    last: list[Tensor]
    values: list[Tensor]
    begin: list[int]

    @classmethod
    def of(cls, encoded: Sequence[Encoded], begin: Sequence[int]) -> "Lessons":
        """Make tensors of encoded series."""
        parts = [[torch.from_numpy(np.asarray(each, np.float32)) for each in one] for one in encoded]
        x, last, values = zip(*parts, strict=True)
        return cls(list(x), list(last), list(values), list(begin))

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each series, (series,)."""
        return np.array([len(each) for each in self.x])


@dataclass(kw_only=True, eq=False)
class DetectObjective(Seeded):
    """Parallel streams that are read in chunks with the state carried over, as `training.carried` says.

    train, valid: the series
    streams: series read side by side
    chunk: steps read at once
    steps: batches per epoch
    generator: unused, but saved with the training's state
    """

    train: Lessons
    valid: Lessons
    streams: int
    chunk: int
    steps: int
    generator: torch.Generator
    _carried: CarriedState = field(default_factory=CarriedState, init=False)

    def batches(self, generator: np.random.Generator) -> list[Chunk]:
        """The chunks of an epoch; all streams restart at the beginning of the epoch."""
        return stream_chunks(
            self.train.lengths,
            self._places,
            streams=self.streams,
            steps=self.chunk,
            count=self.steps,
            generator=generator,
            reset_share=_RESET_SHARE,
        )

    def loss(self, module: NetworkModule, batch: Chunk) -> tuple[Tensor, float]:
        """The mean loss of a value of the next chunk of each stream."""
        pieces = [slice(start, start + self.chunk) for start in batch.starts.tolist()]
        parts = [
            torch.nn.utils.rnn.pad_sequence(
                [several[row][piece] for row, piece in zip(batch.rows.tolist(), pieces, strict=True)],
                batch_first=True,
                padding_value=padding,
            )
            for several, padding in ((self.train.x, 0.0), (self.train.last, 0.0), (self.train.values, torch.nan))
        ]
        y, state = module.encode(module.vectors(parts[0]), self._carried.begin(batch.fresh))
        self._carried.keep(state)
        total, count = _sums(module, y, parts[1], parts[2])
        return total / count.clamp(min=1), count.item()

    def state_dict(self) -> dict[str, Any]:
        """The states of the generator and of the streams."""
        return super().state_dict() | {"carried": self._carried.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a state."""
        super().load_state_dict(state)
        self._carried.load_state_dict(state["carried"])

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """The mean loss of a value of the validation data, each series read from its first step."""
        return self._validated(module, self.valid, range(len(self.valid.x)))

    @torch.no_grad()
    def validate_seen(self, module: NetworkModule) -> dict[str, float]:
        """The same loss on some of the training series, for learning curves."""
        count = len(self.train.x)
        rows = np.unique(np.linspace(0, count - 1, min(count, _MOST_SEEN)).round().astype(int))
        return self._validated(module, self.train, rows.tolist())

    def _validated(self, module: NetworkModule, lessons: Lessons, rows: Sequence[int]) -> dict[str, float]:
        module.eval()
        total = count = 0.0
        order = sorted(rows, key=lambda row: len(lessons.x[row]))
        for start in range(0, len(order), _TOGETHER):
            some = order[start : start + _TOGETHER]
            x, last, values = (
                torch.nn.utils.rnn.pad_sequence([each[row] for row in some], batch_first=True, padding_value=padding)
                for each, padding in ((lessons.x, 0.0), (lessons.last, 0.0), (lessons.values, torch.nan))
            )
            for place, row in enumerate(some):
                values[place, : lessons.begin[row]] = torch.nan
            y, _ = module.encode(module.vectors(x))
            sums = _sums(module, y, last, values)
            total, count = total + sums[0].item(), count + sums[1].item()
        module.train()
        return {"loss": total / max(count, 1)}

    def _places(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random series, by the square root of their lengths so that long ones don't dominate, and their first step."""
        lengths = self.train.lengths
        shares = np.sqrt(lengths)
        rows = generator.choice(len(lengths), count, p=shares / shares.sum())
        latest = np.maximum(lengths[rows] - self.chunk, 0)
        return rows, (generator.random(count) * (latest + 1)).astype(np.int64)


def objective_of(data: DetectData, features: DetectFeatures, *, streams: int, chunk: int, seed: int) -> DetectObjective:
    """Return the objective for those series of the data that the features know; the rest as for `DetectObjective`."""
    parts = []
    for part in (data.train.data, data.valid):
        features.check(part)
        known = [series for series in part if features.identity(series.name)]
        parts.append(Lessons.of([features.encode(each) for each in known], [each.begin for each in known]))
    return DetectObjective(
        train=parts[0],
        valid=parts[1],
        streams=streams,
        chunk=chunk,
        steps=len(data.train) // streams,
        generator=torch.Generator().manual_seed(seed),
    )


def _sums(module: NetworkModule, y: Tensor, last: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of the losses of values that are there, and their number."""
    there = ~values.isnan()
    losses = module.head.losses(y, last, values.nan_to_num())
    return (losses * there).sum(), there.sum()
