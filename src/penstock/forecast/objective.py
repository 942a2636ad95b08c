"""Training objectives for forecasting, with the quantile loss: random look-backs, or streams with a carried state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from penstock.datasets import Chunk, stream_chunks
from penstock.forecast.data import ForecastData
from penstock.forecast.examples import Examples, examples_of
from penstock.forecast.features import ForecastFeatures
from penstock.forecast.module import CarriedModule, WindowModule
from penstock.forecast.scorer import step_features
from penstock.training.carried import CarriedState
from penstock.training.objective import Seeded

__all__ = ["CarriedObjective", "WindowObjective", "objective_of", "pinball"]

# Share of examples whose series is made unknown at random, so that the network can forecast unseen series.
_UNKNOWN_SHARE = 0.1
_VALIDATION_ORIGINS, _VALIDATION_ROWS = 4096, 1024
# Origins of the training data, or rows for carried states, on which learning curves are measured after each epoch.
_SEEN_ORIGINS, _SEEN_ROWS = 1000, 32
# Probability of restarting a stream, so that the network also learns from states with little history.
_RESET_SHARE = 0.05


def pinball(error: Tensor, quantiles: Tensor) -> Tensor:
    """Twice the quantile loss (Koenker and Bassett 1978), so that it equals the absolute error for quantile 0.5.

    Args:
        error: (..., quantiles), ground truth minus forecast.
        quantiles: (quantiles,).

    Returns:
        The loss of each error, (..., quantiles).
    """
    return 2 * torch.maximum(quantiles * error, (quantiles - 1) * error)


@dataclass(kw_only=True, eq=False)
class _ForecastObjective(Seeded):
    """The part that is the same for both kinds of networks.

    train, valid: rows for training and for early stopping
    quantiles: in ascending order
    context, horizon: in steps
    batch_size: look-backs or streams per training step
    steps: batches per epoch
    validation_origins: maximum number of origins used to select the best epoch
    generator: for dropout and unknown series
    """

    train: Examples
    valid: Examples
    quantiles: Tensor
    context: int
    horizon: int
    batch_size: int
    steps: int
    validation_origins: int
    generator: torch.Generator

    def known_or_not(self, identities: Tensor) -> Tensor:
        """The identities, some of them replaced at random by that of an unknown series."""
        hidden = torch.rand(len(identities), generator=self.generator) < _UNKNOWN_SHARE
        return identities.masked_fill(hidden, 0)

    def mean(self, forecasts: Tensor, truth: Tensor, observed: Tensor, unit: Tensor | float) -> tuple[Tensor, Tensor]:
        """The sum of the loss over observed values, and their number; errors are measured in `unit`."""
        loss = pinball((truth[..., None] - forecasts) / unit, self.quantiles).mean(-1)
        return (loss * observed).sum(), observed.sum()


@dataclass(kw_only=True, eq=False)
class WindowObjective(_ForecastObjective):
    """Training on random look-backs; errors are measured in units of the look-back's own spread."""

    def batches(self, generator: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """The batches of an epoch: rows and origins."""
        rows, origins = self.train.draw(self.steps * self.batch_size, generator)
        return list(zip(np.split(rows, self.steps), np.split(origins, self.steps), strict=True))

    def loss(self, module: WindowModule, batch: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, float]:
        """The mean loss of the batch."""
        identities = self.known_or_not(self.train.identities[torch.from_numpy(batch[0])])
        total, count = self._loss(module, self.train, batch, identities)
        return total / count.clamp(min=1), count.item()

    @torch.no_grad()
    def validate(self, module: WindowModule) -> dict[str, float]:
        """The loss over the validation data."""
        return self._validated(module, self.valid, self.validation_origins)

    @torch.no_grad()
    def validate_seen(self, module: WindowModule) -> dict[str, float]:
        """The same loss at some origins of the training data, for learning curves."""
        return self._validated(module, self.train, min(int(self.valid.counts.sum()), _SEEN_ORIGINS))

    def _validated(self, module: WindowModule, examples: Examples, most: int) -> dict[str, float]:
        module.eval()
        rows, origins = examples.spread(most)
        total = count = 0.0
        for start in range(0, len(rows), _VALIDATION_ROWS):
            piece = slice(start, start + _VALIDATION_ROWS)
            identities = examples.identities[torch.from_numpy(rows[piece])]
            sums = self._loss(module, examples, (rows[piece], origins[piece]), identities)
            total, count = total + sums[0].item(), count + sums[1].item()
        module.train()
        return {"loss": total / max(count, 1)}

    def _loss(
        self, module: WindowModule, examples: Examples, batch: tuple[np.ndarray, np.ndarray], identities: Tensor
    ) -> tuple[Tensor, Tensor]:
        values, covariates, known, truth, observed = examples.windows(*batch, self.context, self.horizon)
        forecasts, unit = module(values, covariates, known, identities)
        return self.mean(forecasts, truth, observed, unit)


@dataclass(kw_only=True, eq=False)
class CarriedObjective(_ForecastObjective):
    """Training on parallel streams, read in chunks with the state carried over, with a loss at every step.

    Streams start at random places. They restart at the end of their series or at random, so that the network learns
    from states with histories of every length.

    chunk: steps read at once
    """

    chunk: int
    _carried: CarriedState = field(default_factory=CarriedState, init=False)

    def batches(self, generator: np.random.Generator) -> list[Chunk]:
        """The chunks of an epoch; all streams restart at the beginning of the epoch."""
        return stream_chunks(
            self.train.last,
            self._places,
            streams=self.batch_size,
            steps=self.chunk,
            count=self.steps,
            generator=generator,
            reset_share=_RESET_SHARE,
        )

    def loss(self, module: CarriedModule, batch: Chunk) -> tuple[Tensor, float]:
        """The mean loss of the next chunk of each stream."""
        parts = [self._piece(row, start) for row, start in zip(batch.rows.tolist(), batch.starts.tolist(), strict=True)]
        steps, last, known, truth, observed = (torch.stack(each) for each in zip(*parts, strict=True))
        identities = self.known_or_not(self.train.identities[torch.from_numpy(batch.rows)])
        forecasts, state = module(steps, last, known, identities, self._carried.begin(batch.fresh))
        self._carried.keep(state)
        total, count = self.mean(forecasts, truth, observed, 1.0)
        return total / count.clamp(min=1), count.item()

    def state_dict(self) -> dict[str, Any]:
        """The states of the generator and of the streams."""
        return super().state_dict() | {"carried": self._carried.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a state."""
        super().load_state_dict(state)
        self._carried.load_state_dict(state["carried"])

    @torch.no_grad()
    def validate(self, module: CarriedModule) -> dict[str, float]:
        """The loss over the validation data, the state carried from each series' first step."""
        return self._validated(module, self.valid, *self.valid.spread(self.validation_origins))

    @torch.no_grad()
    def validate_seen(self, module: CarriedModule) -> dict[str, float]:
        """The same loss on some rows of the training data, for learning curves."""
        rows, origins = self.train.spread(min(int(self.valid.counts.sum()), _SEEN_ORIGINS))
        # Each row is read from its first step, so a few rows are enough.
        several = np.unique(rows)
        chosen = several[np.linspace(0, len(several) - 1, min(len(several), _SEEN_ROWS)).round().astype(np.int64)]
        kept = np.isin(rows, chosen)
        return self._validated(module, self.train, rows[kept], origins[kept])

    def _validated(
        self, module: CarriedModule, examples: Examples, rows: np.ndarray, origins: np.ndarray
    ) -> dict[str, float]:
        module.eval()
        total = count = 0.0
        for row in np.unique(rows).tolist():
            at = torch.from_numpy(origins[rows == row])
            last = int(at.max())
            values, covariates = examples.values[row][:last], examples.covariates[row][:last]
            x = _features(values, covariates)[None]
            y, _ = module.encoder(module.inputs(x, examples.identities[row : row + 1]))
            known = examples.known[row].unfold(0, self.horizon, 1).transpose(1, 2)[at]
            forecasts = module.head(y[0, at - 1], values[at - 1], known)
            ahead = (
                each[row].unfold(0, self.horizon, 1).transpose(1, 2)[at]
                for each in (examples.values, examples.observed)
            )
            sums = self.mean(forecasts, next(ahead), next(ahead), 1.0)
            total, count = total + sums[0].item(), count + sums[1].item()
        module.train()
        return {"loss": total / max(count, 1)}

    def _places(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random rows, and the steps at which to start."""
        rows, _ = self.train.draw(count, generator)
        return rows, (generator.random(count) * self.train.last[rows]).astype(np.int64)

    def _piece(self, row: int, place: int) -> tuple[Tensor, ...]:
        """Inputs, last values, known covariates, ground truth and its mask: `chunk` steps, padded with zeros."""
        train, horizon = self.train, self.horizon
        steps = min(self.chunk, int(train.last[row]) - place)  # up to the last step that has its ground truth
        values = train.values[row][max(place - 1, 0) : place + steps]
        covariates = train.covariates[row][place : place + steps]
        x = _features(values, covariates, follows=place > 0)
        known = train.known[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        truth = train.values[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        observed = train.observed[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        return tuple(_padded(each, self.chunk) for each in (x, values[-steps:], known, truth, observed))


def objective_of(
    data: ForecastData, features: ForecastFeatures, *, carried: bool, batch_size: int, seed: int
) -> CarriedObjective | WindowObjective:
    """Return the objective of a training.

    Args:
        data: the series; those to test with are checked too, so that invalid ones are known before the training.
        features: which convert them.
        carried: whether a state is carried over whole series.
        batch_size: look-backs per training step; of streams there are a quarter as many.
        seed: of all random numbers.

    Raises:
        DataError: series that the features don't fit, or that are too short.
    """
    if data.test is not None:
        examples_of(data.test, features, "test with")
    shared: dict[str, Any] = {
        "train": examples_of(data.train.panel, features, "learn from"),
        "valid": examples_of(data.valid, features, "validate with"),
        "quantiles": torch.tensor(features.quantiles, dtype=torch.float32),
        "context": features.context,
        "horizon": features.horizon,
        "batch_size": max(1, batch_size // 4) if carried else batch_size,
        "steps": len(data.train) // batch_size,
        "validation_origins": _VALIDATION_ORIGINS,
        "generator": torch.Generator().manual_seed(seed),
    }
    return CarriedObjective(chunk=features.context, **shared) if carried else WindowObjective(**shared)


def _features(values: Tensor, covariates: Tensor, *, follows: bool = False) -> Tensor:
    """The network's input features of steps; with `follows`, the first value belongs to the step before them."""
    own = values[1:] if follows else values
    before = values[:-1] if follows else torch.cat([values[:1], values[:-1]])
    return torch.from_numpy(step_features(own.numpy(), before.numpy(), covariates.numpy()))


def _padded(each: Tensor, steps: int) -> Tensor:
    if len(each) == steps:
        return each
    return torch.cat([each, each.new_zeros(steps - len(each), *each.shape[1:])])
