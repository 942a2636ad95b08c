"""Fits the baselines of detectors on the training part: an isolation forest, and the scales of the other two."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from penstock.detect.baselines import BASELINES, DetectionBaselines, path_constant, windows_of
from penstock.detect.season_search import lag_errors

__all__ = ["find_season", "fit_baselines"]

_TREES, _SAMPLES = 100, 256  # as Liu et al. (2008) recommend
_WINDOW, _ROLLING = 16, 100
_MOST_WINDOWS = 20_000
_FEWEST, _NEARLY = 8, 1.1
_SMALLEST = 1e-3


def fit_baselines(values: Sequence[NDArray[np.float64]]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `detect.baselines.DetectionBaselines`, and the settings for reports.

    Args:
        values: (steps, targets) of each training series, standardised; NaN for missing values.
    """
    seasons = [find_season(each) for each in values]
    # A series that training did not know has the usual season.
    usual = max(set(seasons), key=lambda season: (seasons.count(season), -season))
    scales = [_residual_scale(each, season) for each, season in zip(values, seasons, strict=True)]
    arrays: dict[str, NDArray[Any]] = {
        "seasons": np.array([usual, *seasons]),
        "rolling": np.array([_ROLLING]),
        "residual_scale": np.stack([np.median([_residual_scale(each, usual) for each in values], axis=0), *scales]),
        "thresholds": np.zeros(len(BASELINES)),
    }
    arrays |= _forest(values)
    baselines = DetectionBaselines(arrays)
    for name in baselines.names:
        found = np.concatenate([baselines.scores(name, each, place + 1) for place, each in enumerate(values)])
        found = found[~np.isnan(found)]
        arrays["thresholds"][BASELINES.index(name)] = found.max() if len(found) else np.inf
    settings = {"isolation_forest": {"trees": _TREES, "window": _WINDOW}} if "trees" in arrays else {}
    return arrays, settings | {"seasonal_residual": {"season": usual}, "rolling_z": {"window": _ROLLING}}


def find_season(values: NDArray[np.float64]) -> int:
    """Return the steps after which a series (steps, targets) repeats with the least error; 1 for no season.

    The candidates are the highest peaks of the autocorrelation, up to half the series' length; of those whose errors
    are nearly the same, such as multiples of one season, it is the shortest.
    """
    if len(values) <= _FEWEST:
        return 1
    same = np.abs(np.diff(values, axis=0))
    same = same[~np.isnan(same)]
    errors = ({1: float(same.mean())} if len(same) else {}) | lag_errors(values)
    return min((lag for lag, error in errors.items() if error <= _NEARLY * min(errors.values())), default=1)


def _residual_scale(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """The root mean square of each target's seasonal differences."""
    differences = values[season:] - values[:-season]
    there = ~np.isnan(differences)
    squares = np.where(there, differences**2, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.maximum(np.sqrt(squares), _SMALLEST)


def _forest(values: Sequence[NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """The isolation forest as arrays; empty for series shorter than its window."""
    windows = np.concatenate([windows_of(each, _WINDOW) for each in values])
    if not len(windows):
        return {}
    every = -(-len(windows) // _MOST_WINDOWS)
    model = IsolationForest(n_estimators=_TREES, max_samples=min(_SAMPLES, len(windows)), random_state=0)
    model.fit(windows[::every])
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("trees", "features", "splits", "left", "right", "depths")
    }
    nodes = 0
    for estimator in model.estimators_:
        tree = estimator.tree_
        own, leaf = np.arange(tree.node_count), tree.children_left < 0
        parts["trees"].append(np.array([nodes]))
        parts["features"].append(np.where(leaf, 0, tree.feature))
        parts["splits"].append(tree.threshold)
        for name, children in (("left", tree.children_left), ("right", tree.children_right)):
            parts[name].append(nodes + np.where(leaf, own, children))
        parts["depths"].append(_depths(tree))
        nodes += tree.node_count
    found = {name: np.concatenate(several) for name, several in parts.items()}
    for name in ("trees", "features", "left", "right"):
        found[name] = found[name].astype(np.int64)
    return found | {"samples": np.array([model.max_samples_]), "window": np.array([_WINDOW])}


def _depths(tree: Any) -> NDArray[np.float64]:
    """The depth of each node, and for leaves the mean depth that a full tree would add to it."""
    depths = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # children come after their parents
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depths[child] = depths[node] + 1
    leaf = tree.children_left < 0
    depths[leaf] += [path_constant(int(count)) for count in tree.n_node_samples[leaf]]
    return depths
