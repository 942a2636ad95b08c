"""Trains the baseline of audio classifiers: logistic regression on mean and spread of each feature, tuned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from penstock.audio.baselines import AudioBaselines, summaries
from penstock.runtime.metrics import class_metrics
from penstock.sounds.features import AudioFeatures
from penstock.tasks.labelled import Part

__all__ = ["CANDIDATES", "fit_baseline"]

CANDIDATES = (0.01, 0.1, 1.0)
"""Values of scikit-learn's C (inverse regularisation strength) that are tried."""


def fit_baseline(
    train: Part,
    valid: Part,
    features: AudioFeatures,
    weights: np.ndarray,
    candidates: Sequence[float] = CANDIDATES,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Fit the baseline; choose C by the accuracy on the validation data, then by the log loss.

    Args:
        train, valid: the parts; their inputs are recordings.
        features: fitted.
        weights: (classes,), weight of a row of each class, as for the network, multiplied by the row's own weight.
        candidates: values of C to try.

    Returns:
        The arrays of `audio.baselines.AudioBaselines`, and the settings for reports.
    """
    counts = train.class_counts(len(weights))
    if np.count_nonzero(counts) < len(counts):  # continued training may lack some of the model's classes
        return {"class_counts": counts}, {}
    train_statistics, valid_statistics = (summaries(features, part.inputs) for part in (train, valid))
    mean, spread = train.mean_and_spread(train_statistics)
    scale = 1 / np.maximum(spread, 1e-6)
    best: tuple[tuple[float, float], float, dict[str, np.ndarray]] | None = None
    model = LogisticRegression(max_iter=2000, warm_start=True)
    for c in candidates:
        model.set_params(C=c).fit(
            (train_statistics - mean) * scale, train.targets, sample_weight=train.counting(weights)
        )
        parts = {"mean": mean, "scale": scale, "coef": model.coef_, "intercept": model.intercept_}
        arrays = {"class_counts": counts} | {name: array.astype(np.float32) for name, array in parts.items()}
        scores = class_metrics(
            AudioBaselines(arrays, features).probabilities(valid_statistics), valid.targets, valid.weights
        )
        rank = (scores["accuracy"], -scores["log_loss"])
        if best is None or rank > best[0]:
            best = (rank, c, arrays)
    assert best is not None
    return best[2], {"C": best[1], "candidates": list(candidates), "statistics": len(mean)}
