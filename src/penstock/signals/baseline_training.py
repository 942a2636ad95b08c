"""Trains the baselines of signal models: the nearest training signal, and a linear model of summary statistics."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from penstock.runtime.metrics import class_metrics, regression_metrics
from penstock.signals.baselines import SignalBaselines
from penstock.signals.features import SignalFeatures
from penstock.signals.nearest import resampled
from penstock.signals.statistics import signal_statistics
from penstock.tasks.labelled import Part

__all__ = ["CANDIDATES", "fit_class_baselines", "fit_regression_baselines"]

CANDIDATES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Inverse regularisation strengths that are tried: scikit-learn's C, and 1 / alpha of ridge regression."""

# Maximum steps of the compared signals, and of numbers kept: more would enlarge bundles but not improve predictions.
_STEPS, _NUMBERS = 256, 2_000_000
# Limits for time warping: number of signals, and cells of the cost table over all of them for one query.
_WARPED_SIGNALS, _WARPED_CELLS = 1000, 2_000_000

Arrays = dict[str, NDArray[Any]]
Found = tuple[Arrays, dict[str, Any]]

_LEAST_LEAD = 0.01
"""Minimum lead of the neighbour's class over equal probabilities."""


def fit_class_baselines(
    train: Part, valid: Part, features: SignalFeatures, weights: NDArray[np.float64], *, plain: bool = False
) -> Found:
    """Fit the baselines of a classifier; the one with the best accuracy on the validation data comes first.

    Args:
        train, valid: the parts, with class numbers as targets.
        features: the network's features, fitted.
        weights: (classes,), weight of a signal of each class, multiplied by its own; neighbours ignore weights.
        plain: fit only the most frequent class.

    Returns:
        The arrays of `signals.baselines.SignalBaselines`, and the settings by baseline name.
    """
    classes = len(weights)
    arrays: Arrays = {"class_counts": train.class_counts(classes)}
    settings: dict[str, Any] = {}
    if plain:
        return arrays | {"names": _text(["majority"])}, settings

    def rank(name: str) -> tuple[float, float]:
        found = class_metrics(_answers(name, arrays, features, valid), valid.targets, valid.weights)
        return found["accuracy"], -found["log_loss"]

    for name in _keep_signals(arrays, settings, train, features):
        arrays[f"{name}.sure"] = np.ones(1)
        hits = _answers(name, arrays, features, valid).argmax(axis=1) == valid.targets
        # Its accuracy on the validation data, smoothed by Laplace's rule. However low that is, the neighbour's class
        # remains the most likely one: with a tie the first class would be predicted.
        hits = hits if valid.weights is None else hits * valid.weights
        arrays[f"{name}.sure"] = np.array([max((hits.sum() + 1) / (len(hits) + 2), 1 / classes + _LEAST_LEAD)])
    if len(np.unique(train.targets)) > 1:
        each = train.counting(weights)
        model = LogisticRegression(max_iter=2000, tol=1e-6, warm_start=True)
        _fit_linear(
            arrays,
            settings,
            train,
            features,
            lambda x, c: _class_rows(model.set_params(C=c).fit(x, train.targets, sample_weight=each), classes),
            lambda: rank("statistics"),
        )
    return _ordered(arrays, settings, "majority", rank)


def fit_regression_baselines(train: Part, valid: Part, features: SignalFeatures, *, plain: bool = False) -> Found:
    """Fit the baselines of a regressor; the one with the least squared error on the validation data comes first.

    Args:
        train, valid: the parts, with numbers (rows, 1) as targets.
        features: the network's features, fitted.
        plain: fit only the mean.

    Returns:
        As `fit_class_baselines`.
    """
    arrays: Arrays = {"target_mean": train.mean_and_spread(train.targets)[0]}
    settings: dict[str, Any] = {}
    if plain:
        return arrays | {"names": _text(["mean"])}, settings

    def rank(name: str) -> tuple[float, ...]:
        answers = _answers(name, arrays, features, valid)
        return (-regression_metrics(answers, valid.targets, valid.weights)["mse"],)

    def fitted(x: NDArray[np.float64], c: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        model = Ridge(alpha=1 / c).fit(x, train.targets[:, 0], sample_weight=train.weights)
        return model.coef_[None], np.array([model.intercept_])

    _keep_signals(arrays, settings, train, features)
    _fit_linear(arrays, settings, train, features, fitted, lambda: rank("statistics"))
    return _ordered(arrays, settings, "mean", rank)


def _answers(name: str, arrays: Arrays, features: SignalFeatures, part: Part) -> NDArray[np.float64]:
    named = arrays | {"names": _text([name])}
    return SignalBaselines(named, features).answers(name, part.inputs)


def _keep_signals(arrays: Arrays, settings: dict[str, Any], train: Part, features: SignalFeatures) -> list[str]:
    """Store training signals (as many as are worthwhile) in `arrays`; return the names of the distances to use."""
    steps = min(max(len(signal) for signal in train.inputs), _STEPS) or 1
    most = max(1, _NUMBERS // (steps * features.channels))
    rows = np.arange(len(train))
    if most < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    signals = [resampled(features.standardised(train.inputs[row]), steps) for row in rows.tolist()]
    targets = train.targets[rows] if train.targets.ndim == 1 else train.targets[rows, 0]
    arrays |= {"nearest.signals": np.array(signals, np.float32), "nearest.targets": targets}
    settings["nearest"] = {"signals": len(rows), "steps": steps}
    band = max(1, steps // 10)
    if len(rows) > _WARPED_SIGNALS or len(rows) * steps * (2 * band + 1) * features.channels > _WARPED_CELLS:
        return ["nearest"]
    settings["nearest_dtw"] = {"signals": len(rows), "steps": steps, "band": band}
    return ["nearest", "nearest_dtw"]


def _fit_linear(
    arrays: Arrays,
    settings: dict[str, Any],
    train: Part,
    features: SignalFeatures,
    fitted: Callable[[NDArray[np.float64], float], tuple[NDArray[np.float64], NDArray[np.float64]]],
    rank: Callable[[], Any],
) -> None:
    """Store the linear model of summary statistics in `arrays`, with the best ranked regularisation strength."""
    signals = [features.standardised(signal) for signal in train.inputs]
    x = signal_statistics(signals, features.channels)
    mean, scale = train.mean_and_spread(x)
    scale = np.where(scale > 1e-9, scale, 1.0)
    arrays |= {"statistics.mean": mean, "statistics.scale": scale}
    best: Any = None
    for c in CANDIDATES:
        coef, intercept = fitted((x - mean) / scale, c)
        arrays |= {"statistics.coef": coef, "statistics.intercept": intercept}
        found = rank()
        if best is None or found > best[0]:
            best = (found, c, coef, intercept)
    arrays |= {"statistics.coef": best[2], "statistics.intercept": best[3]}
    settings["statistics"] = {"C": best[1], "candidates": list(CANDIDATES)}


def _class_rows(model: Any, classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients with a row for each class; an absent class gets a score too low to be predicted."""
    coef, intercept = model.coef_.copy(), model.intercept_.copy()
    if len(model.classes_) == classes:
        return coef, intercept
    if len(coef) == 1:
        coef, intercept = np.stack([np.zeros_like(coef[0]), coef[0]]), np.array([0.0, intercept[0]])
    rows, offsets = np.zeros((classes, coef.shape[1])), np.full(classes, -30.0)
    rows[model.classes_], offsets[model.classes_] = coef, intercept
    return rows, offsets


def _ordered(arrays: Arrays, settings: dict[str, Any], plainest: str, rank: Callable[[str], Any]) -> Found:
    """Return the arrays with the baselines' names, the best first."""
    names: Sequence[str] = [*settings, plainest]
    arrays["names"] = _text(sorted(names, key=rank, reverse=True))
    return arrays, settings


def _text(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)
