"""Rows of series that forecasting learns from, and the look-backs that are cut out of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from penstock.forecast.features import Encoded

__all__ = ["Examples"]


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
