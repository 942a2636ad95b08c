"""Baselines of signal models, from arrays alone: the nearest training signal, and summary statistics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.signals.features import SignalFeatures
from penstock.signals.nearest import nearest, resampled
from penstock.signals.statistics import signal_statistics

__all__ = ["SignalBaselines"]

_LINEAR = ("statistics.mean", "statistics.scale", "statistics.coef", "statistics.intercept")
_NEAREST = ("nearest.signals", "nearest.targets")
_NEEDS = {"statistics": _LINEAR, "nearest": _NEAREST, "nearest_dtw": _NEAREST, "majority": (), "mean": ()}


class SignalBaselines:
    """The baselines saved with a signal classifier or regressor.

    Signals are standardised first. For "nearest" and "nearest_dtw" they are stretched to one length.

    Args:
        arrays: as in `baseline.safetensors`: `names` uint8, UTF-8 separated by newlines, the main one first;
            `class_counts` int64 (classes,) or `target_mean` float64 (1,).
            `nearest.signals` (signals, steps, channels), `nearest.targets` (signals,), and for classes
            `<name>.sure` (1,), the probability that is assigned to the neighbour's class.
            `statistics.mean`, `statistics.scale` (statistics,), by which statistics are standardised;
            `statistics.coef` (outputs, statistics), `statistics.intercept` (outputs,), one row for two classes.
        features: the network's features.

    Raises:
        BundleError: arrays are missing or do not match each other.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], features: SignalFeatures) -> None:
        self._arrays, self._features = arrays, features
        known = [name for name in ("class_counts", "target_mean") if name in arrays]
        if "names" not in arrays or not known:
            raise BundleError("the baseline lacks its names. Train the model again, or copy its folder again.")
        self.classes = len(arrays["class_counts"]) if known[0] == "class_counts" else 0
        self.names: tuple[str, ...] = tuple(arrays["names"].tobytes().decode().split("\n"))
        for name in self.names:
            missing = [needed for needed in _NEEDS.get(name, ("",)) if needed not in arrays]
            if missing:
                raise BundleError(
                    f"the baseline {name!r} can't be read: it lacks {', '.join(missing) or 'a known name'}"
                )

    def answers(self, name: str, inputs: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Return a baseline's predictions for signals (steps, channels): (signals, classes) or (signals, 1)."""
        if name in ("majority", "mean"):
            counts = self._arrays["class_counts"] if self.classes else None
            row = self._arrays["target_mean"] if counts is None else counts / counts.sum()
            return np.tile(np.asarray(row, np.float64), (len(inputs), 1))
        signals = [self._features.standardised(signal) for signal in inputs]
        return self._linear(signals) if name == "statistics" else self._neighbours(name, signals)

    def _linear(self, signals: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        mean, scale, coef, intercept = (self._arrays[name].astype(np.float64) for name in _LINEAR)
        scores = (signal_statistics(signals, self._features.channels) - mean) / scale @ coef.T + intercept
        if not self.classes:
            return scores
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def _neighbours(self, name: str, signals: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        known, targets = self._arrays["nearest.signals"].astype(np.float64), self._arrays["nearest.targets"]
        queries = np.array([resampled(signal, known.shape[1]) for signal in signals])
        queries = queries.reshape(len(signals), *known.shape[1:])
        neighbours = targets[nearest(queries, known, "dtw" if name == "nearest_dtw" else "euclidean")]
        if not self.classes:
            return neighbours.astype(np.float64)[:, None]
        sure = float(self._arrays[f"{name}.sure"][0])
        answers = np.full((len(signals), self.classes), (1 - sure) / max(self.classes - 1, 1))
        answers[np.arange(len(signals)), neighbours] = sure
        return answers
