"""Fits the baselines of detectors on the training part: an isolation forest, and the scales of the other two."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from penstock.detect.baselines import BASELINES, DetectionBaselines, path_constant, windows_of

__all__ = ["fit_baselines"]

_TREES, _SAMPLES = 100, 256  # as Liu et al. (2008) recommend
_WINDOW, _ROLLING = 16, 100
_MOST_WINDOWS = 20_000
_SMALLEST = 1e-3


def fit_baselines(values: Sequence[NDArray[np.float64]], season: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `detect.baselines.DetectionBaselines`, and the settings for reports.

    Args:
        values: (steps, targets) of each training series, standardised; NaN for missing values.
        season: steps after which values repeat; 1 for none.
    """
    rolling = max(_ROLLING, season)
    arrays: dict[str, NDArray[Any]] = {
        "season": np.array([season]),
        "rolling": np.array([rolling]),
        "residual_scale": _residual_scale(values, season),
        "thresholds": np.zeros(len(BASELINES)),
    }
    arrays |= _forest(values)
    baselines = DetectionBaselines(arrays)
    for name in baselines.names:
        found = np.concatenate([baselines.scores(name, each) for each in values])
        found = found[~np.isnan(found)]
        arrays["thresholds"][BASELINES.index(name)] = found.max() if len(found) else np.inf
    settings = {"isolation_forest": {"trees": _TREES, "window": _WINDOW}} if "trees" in arrays else {}
    return arrays, settings | {"seasonal_residual": {"season": season}, "rolling_z": {"window": rolling}}


def _residual_scale(values: Sequence[NDArray[np.float64]], season: int) -> NDArray[np.float64]:
    """The spread of each target's seasonal differences, by their median, which anomalies hardly move."""
    differences = np.concatenate([np.abs(each[season:] - each[:-season]) for each in values])
    found = [1.4826 * np.median(rest) if len(rest := column[~np.isnan(column)]) else 1.0 for column in differences.T]
    return np.maximum(found, _SMALLEST)


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
