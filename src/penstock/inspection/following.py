"""Units that follow a property of the input, such as the depth of brackets (Karpathy, Johnson and Li 2015).

A correlation that is the largest of thousands is large by chance alone. So the pair of unit and property, and the
direction of a property with several columns, are chosen on one half of the inputs; the score is the correlation on the
other half, and counts only if it is significant after correcting for all pairs that were looked at.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.inspection.subject import Subject, subjects
from penstock.inspection.traces import DIRECTIONS, trace_stack

__all__ = ["followed_figures", "followed_units"]

Floats = NDArray[np.float64]

_LEAST = 0.5  # absolute correlation on the held-out half
_FEWEST = 20  # independent steps in each half
_LEVEL = 0.05
_PER_PROPERTY = 3


class _Half(NamedTuple):
    """The steps of one half: units (steps, units), and properties by name, (steps, columns)."""

    units: Floats
    properties: dict[str, Floats]


def followed_units(model: Any, inputs: Any) -> dict[str, Any]:
    """Return the units whose states follow a property of the input: position, brackets, level, loudness, hour, ...

    Args:
        model: a loaded model, or a fitted estimator.
        inputs: several inputs, as `predict` takes them, a hundred steps at least; one series is split in the middle.

    Returns:
        See `followed_figures`.

    Raises:
        DataError: an input is not of the model's kind.
        ConfigError: the model cannot be inspected.

    Examples:
        >>> import penstock
        >>> from penstock.inspection import followed_units
        >>> texts, labels = ["good food", "bad room"] * 40, ["good", "bad"] * 40
        >>> clf = penstock.TextClassifier(hidden_size=8, epochs=1, random_state=0).fit(texts, labels)
        >>> found = followed_units(clf, texts)
        >>> found["steps"], found["too_few"]
        ([80, 80], False)
    """
    return followed_figures(list(subjects(model, inputs)))


def followed_figures(found: Sequence[Subject]) -> dict[str, Any]:
    """Return `followed_units` of readings.

    Returns:
        followed    at most three for each property, the highest score first: property, state, layer (from 1),
                    direction, unit; score, the correlation on the half that was held out, from -1 to 1; chosen, that on
                    the first half; for a property with several columns, of their best combination on the first half
        pairs       the number of pairs of unit and property that were looked at
        steps       the number of steps in each half
        too_few     whether there were too few steps to look
    """
    names, halves = _halves(found)
    if halves is None:
        return {"followed": [], "pairs": 0, "steps": [0, 0], "too_few": True}
    first, second = halves
    pairs = first.units.shape[1] * len(first.properties)
    steps = [len(half.units) for half in halves]
    rows = []
    for name in first.properties:
        chosen, score, likely = _scores(name, first, second)
        for unit in np.argsort(-np.abs(chosen), kind="stable")[:_PER_PROPERTY].tolist():
            if abs(score[unit]) >= _LEAST and likely[unit] * pairs <= _LEVEL:
                rows.append(
                    {"property": name, **names[unit], "score": float(score[unit]), "chosen": float(chosen[unit])}
                )
    rows.sort(key=lambda row: -abs(row["score"]))
    return {"followed": rows, "pairs": pairs, "steps": steps, "too_few": min(steps) < _FEWEST}


def _halves(found: Sequence[Subject]) -> tuple[list[dict[str, Any]], tuple[_Half, _Half] | None]:
    """Return what each column of `units` is, and the two halves; None if there are too few inputs."""
    usable = [each for each in found if len(each.reading) and each.reading.properties]
    if not usable:
        return [], None
    names: list[dict[str, Any]] = []
    several = []
    for each in usable:
        units, names = _states(each)
        several.append(_Half(units, {name: np.asarray(v, np.float64) for name, v in each.reading.properties.items()}))
    if len(several) == 1:
        middle = len(several[0].units) // 2
        return names, (_part(several[0], slice(None, middle)), _part(several[0], slice(middle, None)))
    return names, (_joined(several[::2]), _joined(several[1::2]))


def _states(subject: Subject) -> tuple[Floats, list[dict[str, Any]]]:
    """Return the states (steps, units) of all layers, of the first row, and what each column is."""
    found = trace_stack(subject.stack, subject.x[:, :1], ("batch", range(1)))
    columns, names = [], []
    for state in found.states:
        values = found[state].values[:, :, :, 0]
        for layer in range(values.shape[0]):
            for direction in range(values.shape[1]):
                columns.append(values[layer, direction])
                place = {"state": state, "layer": layer + 1, "direction": DIRECTIONS[direction]}
                names += [place | {"unit": unit} for unit in range(values.shape[-1])]
    return np.concatenate(columns, axis=1).astype(np.float64), names


def _part(half: _Half, steps: slice) -> _Half:
    return _Half(half.units[steps], {name: values[steps] for name, values in half.properties.items()})


def _joined(several: Sequence[_Half]) -> _Half:
    names = several[0].properties
    return _Half(
        np.concatenate([each.units for each in several]),
        {name: np.concatenate([each.properties[name] for each in several]) for name in names},
    )


def _scores(name: str, first: _Half, second: _Half) -> tuple[Floats, Floats, Floats]:
    """Return each unit's correlation on the first and the second half, and the latter's probability by chance."""
    combined = _combined(first, second, name)
    chosen, score = (_correlation(half.units, values) for half, values in zip((first, second), combined, strict=True))
    likely = np.array(
        [
            _p_value(r, _independent(unit, values))
            for r, unit, values in zip(score, second.units.T, combined[1].T, strict=True)
        ]
    )
    return chosen, score, likely


def _combined(first: _Half, second: _Half, name: str) -> tuple[Floats, Floats]:
    """Return the property in both halves for each unit, (steps, units): combined by least squares on the first half."""
    one, other = first.properties[name], second.properties[name]
    units = first.units.shape[1]
    if one.shape[1] == 1:
        return np.repeat(one, units, axis=1), np.repeat(other, units, axis=1)
    centre = one.mean(axis=0)
    factors, *_ = np.linalg.lstsq(one - centre, first.units - first.units.mean(axis=0), rcond=None)
    return (one - centre) @ factors, (other - centre) @ factors


def _correlation(units: Floats, values: Floats) -> Floats:
    """Return the correlation of each column; 0 where one is constant."""
    one, other = (each - each.mean(axis=0) for each in (units, values))
    size = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    least = 1e-9 * len(units) * (np.abs(units).max(axis=0) * np.abs(values).max(axis=0))
    return np.where(size > least, (one * other).sum(axis=0) / np.where(size > least, size, 1), 0.0)


def _independent(unit: Floats, values: Floats) -> float:
    """Return how many independent steps two series are worth, by their autocorrelations at lag 1 (Bartlett 1935)."""
    product = max(0.0, _lag_one(unit) * _lag_one(values))
    return len(unit) * (1 - product) / (1 + product)


def _lag_one(values: Floats) -> float:
    centred = values - values.mean()
    size = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / size if size else 0.0


def _p_value(correlation: float, steps: float) -> float:
    """Return the two-sided probability of such a correlation by chance (Fisher's z)."""
    if steps <= 4:
        return 1.0
    z = abs(math.atanh(min(abs(correlation), 1 - 1e-12))) * math.sqrt(steps - 3)
    return math.erfc(z / math.sqrt(2))
