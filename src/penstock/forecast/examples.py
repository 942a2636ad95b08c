"""Training examples for forecasting: rows of series, and look-back windows taken from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from penstock.forecast.features import Encoded, ForecastFeatures
from penstock.panels.panel import Panel

__all__ = ["Examples", "examples_of"]


@dataclass(frozen=True)
class Examples:
    """Rows of series from which look-back windows are taken; a row is one target of a series, or all targets.

    Attributes:
        values: arrays (steps, targets of a row) float32.
        observed: masks of the same shapes.
        covariates: arrays (steps, covariates).
        known: arrays (steps + horizon, known).
        identities: (rows,).
        first: (rows,), the first usable origin, as a number of steps.
        last: (rows,), the last usable origin.
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
        """Make examples from encoded series, the numbers of their rows, and their first and last origins."""
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
        """Number of origins of each row, (rows,)."""
        return np.maximum(self.last - self.first + 1, 0)

    def windows(self, rows: np.ndarray, origins: np.ndarray, context: int, horizon: int) -> tuple[Tensor, ...]:
        """Return batches of values, covariates, known covariates, and truth with its mask."""
        pairs = list(zip(rows.tolist(), origins.tolist(), strict=True))
        return (
            torch.stack([self.values[row][at - context : at] for row, at in pairs]),
            torch.stack([self.covariates[row][at - context : at] for row, at in pairs]),
            torch.stack([self.known[row][at : at + horizon] for row, at in pairs]),
            torch.stack([self.values[row][at : at + horizon] for row, at in pairs]),
            torch.stack([self.observed[row][at : at + horizon] for row, at in pairs]),
        )

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows and origins; rows by the square root of their origins, so that long ones do not dominate."""
        shares = np.sqrt(self.counts)
        rows = generator.choice(len(shares), count, p=shares / shares.sum())
        return rows, self.first[rows] + (generator.random(count) * self.counts[rows]).astype(np.int64)

    def spread(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Return about `most` origins at most, spread evenly over rows and time."""
        rows = np.repeat(np.arange(len(self.counts)), self.counts)
        origins = np.concatenate([np.arange(a, a + n) for a, n in zip(self.first, self.counts, strict=True)])
        chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))
        return rows[chosen], origins[chosen]


def examples_of(panel: Panel, features: ForecastFeatures, what: str) -> Examples:
    """Return the examples of the series that are long enough.

    Args:
        panel: series with the columns of training.
        features: which convert them.
        what: what they are for, for errors, such as "learn from".

    Raises:
        DataError: other columns or steps than in training, or no series is long enough.
    """
    features.check(panel)
    usable = features.measurable(panel, what)
    encoded = [features.encode(series, panel.frequency) for series in usable]
    return Examples.of(
        encoded,
        [features.rows(each.identity) for each in encoded],
        [max(series.begin, features.context) for series in usable],
        [min(len(series), each.known_steps) - features.horizon for series, each in zip(usable, encoded, strict=True)],
        features.joint,
    )
