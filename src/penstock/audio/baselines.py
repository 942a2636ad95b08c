"""Baselines of audio classifiers: the most frequent class, and logistic regression on summary statistics."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.sequences import Sequences
from penstock.sounds.features import AudioFeatures
from penstock.sounds.recordings import Recording

__all__ = ["AudioBaselines", "statistics", "summaries"]

_LINEAR = ("mean", "scale", "coef", "intercept")


class AudioBaselines:
    """The baselines saved with an audio classifier: "statistics", if there is one, and "majority".

    Args:
        arrays: as in `baseline.safetensors`: `class_counts` int64 (classes,), training rows per class; and, all or
            none, `mean` and `scale` (statistics,), for standardisation, `coef` (classes, statistics) and `intercept`
            (classes,), one row for two classes.
        features: converts recordings to the features that the statistics summarise.

    Raises:
        BundleError: arrays are missing or do not match each other.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], features: AudioFeatures) -> None:
        has_linear = any(name in arrays for name in _LINEAR)
        needed = ("class_counts", *_LINEAR) if has_linear else ("class_counts",)
        if missing := [name for name in needed if name not in arrays]:
            raise BundleError(
                f"the baseline lacks {', '.join(missing)}. Train the model again, or copy its folder again."
            )
        self.features = features
        self.class_counts = arrays["class_counts"]
        self.names: tuple[str, ...] = ("statistics", "majority") if has_linear else ("majority",)
        if has_linear:
            self._mean, self._scale, self._coef, self._intercept = (arrays[name].astype(np.float64) for name in _LINEAR)
            self._check()

    def answers(self, name: str, recordings: Sequence[Recording]) -> NDArray[np.float64]:
        """Return the probabilities (recordings, classes) of a baseline."""
        if name == "majority":
            return np.tile(self.class_counts / self.class_counts.sum(), (len(recordings), 1))
        return self.probabilities(summaries(self.features, recordings))

    def probabilities(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities (rows, classes) of logistic regression for statistics (rows, statistics)."""
        scores = ((found - self._mean) * self._scale) @ self._coef.T + self._intercept
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def _check(self) -> None:
        classes, size = len(self.class_counts), 2 * self.features.size
        rows = 1 if classes == 2 and len(self._coef) == 1 else classes
        shapes = [array.shape for array in (self._mean, self._scale, self._coef, self._intercept)]
        if shapes != [(size,), (size,), (rows, size), (rows,)]:
            raise BundleError(
                f"the baseline's mean and scale must be (statistics={size},), coef (classes={rows}, statistics) and "
                f"intercept (classes,); got {', '.join(map(str, shapes))}"
            )


def summaries(features: AudioFeatures, recordings: Iterable[Recording]) -> NDArray[np.float64]:
    """Return `statistics` of recordings, whose features are held one after the other."""
    found = [statistics(features.apply([each])) for each in recordings]
    return np.concatenate([np.zeros((0, 2 * features.size)), *found])


def statistics(sequences: Sequences) -> NDArray[np.float64]:
    """Return mean and spread over time of each feature, (sequences, 2 * size); zeros for an empty sequence."""
    size = sequences.values.shape[1]
    found = np.zeros((len(sequences), 2 * size))
    for row, values in enumerate(sequences):
        if len(values):
            found[row, :size] = values.mean(axis=0, dtype=np.float64)
            found[row, size:] = values.std(axis=0, dtype=np.float64)
    return found
