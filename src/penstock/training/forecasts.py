"""What forecasting asks of the loop: look-backs drawn at random, or states carried on and on; quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from penstock.features.forecasts import Encoded
from penstock.nn.forecast_networks import CarriedModule, WindowModule
from penstock.runtime.forecast_networks import step_features

__all__ = ["CarriedObjective", "Examples", "WindowObjective", "pinball"]

# Of an example's series, at random, so that an unknown one is answered sensibly.
_UNKNOWN_SHARE = 0.1
_VALIDATION_ROWS = 1024
# A state is thrown away now and then, so that those of young streams are known too.
_RESET_SHARE = 0.05


def pinball(error: Tensor, quantiles: Tensor) -> Tensor:
    """The quantile loss (Koenker and Bassett 1978), twice: of 0.5 it is the absolute error.

    Args:
        error: (..., quantiles), truth less forecast.
        quantiles: (quantiles,).
    """
    return 2 * torch.maximum(quantiles * error, (quantiles - 1) * error)


@dataclass(frozen=True)
class Examples:
    """Rows of series, each a target of a series or all of them, ready to cut look-backs from.

    values: each (steps, targets of a row) float32
    observed: each of the same shape
    covariates: each (steps, covariates)
    known: each (steps + horizon, known)
    identities: (rows,)
    first: (rows,), the first origin that may be used: what comes after so many steps
    last: (rows,), the last one
    """

    values: list[Tensor]
    observed: list[Tensor]
    covariates: list[Tensor]
    known: list[Tensor]
    identities: Tensor
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(
        cls,
        encoded: Sequence[Encoded],
        rows: Sequence[np.ndarray],
        first: Sequence[int],
        last: Sequence[int],
        joint: bool,
    ) -> "Examples":
        """From encoded series, the numbers of their rows, and each one's first and last origin."""
        values, observed, covariates, known, identities, begin, end = [], [], [], [], [], [], []
        for each, numbers, start, stop in zip(encoded, rows, first, last, strict=True):
            shared = torch.from_numpy(each.covariates), torch.from_numpy(each.known)
            for place, number in enumerate(numbers):
                columns = slice(None) if joint else slice(place, place + 1)
                values.append(torch.from_numpy(np.ascontiguousarray(each.values[:, columns])))
                observed.append(torch.from_numpy(np.ascontiguousarray(each.observed[:, columns])))
                covariates.append(shared[0])
                known.append(shared[1])
                identities.append(int(number))
                begin.append(start)
                end.append(stop)
        return cls(values, observed, covariates, known, torch.tensor(identities), np.array(begin), np.array(end))

    @property
    def counts(self) -> np.ndarray:
        """Origins of each row, (rows,)."""
        return np.maximum(self.last - self.first + 1, 0)

    def windows(self, rows: np.ndarray, origins: np.ndarray, context: int, horizon: int) -> tuple[Tensor, ...]:
        """values, covariates, known, and truth with where it was observed, side by side."""
        pairs = list(zip(rows.tolist(), origins.tolist(), strict=True))
        return (
            torch.stack([self.values[row][at - context : at] for row, at in pairs]),
            torch.stack([self.covariates[row][at - context : at] for row, at in pairs]),
            torch.stack([self.known[row][at : at + horizon] for row, at in pairs]),
            torch.stack([self.values[row][at : at + horizon] for row, at in pairs]),
            torch.stack([self.observed[row][at : at + horizon] for row, at in pairs]),
        )

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows and origins at random; a row by the square root of its origins, so that long ones do not drown short."""
        shares = np.sqrt(self.counts)
        rows = generator.choice(len(shares), count, p=shares / shares.sum())
        return rows, self.first[rows] + (generator.random(count) * self.counts[rows]).astype(np.int64)

    def spread(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """At most about so many origins, evenly over all rows and time."""
        rows = np.repeat(np.arange(len(self.counts)), self.counts)
        origins = np.concatenate([np.arange(a, a + n) for a, n in zip(self.first, self.counts, strict=True)])
        chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))
        return rows[chosen], origins[chosen]


@dataclass(kw_only=True, eq=False)
class _ForecastObjective:
    """What both networks share.

    train, valid: rows to learn from, and to stop by
    quantiles: rising
    context, horizon: steps
    batch_size: look-backs, or streams, of a step
    steps: batches of an epoch
    validation_origins: most of them that decide on the best epoch
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
        """Some of them made unknown."""
        hidden = torch.rand(len(identities), generator=self.generator) < _UNKNOWN_SHARE
        return identities.masked_fill(hidden, 0)

    def mean(self, forecasts: Tensor, truth: Tensor, observed: Tensor, unit: Tensor | float) -> tuple[Tensor, Tensor]:
        """The loss over observed values, and how many there were; errors count in `unit`."""
        loss = pinball((truth[..., None] - forecasts) / unit, self.quantiles).mean(-1)
        return (loss * observed).sum(), observed.sum()


@dataclass(kw_only=True, eq=False)
class WindowObjective(_ForecastObjective):
    """Look-backs drawn at random; errors count in units of the look-back's own spread."""

    def batches(self, generator: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows and origins."""
        rows, origins = self.train.draw(self.steps * self.batch_size, generator)
        return list(zip(np.split(rows, self.steps), np.split(origins, self.steps), strict=True))

    def loss(self, module: WindowModule, batch: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, int]:
        """The mean loss of the batch."""
        identities = self.known_or_not(self.train.identities[torch.from_numpy(batch[0])])
        total, count = self._loss(module, self.train, batch, identities)
        return total / count.clamp(min=1), len(batch[0])

    @torch.no_grad()
    def validate(self, module: WindowModule) -> dict[str, float]:
        """The loss over the validation data."""
        module.eval()
        rows, origins = self.valid.spread(self.validation_origins)
        total = count = 0.0
        for start in range(0, len(rows), _VALIDATION_ROWS):
            piece = slice(start, start + _VALIDATION_ROWS)
            identities = self.valid.identities[torch.from_numpy(rows[piece])]
            sums = self._loss(module, self.valid, (rows[piece], origins[piece]), identities)
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
    """Streams side by side, read stretch after stretch with the state carried over, a loss at every step.

    They begin at random places and begin anew at the end of their series or by chance, so that states of every age are
    learned from.
    """

    chunk: int
    _state: Any = field(default=None, init=False)
    _rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), init=False)
    _places: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), init=False)

    def batches(self, generator: np.random.Generator) -> list[np.random.Generator]:
        """As many steps as an epoch has; where the streams begin anew is drawn from the generator."""
        self._state = None
        self._rows = np.zeros(self.batch_size, np.int64)
        self._places = np.full(self.batch_size, np.iinfo(np.int64).max)
        return [generator] * self.steps

    def loss(self, module: CarriedModule, batch: np.random.Generator) -> tuple[Tensor, int]:
        """The mean loss of the next stretch of each stream."""
        self._begin_anew(batch)
        parts = [self._piece(row, place) for row, place in zip(self._rows.tolist(), self._places.tolist(), strict=True)]
        steps, last, known, truth, observed = (torch.stack(each) for each in zip(*parts, strict=True))
        identities = self.train.identities[torch.from_numpy(self._rows)]
        forecasts, state = module(steps, last, known, self.known_or_not(identities), self._state)
        self._state = _mapped(state, Tensor.detach)
        self._places += self.chunk
        total, count = self.mean(forecasts, truth, observed, 1.0)
        return total / count.clamp(min=1), len(parts)

    @torch.no_grad()
    def validate(self, module: CarriedModule) -> dict[str, float]:
        """The loss over the validation data, the state carried from each series' first step."""
        module.eval()
        rows, origins = self.valid.spread(self.validation_origins)
        total = count = 0.0
        for row in np.unique(rows).tolist():
            at = torch.from_numpy(origins[rows == row])
            values, covariates = self.valid.values[row], self.valid.covariates[row]
            x = _features(values, covariates)[None]
            y, _ = module.encoder(module.inputs(x, self.valid.identities[row : row + 1]))
            known = self.valid.known[row].unfold(0, self.horizon, 1).transpose(1, 2)[at]
            forecasts = module.head(y[0, at - 1], values[at - 1], known)
            ahead = (
                each[row].unfold(0, self.horizon, 1).transpose(1, 2)[at]
                for each in (self.valid.values, self.valid.observed)
            )
            sums = self.mean(forecasts, next(ahead), next(ahead), 1.0)
            total, count = total + sums[0].item(), count + sums[1].item()
        module.train()
        return {"loss": total / max(count, 1)}

    def _begin_anew(self, generator: np.random.Generator) -> None:
        """New places for streams that have come to the end of their series, and for some others."""
        over = self._places > self.train.last[self._rows] - 1
        over |= generator.random(self.batch_size) < _RESET_SHARE
        rows, _ = self.train.draw(self.batch_size, generator)
        starts = (generator.random(self.batch_size) * self.train.last[rows]).astype(np.int64)
        self._rows, self._places = np.where(over, rows, self._rows), np.where(over, starts, self._places)
        if self._state is not None:
            keep = torch.from_numpy(~over)[None, :, None]
            self._state = _mapped(self._state, lambda each: each * keep)

    def _piece(self, row: int, place: int) -> tuple[Tensor, ...]:
        """What is read, last values, what is known, truth, and where it counts: a stretch of `chunk` steps."""
        train, horizon = self.train, self.horizon
        steps = min(self.chunk, int(train.last[row]) - place)  # the truth of the last one is still there
        values = train.values[row][max(place - 1, 0) : place + steps]
        covariates = train.covariates[row][place : place + steps]
        x = _features(values, covariates, follows=place > 0)
        known = train.known[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        truth = train.values[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        observed = train.observed[row][place + 1 : place + steps + horizon].unfold(0, horizon, 1).transpose(1, 2)
        return tuple(_padded(each, self.chunk) for each in (x, values[-steps:], known, truth, observed))


def _features(values: Tensor, covariates: Tensor, *, follows: bool = False) -> Tensor:
    """What the network reads of steps; with `follows`, the first value is that of the step before them."""
    own = values[1:] if follows else values
    before = values[:-1] if follows else torch.cat([values[:1], values[:-1]])
    return torch.from_numpy(step_features(own.numpy(), before.numpy(), covariates.numpy()))


def _padded(each: Tensor, steps: int) -> Tensor:
    if len(each) == steps:
        return each
    return torch.cat([each, each.new_zeros(steps - len(each), *each.shape[1:])])


def _mapped(state: Any, function: Any) -> Any:
    return tuple(map(function, state)) if isinstance(state, tuple) else function(state)
