"""Training objectives of language models: long texts in lanes with carried states, or short pieces as they are.

The regularisation is that of AWD-LSTM (Merity et al. 2018): dropout with one mask for all steps of a sequence (Gal and
Ghahramani 2016), weight drop, and penalties on the activations.
"""

import time
from array import array
from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from penstock.datasets.batches import length_batches
from penstock.language.data import LanguageData, cut
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.module import LanguageModule
from penstock.language.scorer import shifted
from penstock.sequences import Sequences
from penstock.shards import StoredTokens
from penstock.training.carried import CarriedState
from penstock.training.objective import Seeded

__all__ = ["LaneObjective", "LanguageRegularization", "PieceObjective", "objective_of"]

_LONGEST_PIECE = 20
"""Longer pieces are cut for training, after so many chunks, which bounds the memory."""

_SHORTER_SHARE, _SPREAD, _FEWEST_STEPS = 0.05, 5, 5
"""Of chunks of varied length: those of half the length, the deviation of all, and the shortest in steps."""
_LANES, _VALIDATION_STEPS = 32, 128
_MAPPED = 128
"""Steps after which mapped pages of training data on disk are given back."""
_MOST_SEEN = 20_000
"""Steps of the training data that are measured after each epoch for learning curves."""


@dataclass(frozen=True, kw_only=True)
class LanguageRegularization:
    """Regularisation; shares are from 0 to below 1.

    Attributes:
        word_dropout: share of the vocabulary whose vectors are 0 in a batch.
        embedding_dropout, layer_dropout, output_dropout: dropout of the tokens' vectors, between layers, and of the
            outputs, with the same mask at each step.
        weight_drop: share of the recurrent weights that are 0 in a batch.
        activation: weight of the mean square of the outputs (AR).
        change: weight of the mean square of their change from step to step (TAR).
    """

    word_dropout: float = 0.0
    embedding_dropout: float = 0.0
    layer_dropout: float = 0.0
    output_dropout: float = 0.0
    weight_drop: float = 0.0
    activation: float = 0.0
    change: float = 0.0


class Lanes(NamedTuple):
    """The next steps of several lanes.

    Attributes:
        starts: (lanes,) int64, the place in the corpus of each lane's first target.
        stops: (lanes,) int64, the place after the last one, as far from the start in every lane.
        fresh: (lanes,) bool, whether the lane starts there with a zero state.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    fresh: NDArray[np.bool_]


class Chunks(Seq[Lanes]):
    """The chunks of an epoch, made when they are needed, because a large corpus has millions.

    Args:
        places: (lanes,), the first place of each lane.
        bounds: (chunks + 1,), from 0 on, the steps of a lane before each chunk and after the last one.
    """

    def __init__(self, places: NDArray[np.int64], bounds: NDArray[np.int64]) -> None:
        self._places, self._bounds = places, bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, index: int) -> Lanes: ...
    @overload
    def __getitem__(self, index: slice) -> list[Lanes]: ...
    def __getitem__(self, index: int | slice) -> Lanes | list[Lanes]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        start, stop = self._bounds[at], self._bounds[at + 1]
        return Lanes(self._places + start, self._places + stop, np.full(len(self._places), at == 0))


@dataclass(kw_only=True, eq=False)
class _LanguageObjective(Seeded):
    """The part that both forms of training share.

    train, valid: ids (total,), or frames (total, notes); `train` is not copied
    first: what stands before the first step of a sequence
    batch_size: lanes or pieces per step
    generator: for dropout
    """

    train: Sequences
    valid: Sequences
    first: Any
    batch_size: int
    regularization: LanguageRegularization
    generator: torch.Generator
    _waited: float = field(default=0.0, init=False)
    _steps: int = field(default=0, init=False)

    def expect(self, batches: Seq[Any]) -> float | None:
        """Return how long `loss` has read from disk so far, if it does; see `Objective.expect`.

        Nothing is read ahead: a lane goes on where it was, which the system foresees; short texts are little to read.
        """
        if not isinstance(self.train, StoredTokens):
            return None
        if batches and self._steps % _MAPPED == 0:
            self.train.release()
        self._steps += len(batches) > 0
        return self._waited

    def penalized(self, module: LanguageModule, inputs: Tensor, state: Any) -> tuple[Tensor, Tensor, Any]:
        """Return outputs with dropout (batch, time, features), the penalty on the activations, and the final state."""
        how = self.regularization
        x = self._locked(self._embedded(module, inputs), how.embedding_dropout)
        module.encoder.locked_dropout = how.layer_dropout
        y, state = module.encode_dropped(x, state, weight_drop=how.weight_drop, generator=self.generator)
        dropped, penalty = self._locked(y, how.output_dropout), y.new_zeros(())
        if how.activation:
            penalty = penalty + how.activation * dropped.square().mean()
        if how.change and y.shape[1] > 1:
            penalty = penalty + how.change * (y[:, 1:] - y[:, :-1]).square().mean()
        return dropped, penalty, state

    def _embedded(self, module: LanguageModule, inputs: Tensor) -> Tensor:
        share = self.regularization.word_dropout
        if not share or inputs.dim() != 2:
            return module.vectors(inputs)
        table = module.inputs.weight
        kept = torch.empty(len(table), 1).bernoulli_(1 - share, generator=self.generator).div_(1 - share)
        return functional.embedding(inputs, table) * kept[inputs]

    def _locked(self, x: Tensor, share: float) -> Tensor:
        """Apply dropout with the same mask at each step: x (batch, time, features)."""
        if not share:
            return x
        mask = torch.empty(x.shape[0], 1, x.shape[2]).bernoulli_(1 - share, generator=self.generator)
        return x * mask.div_(1 - share)

    @torch.no_grad()
    def validate(self, module: LanguageModule) -> dict[str, float]:
        """Return the mean loss of a step of the validation data."""
        return {"loss": self._mean(module, self.valid)}

    def _mean(self, module: LanguageModule, sequences: Sequences) -> float:
        raise NotImplementedError


@dataclass(kw_only=True, eq=False)
class LaneObjective(_LanguageObjective):
    """Truncated backpropagation over the whole corpus: each lane reads a part of it, in chunks, its state carried over.

    steps: length of a chunk
    varied: whether lengths vary at random, as in AWD-LSTM; the loss of a shorter chunk counts less
    """

    steps: int
    varied: bool = False
    _carried: CarriedState = field(default_factory=CarriedState, init=False)

    def batches(self, generator: np.random.Generator) -> "Chunks":
        """The chunks of an epoch; all lanes begin with a zero state."""
        places, length = _lanes(len(self.train.values), self.batch_size)
        bounds = array("q", [0])
        while bounds[-1] < length:
            bounds.append(min(bounds[-1] + self._length(generator), length))
        return Chunks(places, np.array(bounds, np.int64))

    def extent(self, batch: Lanes) -> int:
        """Return the number of steps of a chunk."""
        return int(batch.stops[0] - batch.starts[0])

    def loss(self, module: LanguageModule, batch: Lanes) -> tuple[Tensor, float]:
        """The mean loss of a step of the next chunk of each lane, with the penalties."""
        started = time.perf_counter()
        inputs, targets = self._chunk(self.train.values, batch.starts, batch.stops)
        self._waited += time.perf_counter() - started
        y, penalty, state = self.penalized(module, inputs, self._carried.begin(batch.fresh))
        self._carried.keep(state)
        loss = module.head.mean_loss(y.flatten(0, 1), targets, module.table) + penalty
        return loss * (inputs.shape[1] / self.steps if self.varied else 1.0), inputs.shape[0]

    @torch.no_grad()
    def validate_seen(self, module: LanguageModule) -> dict[str, float]:
        """Return the same loss on the beginning of the training data, for learning curves."""
        values = self.train.values[: min(_MOST_SEEN, len(self.valid.values))]
        return {"loss": self._mean(module, Sequences(values, np.array([0, len(values)])))}

    def state_dict(self) -> dict[str, Any]:
        """The states of the generator and of the lanes."""
        return super().state_dict() | {"carried": self._carried.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a state."""
        super().load_state_dict(state)
        self._carried.load_state_dict(state["carried"])

    def _length(self, generator: np.random.Generator) -> int:
        if not self.varied:
            return self.steps
        mean = self.steps / 2 if generator.random() < _SHORTER_SHARE else self.steps
        return max(_FEWEST_STEPS, round(generator.normal(mean, _SPREAD)))

    def _chunk(self, values: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]) -> tuple[Tensor, Tensor]:
        """What lanes read (lanes, steps), and their targets (lanes * steps,); only these steps are copied."""
        steps = int(stops[0] - starts[0])
        found = np.empty((len(starts), steps + 1), np.int64)
        for row, start in zip(found, starts.tolist(), strict=True):
            row[0] = values[start - 1] if start else self.first
            row[1:] = values[start : start + steps]
        both = torch.from_numpy(found)
        return both[:, :-1], both[:, 1:].flatten()

    def _mean(self, module: LanguageModule, sequences: Sequences) -> float:
        """In lanes, for speed, and so with a zero state at a few places: enough to choose an epoch by."""
        module.eval()
        values, total, state = sequences.values, 0.0, None
        places, length = _lanes(len(values), max(1, min(_LANES, len(values) // (4 * _VALIDATION_STEPS))))
        for start in range(0, length, _VALIDATION_STEPS):
            stop = min(start + _VALIDATION_STEPS, length)
            inputs, targets = self._chunk(values, places + start, places + stop)
            y, state = module.encode(module.vectors(inputs), state)
            total += module.head.losses(y.flatten(0, 1), targets, module.table).sum().item()
        module.train()
        return total / (length * len(places))


@dataclass(kw_only=True, eq=False)
class PieceObjective(_LanguageObjective):
    """Training on whole pieces from their first step: short texts, or music."""

    def batches(self, generator: np.random.Generator) -> list[NDArray[np.int64]]:
        """The batches of an epoch: the numbers of pieces of similar lengths."""
        return length_batches(self.train.lengths, self.batch_size, generator)

    def extent(self, batch: NDArray[np.int64]) -> int:
        """Return the number of steps of a batch, padding included."""
        starts, ends = self.train.offsets[batch], self.train.offsets[batch + 1]
        return int((ends - starts).max(initial=0)) * len(batch)

    def loss(self, module: LanguageModule, batch: NDArray[np.int64]) -> tuple[Tensor, float]:
        """The mean loss of a step of these pieces, with the penalties."""
        started = time.perf_counter()
        inputs, targets, there = self._padded(self.train, batch)
        self._waited += time.perf_counter() - started
        y, penalty, _ = self.penalized(module, inputs, None)
        return module.head.mean_loss(y[there], targets, module.table) + penalty, len(targets)

    @torch.no_grad()
    def validate_seen(self, module: LanguageModule) -> dict[str, float]:
        """Return the same loss on some of the training pieces, for learning curves."""
        count = min(len(self.train), len(self.valid))
        chosen = np.linspace(0, len(self.train) - 1, count).round().astype(np.int64)
        return {"loss": self._mean(module, self.train[chosen])}

    def _padded(self, sequences: Sequences, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """What pieces read (pieces, steps, ...), the targets of all their steps, and which steps they have."""
        chosen = sequences[rows]
        inputs, lengths = shifted(chosen, self.first).pad()
        there = np.arange(inputs.shape[1]) < lengths[:, None]
        kind = np.float32 if chosen.values.ndim == 2 else np.int64
        arrays = (inputs.astype(kind, copy=False), chosen.values.astype(kind, copy=False), there)
        found, targets, mask = map(torch.from_numpy, arrays)
        return found, targets, mask

    def _mean(self, module: LanguageModule, sequences: Sequences) -> float:
        module.eval()
        total = 0.0
        for batch in length_batches(sequences.lengths, self.batch_size):
            inputs, targets, there = self._padded(sequences, batch)
            y, _ = module.encode(module.vectors(inputs))
            total += module.head.losses(y[there], targets, module.table).sum().item()
        module.train()
        return total / max(1, len(sequences.values))


def objective_of(
    data: LanguageData,
    features: LanguageFeatures | FrameFeatures,
    *,
    steps: int,
    batch_size: int,
    varied: bool,
    regularization: LanguageRegularization,
    seed: int,
) -> LaneObjective | PieceObjective:
    """Return the objective of a training: of one long text, or of short ones or music, each by itself.

    Args:
        data: the parts, read by the features.
        features: which read them.
        steps: of a chunk, after which backpropagation is cut off.
        batch_size, varied, regularization: as the objectives have them.
        seed: of all random numbers.
    """
    shared: dict[str, Any] = {
        "train": data.train.sequences,
        "valid": data.valid.sequences,
        "first": features.first,
        "batch_size": batch_size,
        "regularization": regularization,
        "generator": torch.Generator().manual_seed(seed),
    }
    if data.in_pieces(steps):
        shared["train"] = cut(data.train.sequences, _LONGEST_PIECE * steps)
        return PieceObjective(**shared)
    return LaneObjective(steps=steps, varied=varied, **shared)


def _lanes(total: int, count: int) -> tuple[NDArray[np.int64], int]:
    """Return the first place of each of at most `count` lanes, and the steps of each; a few last steps may be left."""
    lanes = max(1, min(count, total))
    length = total // lanes
    return np.arange(lanes) * length, length
