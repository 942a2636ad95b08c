"""Saturated gates and dead units, found over the traces of several inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.inspection.subject import Subject, subjects
from penstock.inspection.traces import DIRECTIONS, NetworkTrace, trace_stack

__all__ = ["dead_units", "saturated_gates", "saturation", "saturation_figures"]

_NEAR = 0.1
"""A gate is nearly closed below this, and nearly open above one less this."""
_MOSTLY = 0.95
"""A unit is stuck if its gate is nearly closed, or nearly open, in at least this share of the steps."""
_STILL = 0.01
"""A unit is dead if its output varies less than this share of the layer's outputs' size."""


def saturation(model: Any, inputs: Any) -> dict[str, Any]:
    """Return how saturated the gates are, and which units are stuck or dead.

    Args:
        model: a loaded model, a fitted estimator, or a `runtime.Recurrence`.
        inputs: several inputs, as `predict` takes them; the more, the less is left to chance.

    Returns:
        See `saturation_figures`.

    Raises:
        DataError, ShapeError, DtypeError: an input is not of the model's kind.
        ConfigError: the model cannot be inspected.

    Examples:
        >>> import numpy as np
        >>> from penstock.inspection import saturation
        >>> from penstock.runtime import Recurrence
        >>> weights = {"weight_ih_l0": np.ones((3, 1)), "weight_hh_l0": np.zeros((3, 1))}
        >>> saturation(Recurrence(weights, cell="gru"), [np.full((10, 1), 9.0)])["gates"][0]
        {'gate': 'reset', 'layer': 1, 'direction': 'forward', 'closed': 0.0, 'open': 1.0, 'stuck': [0]}
    """
    return saturation_figures(list(subjects(model, inputs)))


def saturation_figures(found: Sequence[Subject]) -> dict[str, Any]:
    """Return `saturation` of readings; empty if they have no step.

    Returns:
        steps   the number of steps looked at
        gates   by gate, layer and direction, see `saturated_gates`; none for cells that show no gates
        dead    by layer and direction, see `dead_units`
    """
    traces = [trace_stack(each.stack, each.x, ("batch", range(each.x.shape[1]))) for each in found if len(each.reading)]
    if not traces:
        return {}
    arrays, states = _pooled(traces), traces[0].states
    gates = {name: array for name, array in arrays.items() if name not in states}
    outputs = arrays[states[0]]
    return {"steps": outputs.shape[2], "gates": saturated_gates(gates), "dead": dead_units(outputs)}


def _pooled(traces: Sequence[NetworkTrace]) -> dict[str, NDArray[np.float32]]:
    """Return gates and states by name over the steps of all traces, (layers, directions, steps, units)."""
    flat = {}
    for name in traces[0]:
        several = [
            each[name].values.reshape(*each[name].values.shape[:2], -1, each[name].values.shape[-1]) for each in traces
        ]
        flat[name] = np.concatenate(several, axis=2)
    return flat


def saturated_gates(gates: dict[str, NDArray[np.float32]]) -> list[dict[str, Any]]:
    """Return by gate, layer and direction: how often the gate is saturated, and which units are stuck.

    Args:
        gates: by name, (layers, directions, steps, units). Those with a value below 0 are candidates, not gates: for
            them, saturated means near -1 or 1.

    Returns:
        For each: gate, layer (from 1), direction; closed and open, the shares of values within 0.1 of either end;
        stuck, the units that stay at one end in at least 95 % of the steps.
    """
    found = []
    for name, values in gates.items():
        low = -1.0 if values.min(initial=0) < 0 else 0.0
        closed, opened = values < low + _NEAR, values > 1 - _NEAR
        for layer in range(values.shape[0]):
            for direction in range(values.shape[1]):
                shares = [each[layer, direction].mean(axis=0) for each in (closed, opened)]
                stuck = np.flatnonzero(np.maximum(*shares) >= _MOSTLY)
                found.append(
                    {
                        "gate": name,
                        "layer": layer + 1,
                        "direction": DIRECTIONS[direction],
                        "closed": float(shares[0].mean()),
                        "open": float(shares[1].mean()),
                        "stuck": stuck.tolist(),
                    }
                )
    return found


def dead_units(outputs: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Return by layer and direction the units whose output hardly ever changes: units, and of how many (`of`).

    Args:
        outputs: (layers, directions, steps, units). A unit is dead if the standard deviation of its output is less than
            1 % of the root mean square of the layer's outputs.
    """
    found = []
    for layer in range(outputs.shape[0]):
        for direction in range(outputs.shape[1]):
            values = outputs[layer, direction].astype(np.float64)
            size = np.sqrt(np.mean(values**2))
            dead = np.flatnonzero(values.std(axis=0) <= _STILL * size)
            found.append(
                {"layer": layer + 1, "direction": DIRECTIONS[direction], "units": dead.tolist(), "of": values.shape[1]}
            )
    return found
