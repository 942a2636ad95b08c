"""Forecasts at origins: where the series of a panel have context and ground truth, and what the network gives there."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.forecast.baselines import Origins
from penstock.forecast.features import Encoded, ForecastFeatures
from penstock.forecast.scorer import step_features
from penstock.panels.panel import Panel, Series

__all__ = ["OriginOutputs", "ahead"]

# Look-backs per batch: enough to use the engine fully within tens of megabytes of memory.
_ROWS = 1024


class OriginOutputs:
    """What a forecaster's network gives at origins, from a look-back or from a carried state."""

    features: ForecastFeatures
    scorer: Any  # a CarriedScorer or a WindowScorer

    @property
    def carries(self) -> bool:
        """Whether forecasts use a state carried over the whole series instead of a look-back."""
        return self.scorer.carries

    def origins(
        self, panel: Panel, *, every: int = 1, network: bool = True, context: int = 0
    ) -> Iterator[tuple[int, Origins, NDArray[np.float32] | None]]:
        """Yield all origins of a panel that have context and ground truth, in batches.

        Args:
            panel: as `self.panel` returns it.
            every: steps between origins; 1 for all origins.
            network: whether to run the network for `read`.
            context: as for `errors`.

        Yields:
            The index of the series in the panel, origins, and the argument `read` of `forecasts` and `outputs`.
        """
        for number, series in enumerate(panel):
            first = max(series.begin, self.features.context, context)
            if len(series) < first + self.features.horizon:
                continue
            encoded = self._encoded(series, panel)
            read = self.read(encoded) if self.carries and network else None
            for steps in self._pieces(series, encoded, first, every):
                yield number, Origins(series, encoded, steps), read

    def forecasts(self, origins: Origins, read: NDArray[np.float32] | None = None) -> NDArray[np.float64]:
        """Return the quantiles (origins, horizon, targets, quantiles) at origins of one series.

        Args:
            origins: origins of one series.
            read: the result of `self.read` for this series, to avoid computing it again.
        """
        return self.features.forecasts(self.outputs(origins, read), origins.encoded.scale)

    def outputs(self, origins: Origins, read: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return the network's scaled outputs at origins of one series, in the same shape as `forecasts`."""
        if self.carries:
            return self._carried(origins, self.read(origins.encoded) if read is None else read)
        return self._windows(origins)

    def encoded_ahead(self, series: Series, panel: Panel) -> Encoded:
        """Return a series of a panel as the network reads it for a forecast after its end.

        Raises:
            DataError: the series is shorter than the context, or its known covariates end before the horizon.
        """
        encoded = self._encoded(series, panel)
        if encoded.known_steps < len(series) + self.features.horizon:
            raise DataError(
                f"series {series.name!r}: {', '.join(self.features.known)} must be known for the "
                f"{self.features.horizon} steps after its last value; known for "
                f"{encoded.known_steps - len(series)}. Add rows with times ahead and an empty target."
            )
        return encoded

    def _encoded(self, series: Series, panel: Panel) -> Encoded:
        if len(series) < self.features.context:
            raise DataError(
                f"series {series.name!r} must have the {self.features.context} values of the context before a "
                f"forecast; got {len(series)}. Give more of its history, or train with a shorter context."
            )
        return self.features.encode(series, panel.frequency)

    def _pieces(self, series: Series, encoded: Encoded, first: int, every: int) -> Iterator[NDArray[np.int64]]:
        """The origins of a series from `first` on, in batches that fit into memory."""
        last = min(len(series), encoded.known_steps) - self.features.horizon
        size = max(1, _ROWS // len(self.features.targets)) * every
        for start in range(first, last + 1, size):
            yield np.arange(start, min(start + size, last + 1), every)

    def windows(
        self, values: NDArray[np.float32], covariates: NDArray[np.float32], known: NDArray[np.float32], identity: int
    ) -> NDArray[np.float32]:
        """Return outputs (origins, horizon, targets, quantiles) from look-backs.

        Args:
            values: (origins, targets, context).
            covariates: (origins, context, covariates).
            known: (origins, horizon, known).
            identity: the number of the series.
        """
        count, targets, _ = values.shape
        read, covariates, rows = self.look_back_rows(values, covariates, identity)
        if self.features.joint:
            return self.scorer(read, covariates, known, rows)
        found = self.scorer(read, covariates, np.repeat(known, targets, axis=0), rows)
        return found.reshape(count, targets, *found.shape[1:])[:, :, :, 0].swapaxes(1, 2)

    def look_back(
        self, values: NDArray[np.float32], covariates: NDArray[np.float32], identity: int
    ) -> NDArray[np.float32]:
        """Return the encoder's input for look-backs, (segments, rows, size); arguments as for `windows`."""
        return self.scorer.look_back(*self.look_back_rows(values, covariates, identity))

    def look_back_rows(
        self, values: NDArray[np.float32], covariates: NDArray[np.float32], identity: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Return look-backs as the network reads them, (rows, context, targets), covariates, and each row's series."""
        count, targets, context = values.shape
        rows = np.tile(self.features.rows(identity), count)
        if self.features.joint:
            return values.swapaxes(1, 2), covariates, rows
        return values.reshape(count * targets, context, 1), np.repeat(covariates, targets, axis=0), rows

    def _windows(self, origins: Origins) -> NDArray[np.float32]:
        encoded, steps, context = origins.encoded, origins.steps, self.features.context
        view = np.lib.stride_tricks.sliding_window_view
        values = view(encoded.values, context, axis=0)[steps - context]
        covariates = view(encoded.covariates, context, axis=0)[steps - context].swapaxes(1, 2)
        known = ahead(encoded.known, steps, self.features.horizon)
        return self.windows(values, covariates, known, encoded.identity)

    def read(self, encoded: Encoded) -> NDArray[np.float32]:
        """Return the encoder's outputs (steps, rows, size) at every step of a series, with a carried state."""
        before = np.concatenate([encoded.values[:1], encoded.values[:-1]])
        features = self.carried_features(encoded.values, before, encoded.covariates)
        return self.scorer.fold(features, self.features.rows(encoded.identity))[0]

    def carried_features(
        self, values: NDArray[np.float32], before: NDArray[np.float32], covariates: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the network's input features for steps, (steps, rows, features)."""
        if self.features.joint:
            return step_features(values, before, covariates)[:, None]
        each = np.broadcast_to(covariates[:, None], (*values.shape, covariates.shape[1]))
        return step_features(values[..., None], before[..., None], each)

    def carried(
        self, y: NDArray[np.float32], last: NDArray[np.float32], known: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return outputs (origins, horizon, targets, quantiles) from the encoder's outputs.

        Args:
            y: (origins, rows, size).
            last: (origins, targets).
            known: (origins, horizon, known).
        """
        count, rows, size = y.shape
        if self.features.joint:
            return self.scorer.head(y[:, 0], last, known)
        found = self.scorer.head(
            y.reshape(count * rows, size), last.reshape(count * rows, 1), np.repeat(known, rows, axis=0)
        )
        return found.reshape(count, rows, *found.shape[1:])[:, :, :, 0].swapaxes(1, 2)

    def _carried(self, origins: Origins, read: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = origins.steps
        known = ahead(origins.encoded.known, steps, self.features.horizon)
        return self.carried(read[steps - 1], origins.encoded.values[steps - 1], known)


def ahead(values: NDArray[Any], steps: NDArray[np.int64], horizon: int) -> NDArray[Any]:
    """The `horizon` rows after each origin, (origins, horizon, columns)."""
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, horizon, axis=0)[steps].swapaxes(1, 2))
